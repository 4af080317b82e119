"""JSON Schemas that stand by themselves: what an OpenAPI document keeps in its components comes along in ``$defs``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.openapi.components import Components, Schema

_IN_DOCUMENT, _HERE = "#/components/schemas/", "#/$defs/"


def standing_alone(schema: Schema, components: Components) -> Schema:
    """Return a schema with all that it refers to, directly or by others."""
    found: dict[str, Schema] = {}
    waiting = sorted(_names(schema))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = components.schemas[name]
            waiting += _names(found[name])
    here: Schema = _moved(schema)
    return {**here, "$defs": {name: _moved(found[name]) for name in sorted(found)}} if found else here


def closed(properties: dict[str, Schema], required: list[str]) -> Schema:
    """Return the schema of an object with these properties and no others."""
    needed = {"required": required} if required else {}
    return {"type": "object", "properties": properties, **needed, "additionalProperties": False}


def _names(value: Any) -> Iterator[str]:
    """Yield the names of the components that a schema refers to."""
    if isinstance(value, dict):
        target = value.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(_IN_DOCUMENT)
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _names(item)


def _moved(value: Any) -> Any:
    """Return a schema whose references lead to where the components are now."""
    if isinstance(value, dict):
        return {
            key: item.replace(_IN_DOCUMENT, _HERE) if key == "$ref" and isinstance(item, str) else _moved(item)
            for key, item in value.items()
        }
    return [_moved(item) for item in value] if isinstance(value, list) else value
