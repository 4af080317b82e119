"""Formats of an export: each turns tables of records into pieces of a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from app.definitions.definition import Definition, Node
from app.json import lines
from app.operations.exports.flat import Column, Flattener, columns
from app.operations.serialize.records import RecordSerializer
from odoo_bridge.types import Table

#: Beginnings of what a spreadsheet takes for a formula, behind white space too; in full width as well.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: White space that makes a formula of what follows in some spreadsheets, whatever it is.
_LEADING = ("\t", "\r", "\n")


class Writer(Protocol):
    """Writes the records of one node in one format. ``size`` is that of the last ``rows`` in bytes."""

    size: int

    def head(self) -> bytes:
        """Return the bytes before all records."""

    def rows(self, table: Table) -> bytes:
        """Return the bytes of some records; none where they are kept for later."""

    def tail(self) -> bytes:
        """Return the bytes behind all records."""


class NdjsonWriter:
    """Records as JSON objects, one in a line (application/x-ndjson)."""

    def __init__(self, definition: Definition, node: Node) -> None:
        self.size = 0
        self._records = RecordSerializer(definition, of_very_many=True)
        self._node = node

    def head(self) -> bytes:
        return b""

    def rows(self, table: Table) -> bytes:
        written = lines(self._records.rows(table, self._node))
        self.size = len(written)
        return written

    def tail(self) -> bytes:
        return b""


class CsvWriter:
    """Records as lines of CSV, with one of names before them (RFC 4180)."""

    def __init__(self, definition: Definition, node: Node, *, for_spreadsheets: bool) -> None:
        """``for_spreadsheets`` makes text harmless that a spreadsheet would run."""
        self.size = 0
        self._node = node
        self._columns = list(columns(node))
        self._flattener = Flattener(definition)
        self._text = _harmless if for_spreadsheets else None

    def head(self) -> bytes:
        return _rows([[column.name for column in self._columns]])

    def rows(self, table: Table) -> bytes:
        values = self._flattener.values(table, self._node)
        cells = [self._cells(column, each) for column, each in zip(self._columns, values, strict=True)]
        written = _rows(zip(*cells, strict=True))
        self.size = len(written)
        return written

    def tail(self) -> bytes:
        return b""

    def _cells(self, column: Column, values: Sequence[Any]) -> Sequence[Any]:
        written: Callable[[Any], Any] | None = _WRITTEN.get(column.kind, self._text)
        return values if written is None else [None if value is None else written(value) for value in values]


def _harmless(value: Any) -> Any:
    is_formula = isinstance(value, str) and (value.lstrip().startswith(_FORMULA) or value.startswith(_LEADING))
    return f"'{value}" if is_formula else value


def _moment(value: datetime) -> str:
    return f"{value.isoformat()}Z"


#: How the values of a kind are written, where that is not plain; text is as it is.
_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "boolean": lambda value: "true" if value else "false",
    "datetime": _moment,
    **dict.fromkeys(("integer", "float", "date"), str),
}


def _rows(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
