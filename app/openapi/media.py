"""The addresses of images and other binaries, for APIs that give them in place of the content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.definitions.definition import Definition, Node
from app.definitions.scopes import Scope
from app.openapi import parameters, parts
from app.openapi.components import Components
from app.openapi.parts import Json
from app.openapi.schemas import choice, id_of

_BYTES: Json = {"schema": {"type": "string", "format": "binary"}}
_CONTENT: dict[bool, Json] = {
    True: {"image/*": _BYTES, "application/octet-stream": _BYTES},
    False: {"application/octet-stream": _BYTES, "*/*": _BYTES},
}


def paths(definition: Definition, components: Components, name: str) -> dict[str, Json]:
    """Return the path items of an API: one for each model that shows images, and one for other binaries."""
    if definition.document.type != "rest" or definition.document.binary != "url":
        return {}
    found: dict[tuple[str, bool], list[str]] = {}
    for exposure in definition.exposures.values():
        if exposure.switches.isdisjoint(("read", "search")):
            continue
        for model, field, image in _fields(exposure.shown):
            known = found.setdefault((model, image), [])
            if field not in known:
                known.append(field)
    described = {}
    for (model, image), fields in found.items():
        kind = "image" if image else "binary"
        record_id = parameters.parameter(
            "id", "path", id_of(definition, components, model), "The record.", required=True
        )
        which = parameters.parameter("field", "path", choice(fields), "The field.", required=True)
        described[f"/api/{kind}/{definition.id}/{model}/{{id}}/{{field}}"] = {
            "get": {
                "operationId": f"{name}_{model.replace('.', '_')}_{kind}",
                "tags": [definition.name],
                "summary": f"Get {'an image' if image else 'the content of a field'} of {model}",
                "description": "Its type is read from the content.",
                "parameters": [record_id, which, *parameters.shared("If-None-Match")],
                **({"deprecated": True} if definition.document.deprecated else {}),
                "responses": _responses(definition, components, image),
                "security": [] if definition.document.authentication == "public" else parts.security((Scope.READ,)),
            }
        }
    return described


def _fields(node: Node) -> Iterator[tuple[str, str, bool]]:
    """Yield model, name and kind of each binary that is shown, of related records too (see ``operations.content``)."""
    for name, info in node.fields.items():
        if info.type == "binary":
            yield node.model.name, name, info.image
    for name, below in node.related.items():
        if node.fields[name].searchable:
            yield from _fields(below)


def _responses(definition: Definition, components: Components, image: bool) -> dict[str, Any]:
    test_mode = ["X-Test-Mode"] if definition.document.keeps_nothing else []
    marks = ["X-Request-ID", *test_mode, *parts.dated(definition.document)]
    good = {"headers": parts.headers(*marks, "ETag"), "content": _CONTENT[image]}
    found: dict[str, Any] = {
        "200": {"description": "The content.", **good},
        "206": {"description": "A part of it, for a Range.", **good},
        "304": {"description": "Not modified.", "headers": parts.headers(*marks, "ETag")},
    }
    for status in (400, 401, 403, 404, 414, 416, 429, 500, 503):
        found[str(status)] = parts.fail(components, status, marks)
    return found
