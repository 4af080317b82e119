"""Flat columns of records: for formats that have a table of cells, as JSON has objects.

A many2one is two columns, ``field.id`` and ``field.display_name``, or those that ``related`` names, as ``field.name``;
what leads to several records is a list in JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from app.definitions.definition import Definition, Node
from app.json import dumps
from app.operations.serialize.records import RecordSerializer
from odoo_bridge.types import FieldInfo, Table

#: Kind of the values of a column.
Kind: TypeAlias = Literal["id", "text", "integer", "float", "boolean", "date", "datetime", "json"]
#: Kinds by the types of fields; all others are text.
_KINDS: dict[str, Kind] = {
    "integer": "integer",
    "float": "float",
    "monetary": "float",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "json": "json",
    "many2one_reference": "id",
    "properties": "json",
    "one2many": "json",
    "many2many": "json",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, as ``parent_id.name``, and the kind of its values, of which None is no value."""

    name: str
    kind: Kind


def columns(node: Node, before: str = "") -> Iterator[Column]:
    """Yield the columns of the records of a node, in their order."""
    yield Column(f"{before}id", "id")
    for name, info in node.fields.items():
        path = f"{before}{name}"
        if info.type != "many2one":
            yield Column(path, _KINDS.get(info.type, "text"))
        elif name in node.related:
            yield from columns(node.related[name], f"{path}.")
        else:
            yield Column(f"{path}.id", "id")
            yield Column(f"{path}.display_name", "text")


class Flattener:
    """Takes the tables of one API's records apart, into values column by column."""

    def __init__(self, definition: Definition) -> None:
        self._ids = definition.ids
        self._records = RecordSerializer(definition)

    def values(self, table: Table, node: Node) -> Iterator[Sequence[Any]]:
        """Yield the values of each of ``columns``."""
        yield self._ids.of(node.model.name).encode_all(table.ids)
        for name, info in node.fields.items():
            if info.type != "many2one":
                yield self._plain(table, node, info)
            elif name in node.related:
                yield from self._related(table.values[name], table.related[name], node.related[name])
            else:
                yield from self._named(table.values[name], info)

    def _plain(self, table: Table, node: Node, info: FieldInfo) -> Sequence[Any]:
        shown = self._records.column(table, node, info)
        kind = _KINDS.get(info.type, "text")
        if kind == "json":
            return [None if value is None else dumps(value).decode() for value in shown]
        if kind in ("integer", "float", "boolean") or all(shown):
            return shown
        return [value or None for value in shown]

    def _named(self, values: Sequence[Any], info: FieldInfo) -> Iterator[Sequence[Any]]:
        encode = self._ids.of(info.relation or "").encode
        yield [encode(value[0]) if value else None for value in values]
        yield [(value[1] or None) if value else None for value in values]

    def _related(self, values: Sequence[Any], related: Table, node: Node) -> Iterator[Sequence[Any]]:
        """Yield the columns of the records that a many2one leads to: of one that the user may not see, the id alone."""
        encode = self._ids.of(node.model.name).encode
        yield [encode(value) if value else None for value in values]
        _, *theirs = self.values(related, node)
        place = {record_id: number for number, record_id in enumerate(related.ids)}
        places = [place.get(value) for value in values]
        for column in theirs:
            yield [None if number is None else column[number] for number in places]
