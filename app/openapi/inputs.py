"""JSON Schemas of what a client may write: the rules of ``policy.values`` and ``scalars`` that a schema can say.

Whether an id names a record that the user can see, and whether a line belongs to the record, only a call can tell.
"""

from __future__ import annotations

from app.definitions.definition import Exposure, Node
from app.definitions.secrets import is_read_only_model, is_rights_field
from app.openapi.components import Schema, class_name
from app.openapi.schemas import RecordSchemas, described, kinds, moment, pair, selection
from odoo_bridge.types import FieldInfo

_INT4 = {"minimum": -(2**31), "maximum": 2**31 - 1}
_NUMBER = {"exclusiveMinimum": -1e15, "exclusiveMaximum": 1e15}
_TEXTS = ("char", "text", "html")
_DATES = ("date", "datetime")
_ANY: Schema = {}


class InputSchemas:
    """The schemas of bodies for one exposed model."""

    def __init__(self, records: RecordSchemas, exposure: Exposure, name: str) -> None:
        """``name`` stands in front of the names of schemas."""
        self._records = records
        self._exposure = exposure
        self._name = name
        self._document = records.definition.document

    def create(self) -> Schema:
        """Return the schema of a record to create."""
        infos = self._writable()
        required = [info.name for info in infos if info.must_be_given]
        return self._object("create", self._new(infos), required)

    def save(self, key: str) -> Schema:
        """Return the schema of a record to create or update by a key: what a new one needs, one that is there has."""
        infos = [info for info in self._writable() if info.name != key]
        return self._object(f"save by {key}", self._fields(infos, creating=True), [])

    def create_many(self) -> Schema:
        """Return the schema of several records to create.

        Their class is one of its own: OpenAPI Generator's TypeScript does not compile where a body is one or a list of
        the same class.
        """
        infos = self._writable()
        required = [info.name for info in infos if info.must_be_given]
        item = self._object("create item", self._new(infos), required)
        return {"type": "array", "items": item, "maxItems": self._document.max_bulk}

    def update(self) -> Schema:
        """Return the schema of values to write to one record."""
        return self._object("update", self._fields(self._writable(), creating=False), [])

    def update_many(self) -> Schema:
        """Return the schema of own values for several records, or common values for all of them."""
        infos = self._writable()
        record_id = self._records.id(self._exposure.name)
        own = self._object("update own", {"id": record_id, **self._fields(infos, creating=False)}, ["id"])
        single = [info for info in infos if info.type != "properties"]  # these are written record by record
        common = {"ids": self.ids(), **self._fields(single, creating=False)}
        listed = {"type": "array", "items": own, "maxItems": self._document.max_bulk}
        return {"oneOf": [listed, self._object("update common", common, ["ids"])]}

    def delete_many(self) -> Schema:
        """Return the schema of the ids of records to delete."""
        return {"oneOf": [self.ids(), self._object("ids", {"ids": self.ids()}, ["ids"])]}

    def ids(self) -> Schema:
        """Return the schema of a list of ids, each named once."""
        item = self._records.id(self._exposure.name)
        return {"type": "array", "items": item, "maxItems": self._document.max_bulk}

    def _writable(self) -> list[FieldInfo]:
        exposure = self._exposure
        return [info for name, info in exposure.node.fields.items() if name in exposure.writable_fields]

    def _new(self, infos: list[FieldInfo]) -> dict[str, Schema]:
        """Return the schemas of what a record can be created with; its external id goes with ``on_conflict``."""
        fields, asked = self._fields(infos, creating=True), self._exposure.node.on_request
        text: Schema = {"type": "string", "minLength": 1}
        return fields | {name: described(text, info) for name, info in asked.items()}

    def _fields(self, infos: list[FieldInfo], *, creating: bool) -> dict[str, Schema]:
        node = self._exposure.node
        return {info.name: described(self._value(info, node, creating), info) for info in infos}

    def _object(self, kind: str, properties: dict[str, Schema], required: list[str]) -> Schema:
        """Keep the schema of an object with these properties alone, and return the reference to it."""
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        name = class_name(self._name, kind)
        return self._records.components.add(name, {**schema, "required": required} if required else schema)

    def _value(self, info: FieldInfo, node: Node, creating: bool) -> Schema:
        if info.type == "many2one":
            return self._many2one(info)
        if info.to_many:
            return self._many(info, node, creating)
        if info.type == "properties":
            return _PROPERTIES
        if info.type == "reference":
            return _reference(info)
        if info.type == "many2one_reference":
            kind = "string" if self._records.definition.ids.obfuscated else "integer"
            return {"type": kinds(kind, or_null=not info.required), "$comment": f"with {info.model_field}"}
        return _scalar(info)

    def _many2one(self, info: FieldInfo) -> Schema:
        model = info.relation or ""
        as_read = pair(self._records.id(model), {})
        if info.required:
            return {"oneOf": [self._records.id(model), {**as_read, "minItems": 2}]}
        return {"oneOf": [self._records.optional_id(model), as_read]}

    def _many(self, info: FieldInfo, node: Node, creating: bool) -> Schema:
        record_id = self._records.id(info.relation or "")
        forms = self._commands(info, node, creating)
        if not self._may_take_away(info, node):
            return {"type": "array", "items": _one_of(forms), "minItems": 1}
        as_read = {"type": "object", "properties": {"id": record_id}, "required": ["id"]}
        name = class_name(
            info.relation or "", "as read" if self._records.definition.ids.obfuscated else "number as read"
        )
        forms = [record_id, self._records.components.add(name, as_read), *forms]
        return {"type": ["array", "null"], "items": _one_of(forms)}

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
            found.append(_command(0, "create", [_ANY, self._line(info, below, creating=True)], least=3))
            if not creating:
                found.append(_command(1, "update", [record_id, self._line(info, below, creating=False)], least=3))
                found.append(_command(2, "delete", [record_id]))
        return found

    def _line(self, field: FieldInfo, node: Node, *, creating: bool) -> Schema:
        infos = [
            info
            for name, info in node.fields.items()
            if info.writable and not is_rights_field(info.model, name) and info.type != "properties"
        ]
        fields = {info.name: described(self._value(info, node, creating), info) for info in infos}
        return self._object(f"{'create' if creating else 'update'} {field.name.removesuffix('_ids')}", fields, [])

    @staticmethod
    def _may_take_away(info: FieldInfo, node: Node) -> bool:
        return info.name in node.related or not info.owns_lines


def _one_of(forms: list[Schema]) -> Schema:
    return forms[0] if len(forms) == 1 else {"oneOf": forms}


def _command(code: int, meaning: str, parts: list[Schema], *, least: int | None = None) -> Schema:
    """Return the schema of ``[code, …]``; Odoo's own form has three parts, of which the last may mean nothing."""
    return {
        "type": "array",
        "description": f"Command {code}: {meaning}.",
        "prefixItems": [{"type": "integer", "const": code}, *parts],
        "items": {},
        "minItems": least or 1 + len(parts),
        "maxItems": 3,
    }


def _reference(info: FieldInfo) -> Schema:
    models = "|".join(value.replace(".", r"\.") for value, _ in info.selection)
    filled = f"({models}),[A-Za-z0-9]+"
    pattern = f"^{filled}$" if info.required else f"^({filled})?$"
    return {"type": kinds("string", or_null=not info.required), "pattern": pattern}


def _scalar(info: FieldInfo) -> Schema:
    if info.type == "boolean":
        return {"type": "boolean"}
    if info.type == "integer":
        return {"type": ["integer", "null"], "format": "int32", **_INT4}
    if info.type in ("float", "monetary"):
        return {"type": ["number", "null"], **_NUMBER}
    if info.type in _DATES:
        return moment(info, empty=not info.required, or_null=not info.required)
    if info.type == "selection":
        return selection(info, empty=not info.required, or_null=not info.required)
    kind = kinds("string", or_null=not info.required)
    if info.type in _TEXTS:
        length = {"maxLength": info.size} if info.size else {}
        return {"type": kind, **({"minLength": 1} if info.required else {}), **length}
    if info.type == "binary":
        return {"type": kind, "format": "byte", "contentEncoding": "base64"}
    return _ANY  # json; what other addons bring along is checked by a call alone


_PROPERTIES: Schema = {
    "oneOf": [
        {"type": ["object", "null"], "description": "Names and values."},
        {
            "type": "array",
            "description": "As they are read.",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "value": {}},
                "required": ["name", "value"],
            },
        },
    ]
}
