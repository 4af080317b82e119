"""End of all access to a copy of a database: the statements of the addon, which may not be installed there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import odoo_bridge

_STATEMENTS = Path(odoo_bridge.__file__).parent / "addons" / "gatehouse" / "data" / "neutralize.sql"


def neutralize(cr: Any) -> None:
    """Switch client apps and webhooks off, and end all that apps and the persons they act for were given.

    Any schema will do.
    """
    cr.execute("SELECT set_config('gatehouse.actor', 'flask db neutralize', true)")
    cr.execute(_STATEMENTS.read_text(encoding="utf-8"))
