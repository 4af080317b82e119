"""Groups of records into the JSON that a client gets: contract section 8, "Aggregation"."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from app.definitions.definition import Definition, Node
from app.operations.serialize.objects import objects
from app.operations.serialize.records import Column, RecordSerializer
from app.policy.aggregation import Key
from odoo_bridge.types import Table

#: Types of numbers, of which one that is missing is another group than zero.
_NUMBERS = frozenset({"integer", "float", "monetary"})
#: How the beginning of each period is written, as ISO 8601 does where it has a form for the period.
_PERIODS: Mapping[str, Callable[[date], str]] = {
    "year": lambda begin: f"{begin.year:04d}",
    "quarter": lambda begin: f"{begin.year:04d}-Q{(begin.month + 2) // 3}",
    "month": lambda begin: f"{begin.year:04d}-{begin.month:02d}",
    "week": lambda begin: _day(begin).isoformat(),
    "day": lambda begin: _day(begin).isoformat(),
    "hour": lambda begin: f"{begin.year:04d}-{begin:%m-%dT%H:00}",
}


class GroupSerializer:
    """Serializes the groups of one API's records."""

    def __init__(self, definition: Definition, node: Node) -> None:
        """``node`` is the one whose fields the groups are made by."""
        self._records = RecordSerializer(definition)
        self._node = node

    def rows(self, table: Table, keys: tuple[Key, ...], measures: tuple[str, ...]) -> list[dict[str, Any]]:
        """Return the JSON objects of groups."""
        columns = {key.spec: self._key(table, key) for key in keys}
        for spec in measures:
            is_boolean = spec.endswith((":bool_and", ":bool_or"))
            columns[spec] = table.values[spec] if is_boolean else _or_null(table.values[spec])
        return objects(tuple(columns))(zip(*columns.values(), strict=True))

    def _key(self, table: Table, key: Key) -> Column:
        values, empty = table.values[key.spec], self._records.no_text
        if key.granularity is not None:
            written = _PERIODS.get(key.granularity)
            if written is not None:
                return [empty if value is False else written(value) for value in values]
            # PostgreSQL's date "infinity", which others than Odoo can write, has no number.
            return [int(value) if value is not False and math.isfinite(value) else None for value in values]
        if key.info.type in _NUMBERS:
            return _or_null(values)
        # A group has one record of a many2many.
        info = replace(key.info, type="many2one") if key.info.to_many else key.info
        return self._records.column(table, self._node, info)


def _or_null(values: Column) -> Column:
    return [None if value is False else value for value in values]


def _day(begin: date) -> date:
    return begin.date() if isinstance(begin, datetime) else begin
