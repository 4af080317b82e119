"""JSON Schemas in a person's words: what the console says about parameters, fields and arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.json import dumps
from app.openapi.parts import Json

#: Most values that are told one by one.
_MOST_VALUES = 12


@dataclass(frozen=True, slots=True)
class Member:
    """One field or argument of a body. ``default`` is JSON, or nothing."""

    name: str
    kind: str
    required: bool
    default: str
    help: str


class Schemas:
    """Reads the schemas of one OpenAPI document."""

    def __init__(self, document: Json) -> None:
        self._document = document

    def resolve(self, node: Json) -> Json:
        """Return the target of a reference, or the node itself where it is none."""
        while "$ref" in node:
            found: Any = self._document
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def kind(self, schema: Json) -> str:
        """Say in a few words what a schema takes."""
        schema = self.resolve(schema)
        options = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        if options:
            kinds = [self.kind(option) for option in options if not self._is_empty(option)]
            return " or ".join(dict.fromkeys(filter(None, kinds))) or "any"
        if "x-model" in schema:
            return f"id of {schema['x-model']}"
        if "enum" in schema:
            values = [str(value) for value in schema["enum"] if value not in (None, "", False)]
            more = ", …" if len(values) > _MOST_VALUES else ""
            return f"one of: {', '.join(values[:_MOST_VALUES])}{more}"
        return self._plain(schema)

    def _plain(self, schema: Json) -> str:
        kind = schema.get("type", "any")
        if kind == "array":
            items = self.kind(schema["items"]) if "items" in schema else ""
            if items.startswith("one of:"):
                return f"some {items.removeprefix('one ')}"
            if items.startswith("id of "):
                return f"list of ids of {items.removeprefix('id of ')}"
            return f"list of {items}" if items not in ("", "any") else "list"
        name = " or ".join(each for each in kind if each != "null") if isinstance(kind, list) else str(kind)
        return str(schema.get("format", name)) if schema.get("format") in ("date", "date-time") else name

    def _is_empty(self, schema: Json) -> bool:
        """True if a form is only another way to write no value, or the way in which an answer shows the value."""
        schema = self.resolve(schema)
        nothing = {None, "", False}
        return (
            schema.get("type") == "null"
            or "prefixItems" in schema
            or ("enum" in schema and set(schema["enum"]) <= nothing)
        )

    def members(self, schema: Json) -> list[Member]:
        """Return the fields of the object that a body is, or that its items are."""
        found = self._object(schema)
        if found is None:
            return []
        required = set(found.get("required", ()))
        return [self._member(name, each, name in required) for name, each in found["properties"].items()]

    def _object(self, schema: Json) -> Json | None:
        schema = self.resolve(schema)
        if schema.get("properties"):
            return schema
        below = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
        if isinstance(schema.get("items"), dict):
            below.append(schema["items"])
        return next((found for found in map(self._object, below) if found is not None), None)

    def _member(self, name: str, schema: Json, required: bool) -> Member:
        default = schema.get("default")
        kind = self.kind(schema)
        if kind == "any" and default is not None:
            kind = _TYPES.get(type(default), "any")
        return Member(
            name=name,
            kind=kind,
            required=required,
            default="" if default is None else dumps(default).decode(),
            help=plain(schema.get("description")),
        )


_TYPES: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "list",
    tuple: "list",
    dict: "object",
}


def plain(text: Any) -> str:
    """Return a description without the marks of Markdown."""
    return str(text or "").replace("`", "")
