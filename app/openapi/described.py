"""Base of an endpoint's description, and the registry of descriptions by action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.definitions.definition import Definition, Exposure, Node
from app.openapi import parameters
from app.openapi.components import Components, Schema, class_name, reference
from app.openapi.inputs import InputSchemas
from app.openapi.parts import Json
from app.openapi.schemas import RecordSchemas, choice, id_of
from app.operations.actions import Aspect
from app.operations.endpoints import Endpoint

#: What an answer to a write says, beside the id, of a record that the caller can't see any more.
_HANDED_OVER: Schema = {
    "type": "boolean",
    "description": "False, and only where the caller may no longer see the record, by access rights or record rules: "
    "it was written, and nothing of it but its id is shown.",
}


class Described:
    """One API as its document describes it: the schemas that its endpoints share."""

    def __init__(self, definition: Definition, components: Components, name: str) -> None:
        """``name`` stands in front of the names of schemas."""
        self.definition = definition
        self.document = definition.document
        self.components = components
        self.name = name
        self.records = RecordSchemas(definition, components, name)

    def id(self, exposure: Exposure) -> Schema:
        """Return the schema of the ids of a model."""
        return self.records.id(exposure.name)

    def fields(self, node: Node) -> Json:
        """Return the parameter ``fields``."""
        return parameters.listed("fields", choice(["id", *node.fields, *node.on_request]), "Show these fields alone.")

    def named(self, exposure: Exposure, kind: str) -> str:
        """Return the name of a schema of a model."""
        several = len(self.document.models) > 1
        return class_name(self.name, exposure.name if several else "", kind)

    def record(self, exposure: Exposure, node: Node) -> Schema:
        """Return the schema of a record that was read or found."""
        kind = "record" if node is exposure.node else "found"
        return self.components.add(self.named(exposure, kind), self.records.record(node))

    def written(self, exposure: Exposure, node: Node) -> Schema:
        """Return the schema of a record that was just written: what it shows, or that its writer handed it over."""
        record = self.records.record(node)
        properties = {"visible": _HANDED_OVER, **record["properties"]}
        return self.components.add(self.named(exposure, "written"), {**record, "properties": properties})

    def items(self, exposure: Exposure, kind: str, item: Schema, *, upserts: bool = False) -> Schema:
        """Return the schema of what a bulk call answers: the items, or with ``atomic=false`` an answer for each.

        What ``upserts`` answers for each in any case, and tells its outcome.

        Records and answers are one class, of which each has its part: unions in a list inside of a union, as a create
        has it, are lost on OpenAPI Generator's Python.
        """
        answer: Schema = {
            "index": {"type": "integer", "description": "With `atomic=false`: which of the items this is about."},
            "status": {"type": "integer", "description": "With `atomic=false`: what a call for it alone would have."},
            "result": item,
            "error": reference("CallError"),
        }
        if upserts:
            answer["outcome"] = {"enum": ["created", "updated"], "type": "string", "description": "With `on_conflict`."}
        closed: Schema = {"type": "object", "additionalProperties": False}
        record = self.components.resolve(item)
        if record.get("type") != "object":
            answered = {**closed, "properties": answer, "required": ["index", "status"]}
            own = self.components.add(self.named(exposure, f"{kind} item"), answered)
            return {"type": "array", "items": {"oneOf": [item, own]}}
        # A field may have such a name too.
        properties = {**answer, **record["properties"], **{name: {} for name in answer if name in record["properties"]}}
        both = self.components.add(self.named(exposure, f"{kind} item"), {**closed, "properties": properties})
        return {"type": "array", "items": both}

    def inputs(self, exposure: Exposure) -> InputSchemas:
        """Return the schemas of what can be written to a model."""
        return InputSchemas(self.records, exposure, self.named(exposure, ""))

    def context(self) -> list[Json]:
        """Return the headers that choose language, time zone and company."""
        company = id_of(self.definition, self.components, "res.company")
        return [
            *parameters.shared("Accept-Language", "X-Timezone"),
            parameters.parameter("X-Company-Id", "header", company, "The company to work in, one of the user's."),
        ]


@dataclass(frozen=True, slots=True)
class Description:
    """Description of an endpoint: what differs from all others.

    ``conditions`` are request headers by name, ``headers`` those of the answer; ``in_context`` says that language, time
    zone and company can be chosen. ``body`` is a Request Body Object, ``example`` one of the result.
    ``content`` is that of an answer that is no JSON in an envelope; ``creates`` says that 201 is as good as 200.
    """

    summary: str
    result: Schema
    text: str = ""
    parameters: tuple[Json, ...] = ()
    conditions: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    body: Json | None = None
    example: Any = None
    in_context: bool = True
    content: Json | None = None
    creates: bool = False


#: The description of each action: ``@describes(SEARCH)``.
describes: Aspect[Callable[[Described, Endpoint], Description]] = Aspect("describes")


def body(forms: dict[str, tuple[Schema, Any]]) -> Json:
    """Return the body that takes any of these forms, each with an example."""
    schemas = [schema for schema, _ in forms.values()]
    distinct = [schema for index, schema in enumerate(schemas) if schema not in schemas[:index]]
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": distinct[0] if len(distinct) == 1 else {"oneOf": distinct},
                "examples": {name: {"value": example} for name, (_, example) in forms.items()},
            }
        },
    }
