"""JSON Schemas of what a client may write: the rules of ``policy.values`` and ``scalars`` that a schema can say.

Whether an id names a record that the user can see, and whether a line belongs to the record, only a call can tell.
"""

from __future__ import annotations

from typing import Any

from app.definitions.definition import Exposure, Node
from app.definitions.secrets import is_read_only_model, is_rights_field
from app.openapi.schemas import RecordSchemas, Schema, described
from odoo_bridge.types import FieldInfo

_INT4 = {"minimum": -(2**31), "maximum": 2**31 - 1}
_NUMBER = {"exclusiveMinimum": -1e15, "exclusiveMaximum": 1e15}
_TEXTS = ("char", "text", "html")
_FORMATS = {"date": "date", "datetime": "date-time"}
_ANY: Schema = {}


class InputSchemas:
    """The schemas of bodies for one exposed model."""

    def __init__(self, records: RecordSchemas, exposure: Exposure) -> None:
        self._records = records
        self._exposure = exposure
        self._document = records.definition.document

    def create(self) -> Schema:
        """Return the schema of a record to create."""
        infos = self._writable()
        required = [info.name for info in infos if info.must_be_given]
        return _closed(self._fields(infos, creating=True), required)

    def update(self) -> Schema:
        """Return the schema of values to write to one record."""
        return _closed(self._fields(self._writable(), creating=False), [])

    def update_many(self) -> Schema:
        """Return the schema of own values for several records, or common values for all of them."""
        infos = self._writable()
        record_id = self._records.id(self._exposure.name)
        own = _closed({"id": record_id, **self._fields(infos, creating=False)}, ["id"])
        single = [info for info in infos if info.type != "properties"]  # these are written record by record
        common = _closed({"ids": self.ids(), **self._fields(single, creating=False)}, ["ids"])
        listed = {"type": "array", "items": own, "maxItems": self._document.max_bulk, "title": "own values"}
        return {"oneOf": [listed, {**common, "title": "common values"}]}

    def delete_many(self) -> Schema:
        """Return the schema of the ids of records to delete."""
        return {"oneOf": [{**self.ids(), "title": "ids"}, {**_closed({"ids": self.ids()}, ["ids"]), "title": "object"}]}

    def ids(self) -> Schema:
        """Return the schema of a list of ids, each named once."""
        item = self._records.id(self._exposure.name)
        return {"type": "array", "items": item, "uniqueItems": True, "maxItems": self._document.max_bulk}

    def _writable(self) -> list[FieldInfo]:
        exposure = self._exposure
        return [info for name, info in exposure.node.fields.items() if name in exposure.writable_fields]

    def _fields(self, infos: list[FieldInfo], *, creating: bool) -> dict[str, Schema]:
        node = self._exposure.node
        return {info.name: described(self._value(info, node, creating), info) for info in infos}

    def _value(self, info: FieldInfo, node: Node, creating: bool) -> Schema:
        if info.type == "many2one":
            return self._many2one(info)
        if info.to_many:
            return self._many(info, node, creating)
        if info.type == "properties":
            return _PROPERTIES
        if info.type == "reference":
            return _unless_required(info, [_reference(info)])
        if info.type == "many2one_reference":
            return {**_unless_required(info, [{"type": ["string", "integer"]}]), "$comment": f"with {info.model_field}"}
        return _scalar(info)

    def _many2one(self, info: FieldInfo) -> Schema:
        record_id = self._records.id(info.relation or "")
        pair = {
            "type": "array",
            "prefixItems": [record_id, _ANY],
            "minItems": 2,
            "maxItems": 2,
            "title": "as it is read",
        }
        empty: list[Schema] = [] if info.required else [{"type": "array", "maxItems": 0}]
        return _unless_required(info, [record_id, pair, *empty])

    def _many(self, info: FieldInfo, node: Node, creating: bool) -> Schema:
        record_id = self._records.id(info.relation or "")
        commands = {"type": "array", "items": {"oneOf": self._commands(info, node, creating)}, "minItems": 1}
        forms: list[Schema] = [{**commands, "title": "commands"}]
        if self._may_take_away(info, node):
            as_read = {"type": "object", "properties": {"id": record_id}, "required": ["id"]}
            forms += [
                {"type": "array", "items": record_id, "title": "ids: these and no others"},
                {"type": "array", "items": as_read, "minItems": 1, "title": "as they are read"},
                {"enum": [None, ""]},
            ]
        return {"anyOf": forms}

    def _commands(self, info: FieldInfo, node: Node, creating: bool) -> list[Schema]:
        """Return the schemas of those of Odoo's commands that the definition allows here."""
        record_id = self._records.id(info.relation or "")
        found = [_command(4, "link", [record_id])]
        if self._may_take_away(info, node):
            listed = {"type": "array", "items": record_id}
            found += [_command(5, "unlink all", []), _command(6, "replace", [_ANY, listed], least=3)]
            found += [] if creating else [_command(3, "unlink", [record_id])]
        if info.name in node.related and not is_read_only_model(info.relation or ""):
            below = node.target(info.name)
            found.append(_command(0, "create", [_ANY, self._line(below, creating=True)], least=3))
            if not creating:
                found.append(_command(1, "update", [record_id, self._line(below, creating=False)], least=3))
                found.append(_command(2, "delete", [record_id]))
        return found

    def _line(self, node: Node, *, creating: bool) -> Schema:
        infos = [
            info
            for name, info in node.fields.items()
            if info.writable and not is_rights_field(info.model, name) and info.type != "properties"
        ]
        return _closed({info.name: described(self._value(info, node, creating), info) for info in infos}, [])

    @staticmethod
    def _may_take_away(info: FieldInfo, node: Node) -> bool:
        return info.name in node.related or not info.owns_lines


def _closed(properties: dict[str, Schema], required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _command(code: int, title: str, parts: list[Schema], *, least: int | None = None) -> Schema:
    """Return the schema of ``[code, …]``; Odoo's own form has three parts, of which the last may mean nothing."""
    return {
        "type": "array",
        "title": title,
        "prefixItems": [{"const": code}, *parts],
        "minItems": least or 1 + len(parts),
        "maxItems": 3,
    }


def _unless_required(info: FieldInfo, forms: list[Schema]) -> Schema:
    """Return the schema of these forms, and of those of no value."""
    return {"anyOf": forms if info.required else [*forms, {"enum": [None, "", False]}]}


def _reference(info: FieldInfo) -> Schema:
    models = "|".join(value.replace(".", r"\.") for value, _ in info.selection)
    return {"type": "string", "pattern": f"^({models}),[A-Za-z0-9]+$"}


def _scalar(info: FieldInfo) -> Schema:
    if info.type == "boolean":
        return {"type": "boolean"}
    if info.type == "integer":
        return {"type": ["integer", "null"], "format": "int32", **_INT4}
    if info.type in ("float", "monetary"):
        return {"type": ["number", "null"], **_NUMBER}
    if info.type not in (*_TEXTS, *_FORMATS, "binary", "selection"):
        return _ANY  # json; what other addons bring along is checked by a call alone
    kind: Any = "string" if info.required else ["string", "null"]
    if info.type in _TEXTS:
        length = {"maxLength": info.size} if info.size else {}
        return {"type": kind, **({"minLength": 1} if info.required else {}), **length}
    if info.type == "binary":
        return {"type": kind, "format": "byte", "contentEncoding": "base64"}
    if info.type == "selection":
        values = [value for value, _ in info.selection]
        return {"type": kind, "enum": values if info.required else [*values, "", None]}
    filled = {"type": "string", "format": _FORMATS[info.type]}
    return filled if info.required else {"anyOf": [filled, {"enum": ["", None]}]}


_PROPERTIES: Schema = {
    "anyOf": [
        {"type": "object", "title": "names and values"},
        {
            "type": "array",
            "title": "as they are read",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "value": {}},
                "required": ["name", "value"],
            },
        },
        {"enum": [None, ""]},
    ]
}
