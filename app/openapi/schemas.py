"""JSON Schemas of what records look like: as answers show them. What can be written is for ``inputs``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.definitions.definition import Definition, Node
from app.definitions.ids import MAX_ID, MIN_LENGTH
from app.openapi import examples
from odoo_bridge.types import FieldInfo

Schema = dict[str, Any]

#: Selections with no more values than this are explained one by one.
_MAX_LABELS = 20
_TEXTS = ("char", "text", "html", "selection", "reference")
_NUMBERS = ("float", "monetary")
_HASHID = f"^[A-Za-z0-9]{{{MIN_LENGTH},32}}$"
_FORMATS = {"date": "date", "datetime": "date-time"}


@dataclass(slots=True)
class Components:
    """The named schemas of one document."""

    schemas: dict[str, Schema] = field(default_factory=dict)

    def add(self, key: str, schema: Schema) -> Schema:
        """Keep a schema under a name, and return the reference to it."""
        self.schemas[key] = schema
        return reference(key)


def reference(key: str) -> Schema:
    """Return the reference to a named schema."""
    return {"$ref": f"#/components/schemas/{key}"}


def described(schema: Schema, info: FieldInfo) -> Schema:
    """Return the schema of a field with its label and help, and what each value of a selection is called."""
    texts = [info.help] if info.help else []
    if info.type == "selection" and len(info.selection) <= _MAX_LABELS:
        texts.append(", ".join(f"{value}: {label}" for value, label in info.selection))
    return {**schema, "title": info.label, **({"description": "\n\n".join(texts)} if texts else {})}


def id_of(definition: Definition, components: Components, model: str) -> Schema:
    """Return the schema of a model's ids, in the API's own form.

    The format names the model, so that programs can tell whose ids fit where.
    """
    shown = {"title": f"id of {model}", "examples": [examples.record_id(definition, model)]}
    if definition.ids.obfuscated:
        return components.add(f"{model}.id", {"type": "string", "format": f"{model}-id", "pattern": _HASHID, **shown})
    number = {"type": "integer", "format": "int32", "minimum": 1, "maximum": MAX_ID}
    return components.add(f"{model}.number", {**number, **shown})


class RecordSchemas:
    """The schemas of the records of one API."""

    def __init__(self, definition: Definition, components: Components) -> None:
        self.definition = definition
        self._components = components
        self._blank = definition.document.empty_values == "blank"

    def id(self, model: str) -> Schema:
        """Return the schema of a model's ids."""
        return id_of(self.definition, self._components, model)

    def record(self, node: Node) -> Schema:
        """Return the schema of a record at a node; but for its id, ``fields`` and access rights may leave out all."""
        shown = {name: described(self._shown(info, node), info) for name, info in node.fields.items()}
        return {
            "type": "object",
            "properties": {"id": self.id(node.model.name), **shown},
            "required": ["id"],
            "additionalProperties": False,
        }

    def _shown(self, info: FieldInfo, node: Node) -> Schema:
        related = node.related.get(info.name)
        if info.type == "many2one":
            return self._many2one(info, related)
        if info.to_many:
            return {"type": "array", "items": self.record(related) if related else self.id(info.relation or "")}
        if info.type == "boolean":
            return {"type": "boolean"}
        if info.type == "integer":
            return {"type": "integer"}
        if info.type in _NUMBERS:
            return {"type": "number"}
        if info.type == "properties":
            return {"type": "array", "items": _PROPERTY}
        if info.type == "many2one_reference":
            kinds = ["string" if self.definition.ids.obfuscated else "integer", "string" if self._blank else "null"]
            return {"type": list(dict.fromkeys(kinds))}
        return self._textual(info)

    def _many2one(self, info: FieldInfo, related: Node | None) -> Schema:
        second = self.record(related) if related else {"type": "string", "title": "name"}
        pair = {"type": "array", "prefixItems": [self.id(info.relation or ""), second], "minItems": 2, "maxItems": 2}
        return {"anyOf": [pair, {"type": "array", "maxItems": 0} if self._blank else {"type": "null"}]}

    def _textual(self, info: FieldInfo) -> Schema:
        """Return the schema of what is shown as text, with the form of the empty value."""
        kind: Any = "string" if self._blank else ["string", "null"]
        if info.type == "selection" and info.selection:
            return {"type": kind, "enum": [*(value for value, _ in info.selection), "" if self._blank else None]}
        if info.type in _FORMATS:
            filled = {"type": "string", "format": _FORMATS[info.type]}
            return {"anyOf": [filled, {"type": "string", "const": ""} if self._blank else {"type": "null"}]}
        if info.type == "binary":
            if self.definition.document.binary == "base64":
                return {"type": kind, "contentEncoding": "base64"}
            return {"type": kind, "format": "uri-reference"}
        return {"type": kind} if info.type in _TEXTS else {}  # json, and types that other addons bring along


_PROPERTY: Schema = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "type": {"type": "string"}, "string": {"type": "string"}, "value": {}},
    "required": ["name", "type", "value"],
}
