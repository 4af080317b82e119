"""Facts about a model that tell beforehand which writes Odoo or PostgreSQL would refuse."""

from __future__ import annotations

from .transaction import Environment

#: Odoo's operations on a model (odoo/orm/models.py, has_access).
OPERATIONS = ("read", "create", "write", "unlink")
_UNIQUE = """
    SELECT DISTINCT attname FROM pg_index
    JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
    WHERE indrelid = to_regclass(%s) AND indisunique AND NOT indisprimary
"""


def allowed(env: Environment, model: str) -> frozenset[str]:
    """Return the operations that access rights leave the user of ``env``; record rules may say no to single records."""
    records = env[model]
    return frozenset(operation for operation in OPERATIONS if records.has_access(operation))


def unique_fields(env: Environment, model: str) -> frozenset[str]:
    """Return the fields of which a unique index keeps two records from having the same value, alone or with others."""
    env.cr.execute(_UNIQUE, (f'"{env[model]._table}"',))
    return frozenset(name for (name,) in env.cr.fetchall())
