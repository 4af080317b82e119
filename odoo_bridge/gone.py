"""Columns and tables that are gone: the registry has them, and the database no longer."""

from __future__ import annotations

from typing import Any

from psycopg2 import errors as pg

#: What PostgreSQL says of a query that names one.
GONE = (pg.UndefinedColumn, pg.UndefinedTable)


def is_gone(cr: Any, registry: Any) -> bool:
    """True if the database lacks a column that the registry has: Odoo is being changed, and has not signalled it yet.

    Reads the names of all columns: for the case that a query has failed.
    """
    cr.execute(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = current_schema::regnamespace AND a.attnum > 0 AND NOT a.attisdropped"
    )
    columns = set(cr.fetchall())
    return any(
        (model._table, field.name) not in columns
        for model in registry.values()
        if model._auto and not model._abstract and not model._table_query
        for field in model._fields.values()
        if field.store and field.column_type
    )
