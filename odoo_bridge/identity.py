"""The identity of a database, whatever it is called and however it is reached."""

from __future__ import annotations

from .transaction import Environment


def database_uuid(root: Environment) -> str:
    """Return the id that Odoo gave the database when it was made (ir_config_parameter.py); a missing one is made now.

    Odoo's own *Duplicate* gives the copy another one; ``createdb -T``, ``pg_restore`` and the like do not.
    """
    return _stored(root) or _made(root)


def _stored(root: Environment) -> str:
    root.cr.execute("SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'")
    row = root.cr.fetchone()
    return str(row[0]) if row else ""


def _made(root: Environment) -> str:
    root["ir.config_parameter"].init()  # as each upgrade of Odoo's base does: what is there stays
    root.flush_all()
    return _stored(root)
