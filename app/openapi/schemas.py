"""JSON Schemas of what records look like: as answers show them. What can be written is for ``inputs``.

They say what generators of clients can express: one type where one will do, ``items`` for every array, no titles (which
become names of classes), and a name for each object.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from app.definitions.definition import Definition, Node
from app.definitions.ids import MAX_ID, MIN_LENGTH
from app.openapi import examples
from app.openapi.components import Components, Schema, class_name
from odoo_bridge.types import FieldInfo

#: Selections with no more values than this are explained one by one.
_MAX_LABELS = 20
#: Choices with more values are plain text: nobody reads them, and each is a name in generated code.
MAX_ENUM = 50
#: Selections whose values come and go with what is installed.
_OPEN_SELECTIONS = {"lang": "en_US", "tz": "Europe/Berlin"}
_TEXTS = ("char", "text", "html", "reference")
_NUMBERS = ("float", "monetary")
_HASHID = f"[A-Za-z0-9]{{{MIN_LENGTH},32}}"
#: The forms of dates, for fields whose empty value is a text too.
_DAY = r"\d{4}-\d{2}-\d{2}"
_FORMATS: dict[str, tuple[str, str, str]] = {
    "date": ("date", _DAY, "2026-01-31"),
    "datetime": ("date-time", _DAY + r"T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})", "2026-01-31T08:00:00Z"),
}


def described(schema: Schema, info: FieldInfo) -> Schema:
    """Return the schema of a field with its label and help, and what each value of a selection is called."""
    texts = [f"{info.label}. {info.help}" if info.help else info.label]
    if info.type == "selection" and len(info.selection) <= _MAX_LABELS:
        texts.append(", ".join(f"{value}: {label}" for value, label in info.selection))
    return {**schema, "description": "\n\n".join(filter(None, texts))}


def kinds(kind: str, *, or_null: bool) -> Any:
    """Return the value of ``type``."""
    return [kind, "null"] if or_null else kind


def choice(values: Sequence[str], *, empty: bool = False, or_null: bool = False) -> Schema:
    """Return the schema of one of some texts; too many, or ones that make no distinct names, are text with examples."""
    kind = kinds("string", or_null=or_null)
    names = {re.sub(r"[^a-z0-9]", "", value.lower()) or value for value in values}
    if len(values) > MAX_ENUM or len(names) < len(values):
        return {"type": kind, "examples": list(values[:3])}
    more: list[str | None] = [""] if empty and "" not in values else []
    return {"type": kind, "enum": [*values, *more, *([None] if or_null else [])]}


def selection(info: FieldInfo, *, empty: bool, or_null: bool) -> Schema:
    """Return the schema of a value of a selection."""
    if info.name in _OPEN_SELECTIONS:
        return {"type": kinds("string", or_null=or_null), "examples": [_OPEN_SELECTIONS[info.name]]}
    return choice([value for value, _ in info.selection], empty=empty, or_null=or_null)


def moment(info: FieldInfo, *, empty: bool, or_null: bool) -> Schema:
    """Return the schema of a date or datetime; with ``empty``, or of an empty text: then its form is a pattern."""
    format_, pattern, example = _FORMATS[info.type]
    kind = kinds("string", or_null=or_null)
    if not empty:
        return {"type": kind, "format": format_}
    return {"type": kind, "format": f"optional-{format_}", "pattern": f"^({pattern})?$", "examples": [example]}


def pair(record_id: Schema, second: Schema) -> Schema:
    """Return the schema of ``[id, …]``, which is how a many2one is read. ``items`` is for who knows no prefixItems."""
    return {"type": "array", "prefixItems": [record_id, second], "items": {}, "maxItems": 2}


def id_of(definition: Definition, components: Components, model: str) -> Schema:
    """Return the schema of a model's ids, in the API's own form."""
    example = {"description": f"Id of a record of {model}.", "examples": [examples.record_id(definition, model)]}
    name = class_name(model, "id" if definition.ids.obfuscated else "number")
    return components.add(name, {**plain_id(definition, model), **example})


def plain_id(definition: Definition, model: str, *, empty: bool = False) -> Schema:
    """Return the schema of a model's ids, or with ``empty`` of no id either.

    Format and ``x-model`` name the model, so that programs can tell whose ids fit where.
    """
    if definition.ids.obfuscated:
        pattern = f"^({_HASHID})?$" if empty else f"^{_HASHID}$"
        return {
            "type": kinds("string", or_null=empty),
            "format": f"{model}-id",
            "pattern": pattern,
            "x-model": model,
        }
    number = {"format": "int32", "minimum": 1, "maximum": MAX_ID}
    return {"type": kinds("integer", or_null=empty), **number, "x-model": model}


class RecordSchemas:
    """The schemas of the records of one API."""

    def __init__(self, definition: Definition, components: Components, name: str) -> None:
        """``name`` stands in front of the names of schemas."""
        self.definition = definition
        self.components = components
        self._name = name
        self._blank = definition.document.empty_values == "blank"

    def id(self, model: str) -> Schema:
        """Return the schema of a model's ids."""
        return id_of(self.definition, self.components, model)

    def optional_id(self, model: str) -> Schema:
        """Return the schema of an id that may be null or empty."""
        return plain_id(self.definition, model, empty=True)

    def record(self, node: Node, *path: str) -> Schema:
        """Return the schema of a record at a node; but for its id, ``fields`` and access rights may leave out all.

        ``path`` are names of fields: those that led to the node, after the model's own.
        """
        path = path or (node.model.name,)
        infos = {**node.fields, **node.on_request}
        shown = {name: described(self._shown(info, node, (*path, name)), info) for name, info in infos.items()}
        return {
            "type": "object",
            "properties": {"id": self.id(node.model.name), **shown},
            "required": ["id"],
            "additionalProperties": False,
        }

    def _related(self, node: Node, path: tuple[str, ...]) -> Schema:
        """Return the reference to what is shown of a related record."""
        model, *names = path
        several = len(self.definition.document.models) > 1
        words = [name.removesuffix("_ids").removesuffix("_id") for name in names]
        name = class_name(self._name, model if several else "", "related", *words)
        return self.components.add(name, self.record(node, *path))

    def _shown(self, info: FieldInfo, node: Node, path: tuple[str, ...]) -> Schema:
        related = self._related(node.related[info.name], path) if info.name in node.related else None
        if info.type == "many2one":
            shown = pair(self.id(info.relation or ""), related or {"type": "string"})
            return shown if self._blank else {**shown, "type": ["array", "null"], "minItems": 2}
        if info.to_many:
            return {"type": "array", "items": related or self.id(info.relation or "")}
        if info.type == "boolean":
            return {"type": "boolean"}
        if info.type == "integer":
            return {"type": "integer"}
        if info.type in _NUMBERS:
            return {"type": "number"}
        if info.type == "properties":
            return {"type": "array", "items": self.components.add("Property", _PROPERTY)}
        if info.type == "many2one_reference":
            names = ["string" if self.definition.ids.obfuscated else "integer", "string" if self._blank else "null"]
            return {"type": names[0] if names[0] == names[1] else names}
        return self._textual(info)

    def _textual(self, info: FieldInfo) -> Schema:
        """Return the schema of what is shown as text, with the form of the empty value."""
        kind = kinds("string", or_null=not self._blank)
        if info.type == "selection" and info.selection:
            return selection(info, empty=self._blank, or_null=not self._blank)
        if info.type in _FORMATS:
            return moment(info, empty=self._blank, or_null=not self._blank)
        if info.type == "binary":
            if self.definition.document.binary == "base64":
                return {"type": kind, "contentEncoding": "base64"}
            return {"type": kind, "format": "uri-reference"}
        # Any for json, and for types that other addons bring along.
        return {"type": kind} if info.type in (*_TEXTS, "selection") else {}


_PROPERTY: Schema = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "type": {"type": "string"}, "string": {"type": "string"}, "value": {}},
    "required": ["name", "type", "value"],
}
