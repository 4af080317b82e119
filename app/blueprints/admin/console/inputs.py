"""Inputs of an endpoint for the console's form, from its OpenAPI operation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.blueprints.admin.console.schema import Member, Schemas, plain
from app.blueprints.admin.console.targets import Target
from app.definitions.definition import Definition
from app.openapi.document import describe
from app.openapi.parts import Json

#: What most bodies are.
JSON = "application/json"
#: More values than these are typed and not chosen.
_MOST_OPTIONS = 20


@dataclass(frozen=True, slots=True)
class Input:
    """One parameter. ``place`` is path, query or header; ``placeholder`` what holds where nothing is given."""

    name: str
    place: str
    kind: str
    required: bool
    placeholder: str
    help: str
    options: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """The name of its field in the console's form."""
        return f"{self.place}-{self.name}"


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that an endpoint takes. ``examples`` are bodies by name, as text; empty where it takes no body.

    ``media_type`` is the type of a body.
    """

    summary: str
    description: str
    parameters: tuple[Input, ...]
    examples: Mapping[str, str] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    media_type: str = JSON

    @property
    def body_label(self) -> str:
        """The label of the body's field."""
        return f"Body ({'JSON' if self.media_type == JSON else self.media_type})"

    def at(self, place: str) -> list[Input]:
        """Return the parameters of the path, the query string or the headers."""
        return [parameter for parameter in self.parameters if parameter.place == place]


def inputs_of(target: Target) -> Inputs:
    """Return the inputs of an endpoint, as the document of its API describes them."""
    document = describe([target.endpoint])
    operation = document["paths"][target.path][target.endpoint.method.lower()]
    schemas = Schemas(document)
    content = operation.get("requestBody", {}).get("content", {})
    media_type = JSON if JSON in content else next(iter(content), JSON)
    body = content.get(media_type, {})
    return Inputs(
        summary=operation["summary"],
        description=plain(operation.get("description")),
        parameters=tuple(_input(schemas, each, target.definition) for each in operation.get("parameters", ())),
        examples=_examples(body, target.definition),
        members=tuple(schemas.members(body["schema"])) if body else (),
        media_type=media_type,
    )


def _input(schemas: Schemas, parameter: Json, definition: Definition) -> Input:
    found = schemas.resolve(parameter)
    schema = schemas.resolve(found["schema"])
    default = schema.get("default", _default_of_argument(definition, found["name"]))
    options = tuple(str(value) for value in schema.get("enum", ()))
    if schema.get("type") == "boolean":
        options = ("true", "false")
    kind = schemas.kind(schema) + (", separated by commas" if schema.get("type") == "array" else "")
    shown = default if default is not None else found.get("example", next(iter(schema.get("examples", ())), None))
    return Input(
        name=found["name"],
        place=found["in"],
        kind=kind if not options else "",
        required=bool(found.get("required")),
        placeholder="" if shown is None else shown if isinstance(shown, str) else json.dumps(shown),
        help=plain(found.get("description")),
        options=options if len(options) <= _MOST_OPTIONS else (),
    )


def _default_of_argument(definition: Definition, name: str) -> Any:
    parameters = definition.method.parameters if definition.method else ()
    return next((parameter.default for parameter in parameters if parameter.name == name), None)


def _examples(body: Json, definition: Definition) -> dict[str, str]:
    """Return the examples of a body; that of a method names also the arguments that have a default."""
    if not body:
        return {}
    if definition.method is not None:
        needed = dict(body["example"])
        given = {
            each.name: needed.get(each.name, each.default)
            for each in definition.method.parameters
            if each.keyword and (each.name in needed or each.default is not None)
        }
        return {"arguments": _pretty(given)}
    if isinstance(body.get("example"), str):
        return {"lines": body["example"].rstrip()}
    return {name: _pretty(example["value"]) for name, example in body.get("examples", {}).items()}


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
