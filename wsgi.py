"""The WSGI application, for any server: ``gunicorn -c gunicorn.conf.py wsgi:app``."""

import logging
import os

from serving import environment_file

environment_file.load()

from app.catalog import schema_version
from app.catalog.schema_version import SchemaError
from app.config import ConfigError
from app.factory import create_app
from odoo_bridge.errors import BridgeError
from serving import renewal

try:
    app = create_app()
    app.services.transactions.run(lambda root: schema_version.check(root.cr), keep=False)
    app.services.catalog.refresh()
    app.services.addons.check_start(os.environ.get(renewal.VARIABLE))
except (ConfigError, BridgeError, SchemaError) as error:
    # The sentence says what to change; gunicorn would put a traceback around it.
    logging.getLogger("gatehouse").critical("Gatehouse can't start: %s", error)
    raise SystemExit(1) from None
