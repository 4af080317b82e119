"""The operations of an API of type rest: contract section 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from app.definitions.definition import Definition, Endpoint, Exposure, Node
from app.openapi import examples, parts
from app.openapi.inputs import InputSchemas
from app.openapi.parts import Json
from app.openapi.schemas import Components, RecordSchemas, Schema, id_of

_CONTEXT = ("Accept-Language", "X-Timezone")
#: What a filter is, for the description of ``domain``.
_DOMAIN = (
    'A filter in Odoo\'s own form, as JSON or Python literal, for example `[["id", ">", 0]]`; all operators of Odoo, '
    "and `&`, `|`, `!` before the conditions. It can name `id`"
)
#: What an answer to a write says, beside the id, of a record that the caller can't see any more.
_HANDED_OVER: Schema = {
    "type": "boolean",
    "const": False,
    "description": "Only where the caller may no longer see the record, by access rights or record rules: it was "
    "written, and nothing of it but its id is shown.",
}


class RestOperations:
    """Describes the endpoints of one API: summary, parameters, body, result and example."""

    def __init__(self, definition: Definition, components: Components, name: str) -> None:
        self._definition = definition
        self._document = definition.document
        self._components = components
        self._name = name
        self._records = RecordSchemas(definition, components)
        self._views: dict[str, Callable[[Exposure], Json]] = {
            "rest.search": self._search,
            "rest.read": self._read,
            "rest.read_many": self._read_many,
            "rest.create": self._create,
            "rest.update": self._update,
            "rest.update_many": self._update_many,
            "rest.delete": self._delete,
            "rest.delete_many": self._delete_many,
        }

    def operation(self, endpoint: Endpoint) -> Json:
        """Return what is special about an endpoint."""
        # The compiler gives every REST endpoint of an API without problems an exposure.
        exposure = cast(Exposure, endpoint.exposure)
        described = self._views[endpoint.view](exposure)
        one = "<public_id>" in endpoint.path
        record_id = parts.parameter("id", "path", self._id(exposure), "The record.", required=True)
        company = id_of(self._definition, self._components, "res.company")
        described["parameters"] = [
            *([record_id] if one else []),
            *described["parameters"],
            *parts.parameters(*described.get("conditions", ()), *_CONTEXT),
            parts.parameter("X-Company-Id", "header", company, "The company to work in, one of the user's."),
        ]
        return described

    def _search(self, exposure: Exposure) -> Json:
        node = exposure.searchable
        names = ", ".join(f"`{name}`" for name in node.fields)
        result: Schema = {
            "type": "object",
            "properties": {
                "length": {"type": ["integer", "null"], "description": "How many records match, whatever the limit."},
                "has_more": {"type": "boolean", "description": "With count=none: whether more records follow."},
                "records": {"type": "array", "items": self._record(exposure, node)},
            },
            "required": ["length", "records"],
            "additionalProperties": False,
        }
        limit = {"type": "integer", "minimum": 0, "maximum": self._document.max_page_size}
        return {
            "summary": f"Search {exposure.node.model.label}",
            "description": "The parameters may also stand in the body of the GET, form-encoded or as a JSON object.",
            "parameters": [
                parts.parameter(
                    "domain",
                    "query",
                    {"type": "string", "format": "domain", "default": "[]"},
                    f"{_DOMAIN}, {names}, and paths through relations whose fields are shown.",
                    example='[["id", ">", 0]]',
                ),
                self._fields(node),
                parts.parameter(
                    "limit", "query", {**limit, "default": self._document.page_size}, "The most records to return."
                ),
                *parts.parameters("offset"),
                parts.parameter(
                    "order",
                    "query",
                    {"type": "string", "format": "order"},
                    "Fields to sort by, for example `name desc, id`; without it, the model's own order.",
                    example="id",
                ),
                *parts.parameters("count"),
            ],
            "result": result,
            "headers": ["Link"],
            "example": {"length": 1, "records": [examples.record(self._definition, node)]},
        }

    def _read(self, exposure: Exposure) -> Json:
        return {
            "summary": f"Read a record of {exposure.node.model.label}",
            "parameters": [self._fields(exposure.node)],
            "conditions": ["If-None-Match"],
            "headers": ["ETag"],
            "result": self._record(exposure, exposure.node),
            "example": examples.record(self._definition, exposure.node),
        }

    def _read_many(self, exposure: Exposure) -> Json:
        ids = parts.listed("ids", self._id(exposure), "The records.", maxItems=self._document.max_bulk)
        return {
            "summary": f"Read several records of {exposure.node.model.label}",
            "description": "In the order of the ids.",
            "parameters": [{**ids, "required": True}, *parts.parameters("atomic"), self._fields(exposure.node)],
            "result": self._items(self._record(exposure, exposure.node)),
            "example": [examples.record(self._definition, exposure.node)],
        }

    def _create(self, exposure: Exposure) -> Json:
        one = self._input(exposure, "create", InputSchemas(self._records, exposure).create())
        example = examples.values(self._definition, exposure)
        shown = self._shown(exposure)
        described: Json = {
            "summary": f"Create a record of {exposure.node.model.label}",
            "parameters": [self._fields(shown)],
            "conditions": ["Idempotency-Key"],
            "body": _body({"one": (one, example)}),
            "result": self._written(exposure, shown),
            "example": examples.record(self._definition, shown),
        }
        if self._document.bulk:
            several = {"type": "array", "items": one, "maxItems": self._document.max_bulk}
            described |= {
                "summary": f"Create records of {exposure.node.model.label}",
                "description": "An object makes one record and answers with it, an array several.",
                "parameters": [*parts.parameters("atomic"), *described["parameters"]],
                "body": _body({"one": (one, example), "several": (several, [example])}),
                "result": {"anyOf": [described["result"], self._items(described["result"])]},
            }
        return described

    def _update(self, exposure: Exposure) -> Json:
        values = self._input(exposure, "update", InputSchemas(self._records, exposure).update())
        shown = self._shown(exposure)
        return {
            "summary": f"Update a record of {exposure.node.model.label}",
            "parameters": [self._fields(shown)],
            "conditions": ["If-Match"],
            "headers": ["ETag"],
            "body": _body({"one": (values, examples.values(self._definition, exposure, creating=False))}),
            "result": self._written(exposure, shown),
            "example": examples.record(self._definition, shown),
        }

    def _update_many(self, exposure: Exposure) -> Json:
        schema = self._input(exposure, "update_many", InputSchemas(self._records, exposure).update_many())
        values = examples.values(self._definition, exposure, creating=False)
        record_id = examples.record_id(self._definition, exposure.name)
        shown = self._shown(exposure)
        return {
            "summary": f"Update several records of {exposure.node.model.label}",
            "description": "An array writes own values to each record, an object common values to all.",
            "parameters": [*parts.parameters("atomic"), self._fields(shown)],
            "body": _body(
                {"own": (schema, [{"id": record_id, **values}]), "common": (schema, {"ids": [record_id], **values})}
            ),
            "result": self._items(self._written(exposure, shown)),
            "example": [examples.record(self._definition, shown)],
        }

    def _delete(self, exposure: Exposure) -> Json:
        return {
            "summary": f"Delete a record of {exposure.node.model.label}",
            "parameters": [],
            "conditions": ["If-Match"],
            "result": {"type": "array", "items": self._id(exposure)},
            "example": [examples.record_id(self._definition, exposure.name)],
        }

    def _delete_many(self, exposure: Exposure) -> Json:
        schema = InputSchemas(self._records, exposure).delete_many()
        ids = [examples.record_id(self._definition, exposure.name)]
        return {
            "summary": f"Delete several records of {exposure.node.model.label}",
            "parameters": parts.parameters("atomic"),
            "body": _body({"ids": (schema, ids), "object": (schema, {"ids": ids})}),
            "result": self._items(self._id(exposure)),
            "example": ids,
        }

    def _id(self, exposure: Exposure) -> Schema:
        return self._records.id(exposure.name)

    def _shown(self, exposure: Exposure) -> Node:
        return self._definition.shown(exposure)

    def _fields(self, node: Node) -> Json:
        return parts.listed("fields", {"type": "string", "enum": ["id", *node.fields]}, "Show these fields alone.")

    def _record(self, exposure: Exposure, node: Node) -> Schema:
        kind = "record" if node is exposure.node else "found"
        return self._components.add(f"{self._name}.{exposure.name}.{kind}", self._records.record(node))

    def _written(self, exposure: Exposure, node: Node) -> Schema:
        """Return the schema of a record that was just written: what it shows, or that its writer handed it over."""
        record = self._records.record(node)
        properties = {"visible": _HANDED_OVER, **record["properties"]}
        return self._components.add(f"{self._name}.{exposure.name}.written", {**record, "properties": properties})

    def _input(self, exposure: Exposure, kind: str, schema: Schema) -> Schema:
        return self._components.add(f"{self._name}.{exposure.name}.{kind}", schema)

    @staticmethod
    def _items(item: Schema) -> Schema:
        """Return the schema of what a bulk call answers: the items, or with ``atomic=false`` an answer for each."""
        answer: Schema = {
            "type": "object",
            "properties": {
                "index": {"type": "integer"},
                "status": {"type": "integer"},
                "result": item,
                "error": {"$ref": "#/components/schemas/Error"},
            },
            "required": ["index", "status"],
            "additionalProperties": False,
        }
        return {
            "anyOf": [
                {"type": "array", "items": item},
                {"type": "array", "items": answer, "title": "with atomic=false"},
            ]
        }


def _body(forms: dict[str, tuple[Schema, Any]]) -> Json:
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
