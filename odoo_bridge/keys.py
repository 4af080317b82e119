"""Records by the value of a column, whoever may see them: what is taken is taken, also where it is hidden."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from odoo.tools import SQL

from .transaction import Environment


def holders(env: Environment, model: str, field: str, values: Collection[Any]) -> dict[Any, list[int]]:
    """Return the ids of all records that hold each of the values; archived and hidden ones too. One query.

    Raises AccessError where the user may not read the field.
    """
    env[model]._check_field_access(env[model]._fields[field], "read")
    records = env[model].sudo()
    records.flush_model([field])
    column, table = SQL.identifier(field), SQL.identifier(records._table)
    query = SQL("SELECT %s, id FROM %s WHERE %s IN %s ORDER BY id", column, table, column, tuple(values))
    found: dict[Any, list[int]] = {}
    for value, record_id in env.execute_query(query):
        found.setdefault(value, []).append(record_id)
    return found


def values_of(env: Environment, model: str, field: str, ids: Sequence[int]) -> dict[int, Any]:
    """Return the value that each of the records holds, by id. One query by primary keys."""
    records = env[model].sudo()
    records.flush_model([field])
    column, table = SQL.identifier(field), SQL.identifier(records._table)
    return dict(env.execute_query(SQL("SELECT id, %s FROM %s WHERE id IN %s", column, table, tuple(ids))))
