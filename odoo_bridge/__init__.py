"""The only package that imports ``odoo``: everything Gatehouse does with Odoo goes through here.

It knows neither Flask nor ``app``. Where Odoo's source is not installed in the interpreter, the environment
variable ``GATEHOUSE_ODOO_SOURCE`` names the folder that holds the package ``odoo``. It is read here and not in
``app.config``, because the path has to be settled before the first ``import odoo`` in any module below.
"""

import os
import sys

_source = os.environ.get("GATEHOUSE_ODOO_SOURCE")
if _source and _source not in sys.path:
    sys.path.insert(0, _source)
