"""The structure of models and fields, which the database, the registry and what was made of it have to agree on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg2 import errors as pg

#: What PostgreSQL says of a column or table that the registry has and the database no longer.
GONE = (pg.UndefinedColumn, pg.UndefinedTable)


#: How often this process has taken changes of a registry back that were not committed: others may have seen them.
_taken_back = 0


def take_back() -> None:
    """Let nothing fit any more that was made until now."""
    global _taken_back
    _taken_back += 1


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The registry that something was made from, as of one of its versions."""

    registry: Any
    sequence: int
    taken_back: int

    @classmethod
    def of(cls, env: Any) -> Structure:
        """Return what an environment works with."""
        return cls(env.registry, env.registry.registry_sequence, _taken_back)

    def fits(self, env: Any) -> bool:
        """True if an environment works with the same."""
        registry = env.registry
        return (
            registry is self.registry and registry.registry_sequence == self.sequence and _taken_back == self.taken_back
        )


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
