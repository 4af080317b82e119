"""Rows of plain data into the JSON that a client gets: contract section 2, "Values"."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, TypeAlias

from app.catalog.definition import Definition, Node
from app.catalog.secrets import is_secret_model
from app.policy.ids import PublicId
from odoo_bridge.introspect import FieldInfo
from odoo_bridge.records import Row

#: From a plain value and the row around it to its JSON form.
Encoder: TypeAlias = Callable[[Any, Row], Any]
#: Types whose value is shown as it is, also where Odoo takes it for empty: false and 0.
_NEVER_EMPTY = frozenset({"boolean", "integer", "float", "monetary"})
#: What is shown of a property besides its value.
_PROPERTY_KEYS: tuple[str, ...] = ("name", "type", "string", "comodel", "selection", "tags")


def media_url(api_id: int, model: str, public_id: PublicId, info: FieldInfo) -> str:
    """Return the path under which the content of a binary field is served."""
    return f"/api/{'image' if info.image else 'binary'}/{api_id}/{model}/{public_id}/{info.name}"


class RecordSerializer:
    """Serializes the records of one API."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._ids = definition.ids
        blank = definition.document.empty_values == "blank"
        self._no_text: str | None = "" if blank else None
        self._no_record: list[Any] | None = [] if blank else None

    def rows(self, rows: list[Row], node: Node) -> list[dict[str, Any]]:
        """Return the JSON objects of rows of the node."""
        encode_id = self._ids.of(node.model.name).encode
        encoders = [(name, self._encoder(info, node)) for name, info in node.fields.items()]
        return [
            {"id": encode_id(row["id"]), **{name: encode(row[name], row) for name, encode in encoders if name in row}}
            for row in rows
        ]

    def _encoder(self, info: FieldInfo, node: Node) -> Encoder:
        related = node.related.get(info.name)
        if info.type == "many2one":
            return self._many2one_related(related) if related else self._many2one(info)
        if info.to_many:
            return self._many(related) if related else self._ids_of(info)
        special = {
            "binary": self._binary,
            "reference": self._reference,
            "many2one_reference": self._mapped_id,
            "properties": self._properties,
        }
        if info.type in special:
            return special[info.type](info, node)
        if info.type in _NEVER_EMPTY:
            return _as_it_is
        if info.type == "json":
            return lambda value, row: None if value is False else value
        no_text = self._no_text
        return lambda value, row: value or no_text

    def _many2one(self, info: FieldInfo) -> Encoder:
        encode, empty = self._ids.of(info.relation or "").encode, self._no_record
        return lambda value, row: [encode(value[0]), value[1]] if value else empty

    def _many2one_related(self, related: Node) -> Encoder:
        encode, empty = self._ids.of(related.model.name).encode, self._no_record
        known: dict[int, dict[str, Any]] = {}  # many records share one company: serialize it once

        def encoder(value: Any, row: Row) -> Any:
            if not value:
                return empty
            record_id, below = value
            if record_id not in known:
                known[record_id] = self.rows([below], related)[0]
            return [encode(record_id), known[record_id]]

        return encoder

    def _many(self, related: Node) -> Encoder:
        return lambda value, row: self.rows(list(value), related)

    def _ids_of(self, info: FieldInfo) -> Encoder:
        encode = self._ids.of(info.relation or "").encode
        return lambda value, row: [encode(record_id) for record_id in value or ()]

    def _binary(self, info: FieldInfo, node: Node) -> Encoder:
        no_text = self._no_text
        if self._definition.document.binary == "base64":
            if info.origin == ("ir.attachment", "raw"):  # the one binary that Odoo does not give in base64
                return lambda value, row: base64.b64encode(value).decode() if value else no_text
            return lambda value, row: value.decode() if isinstance(value, bytes) and value else no_text
        model, api_id = node.model.name, self._definition.id
        encode = self._ids.of(model).encode
        return lambda value, row: media_url(api_id, model, encode(row["id"]), info) if value else no_text

    def _reference(self, info: FieldInfo, node: Node) -> Encoder:
        def encoder(value: Any, row: Row) -> Any:
            if not value:
                return self._no_text
            model, _, record_id = value.partition(",")
            return f"{model},{self._ids.of(model).encode(int(record_id))}"

        return encoder

    def _mapped_id(self, info: FieldInfo, node: Node) -> Encoder:
        """The model of the id stands in another field; without it, the number says nothing and is not shown."""
        model_field = info.model_field or ""

        def encoder(value: Any, row: Row) -> Any:
            model = row.get(model_field)
            return self._ids.of(model).encode(value) if value and model else self._no_text

        return encoder

    def _properties(self, info: FieldInfo, node: Node) -> Encoder:
        return lambda value, row: [self._property(item) for item in value or ()]

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
        return self._no_text if kind not in _NEVER_EMPTY and not value else value


def _as_it_is(value: Any, row: Row) -> Any:
    return value
