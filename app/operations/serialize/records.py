"""Tables of plain data into the JSON that a client gets: contract section 2, "Values"."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import repeat
from typing import Any, TypeAlias

from app.definitions.definition import Definition, Node
from app.definitions.ids import PublicId
from app.definitions.secrets import is_secret_model
from app.operations.serialize.objects import objects
from odoo_bridge.types import FieldInfo, Table

#: The values of one field of all records.
Column: TypeAlias = Sequence[Any]
#: Types whose value is shown as it is, also where Odoo takes it for empty: false and 0.
_NEVER_EMPTY = frozenset({"boolean", "integer", "float", "monetary"})
#: What is shown of a property besides its value.
_PROPERTY_KEYS: tuple[str, ...] = ("name", "type", "string", "comodel", "selection", "tags")


def media_url(api_id: int, model: str, public_id: PublicId, info: FieldInfo) -> str:
    """Return the path under which the content of a binary field is served."""
    return f"/api/{'image' if info.image else 'binary'}/{api_id}/{model}/{public_id}/{info.name}"


class RecordSerializer:
    """Serializes the records of one API, column by column: what holds for a field is asked once for all records."""

    def __init__(self, definition: Definition, *, of_very_many: bool = False) -> None:
        """``of_very_many``: the ids of these records would take the places of all that are remembered."""
        self._definition = definition
        self._of_very_many = of_very_many
        self._ids = definition.ids
        blank = definition.document.empty_values == "blank"
        self.no_text: str | None = "" if blank else None
        self._no_record: list[Any] | None = [] if blank else None

    def rows(self, table: Table, node: Node) -> list[dict[str, Any]]:
        """Return the JSON objects of records of the node."""
        ids = self._ids.of(node.model.name)
        shown = ids.encode_all(table.ids) if self._of_very_many else list(map(ids.encode, table.ids))
        columns: dict[str, Column] = {"id": shown}
        for name, info in node.fields.items():
            if name in table.values:
                columns[name] = self.column(table, node, info)
        return objects(tuple(columns))(zip(*columns.values(), strict=True))

    def column(self, table: Table, node: Node, info: FieldInfo) -> Column:
        """Return the values of a field as the client gets them."""
        values = table.values[info.name]
        if info.name in node.related:
            return self._related(values, table.related[info.name], node.related[info.name], info)
        if info.type == "many2one" or info.to_many:
            return self._relational(values, info)
        special = {
            "binary": self._binary,
            "reference": self._reference,
            "many2one_reference": self._mapped_id,
            "properties": self._properties,
        }
        if info.type in special:
            return special[info.type](values, table, node, info)
        if info.type in _NEVER_EMPTY:
            return values
        if info.type == "json":
            return [None if value is False else value for value in values]
        no_text = self.no_text
        return values if all(values) else [value or no_text for value in values]

    def _relational(self, values: Column, info: FieldInfo) -> Column:
        encode, empty = self._ids.of(info.relation or "").encode, self._no_record
        if info.to_many:
            return [list(map(encode, value or ())) for value in values]
        names = dict(filter(None, values))  # many records lead to the same one
        shown = {record_id: [encode(record_id), name] for record_id, name in names.items()}
        return [shown[value[0]] if value else empty for value in values]

    def _related(self, values: Column, related: Table, node: Node, info: FieldInfo) -> Column:
        known = dict(zip(related.ids, self.rows(related, node), strict=True))
        if info.to_many:
            return [[known[record_id] for record_id in value if record_id in known] for value in values]
        encode, empty = self._ids.of(node.model.name).encode, self._no_record

        def pair(record_id: int) -> list[Any]:
            # The id of a record that the user may not see is part of the row itself, as in Odoo; nothing else of
            # that record is shown.
            public_id = encode(record_id)
            return [public_id, known.get(record_id, {"id": public_id})]

        return [pair(value) if value else empty for value in values]

    def _binary(self, values: Column, table: Table, node: Node, info: FieldInfo) -> Column:
        no_text = self.no_text
        if self._definition.document.binary == "base64":
            if info.origin == ("ir.attachment", "raw"):  # the one binary that Odoo does not give in base64
                return [base64.b64encode(value).decode() if value else no_text for value in values]
            return [value.decode() if isinstance(value, bytes) and value else no_text for value in values]
        model, api_id = node.model.name, self._definition.id
        encode = self._ids.of(model).encode
        return [
            media_url(api_id, model, encode(record_id), info) if value else no_text
            for record_id, value in zip(table.ids, values, strict=True)
        ]

    def _reference(self, values: Column, table: Table, node: Node, info: FieldInfo) -> Column:
        def public(value: str) -> str:
            model, _, record_id = value.partition(",")
            return f"{model},{self._ids.of(model).encode(int(record_id))}"

        return [public(value) if value else self.no_text for value in values]

    def _mapped_id(self, values: Column, table: Table, node: Node, info: FieldInfo) -> Column:
        """The model of the id stands in another field; without it, the number says nothing and is not shown."""
        models = table.values.get(info.model_field or "", repeat(None, len(values)))
        return [
            self._ids.of(model).encode(value) if value and model else self.no_text
            for value, model in zip(values, models, strict=True)
        ]

    def _properties(self, values: Column, table: Table, node: Node, info: FieldInfo) -> Column:
        return [[self._property(item) for item in value or ()] for value in values]

    def _property(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return a property as Odoo reads it, with ids in the API's form and without its internal keys."""
        shown = {key: item[key] for key in _PROPERTY_KEYS if key in item}
        return {**shown, "value": self._property_value(item)}

    def _property_value(self, item: dict[str, Any]) -> Any:
        value: Any = item.get("value")
        kind, comodel = item["type"], item.get("comodel")
        if comodel and (is_secret_model(comodel) or not value):
            return [] if kind == "many2many" else self._no_record
        if comodel:
            encode = self._ids.of(comodel).encode
            if kind == "many2many":
                return [[encode(record_id), name] for record_id, name in value]
            return [encode(value[0]), value[1]]
        if kind == "tags":
            return value or []
        if kind == "datetime" and value:
            return f"{value.replace(' ', 'T')}Z"
        return self.no_text if kind not in _NEVER_EMPTY and not value else value
