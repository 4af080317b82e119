"""Tools: endpoints of APIs as a model meets them, made of what the OpenAPI document says of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from app.definitions.definition import Node
from app.errors import BadRequest, NotFound
from app.literals import to_number
from app.mcp import naming
from app.mcp.offers import Offer, offers
from app.mcp.schemas import closed, standing_alone
from app.openapi import parameters, parts
from app.openapi.components import Components, Schema, class_name
from app.openapi.described import Described, Description, describes
from app.openapi.operations import slug
from app.operations.actions import AGGREGATE, CREATE, DELETE, DELETE_BY_KEY, SEARCH, UPDATE, UPSERT
from app.operations.endpoints import Endpoint
from app.policy.suggestions import unknown
from odoo_bridge.types import FieldInfo

#: The argument by which a model hands in the approval that it was given for a write, and how it is told.
APPROVAL = "approval"
#: Fields that a description lists, and values of a selection among them.
_MOST_FIELDS, _MOST_VALUES = 40, 12
#: Ids of records in the form that all have.
_ID = re.compile(r"[A-Za-z0-9]{1,100}")
#: Formats of text that are lists where JSON is at hand.
_LISTS = frozenset({"domain", "having"})


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """Request that a tool's call is; ``path`` is percent-encoded, ``body`` None where there is none."""

    method: str
    path: str
    query: str
    body: Any


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool. ``asks`` says what comes before it does something: "none", "ask" or "person"."""

    name: str
    endpoint: Endpoint
    offer: Offer
    title: str
    description: str
    input: Schema
    output: Schema
    asks: str

    @property
    def reads(self) -> bool:
        """True if it changes nothing."""
        return self.endpoint.action.reads or self.endpoint.method == "GET"

    def to_json(self) -> dict[str, Any]:
        """Return the tool as ``tools/list`` tells it (specification 2026-07-28: server/tools, "Tool")."""
        action = self.endpoint.action
        repeats = self.reads or action in (UPDATE, UPSERT, DELETE, DELETE_BY_KEY)
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input,
            "outputSchema": self.output,
            "annotations": {
                "title": self.title,
                "readOnlyHint": self.reads,
                # A method may do anything.
                "destructiveHint": not self.reads and action is not CREATE,
                "idempotentHint": repeats,
                "openWorldHint": False,
            },
        }

    def request(self, arguments: Mapping[str, Any]) -> ToolRequest:
        """Return the request of a call with these arguments; raises BadRequest for one that the tool has not.

        What they hold is for the endpoint to judge. A null is an argument that is left out, as models write them.
        """
        known = self.input["properties"]
        for name in arguments:
            if name not in known:
                message = f"{self.name} has no argument {name[:80]!r}."
                raise unknown(message, name, known, name="unknown_argument", parameter=name)
        given = {name: value for name, value in arguments.items() if value is not None and name != APPROVAL}
        self._limit(given)
        for name in self.input.get("required", ()):
            if name not in given:
                message = f"{self.name} needs the argument {name!r}."
                raise BadRequest(message, name="missing_argument", data={"parameter": name})
        if "id" in given and not _ID.fullmatch(str(given["id"])):
            raise NotFound(f"There is no record {str(given['id'])[:80]!r}.")
        public_id, value = (_segment(given.pop(name, "")) for name in ("id", "value"))
        path = self.endpoint.path_with(public_id, value)
        body = self._body(given)
        given |= self.offer.fixed
        if self.endpoint.method == "GET":
            return ToolRequest("GET", path, "", {**given, **(body or {})})
        pairs = {name: ",".join(map(str, item)) if isinstance(item, list) else item for name, item in given.items()}
        return ToolRequest(self.endpoint.method, path, urlencode(pairs), body)

    def _body(self, given: dict[str, Any]) -> Any:
        """Take the body out of the arguments; None where there is none. Raises BadRequest."""
        name = self.offer.body
        if not name:
            return None
        body = given.pop(name, {})
        if not isinstance(body, dict) and (name == "values" or self.endpoint.method == "GET"):
            raise BadRequest(
                f"{name} are an object: values by their names.", name="invalid_body", data={"parameter": name}
            )
        return body

    def _limit(self, given: dict[str, Any]) -> None:
        """Bound the rows that are asked for at once, also where they are written as text; raises BadRequest."""
        limit, ids = (self.input["properties"].get(name, {}) for name in ("limit", "ids"))
        if limit:
            given["limit"] = to_number(str(given.get("limit", limit["default"])))
            if given["limit"] is None or given["limit"] > limit["maximum"]:
                message = f"limit is a whole number, {limit['maximum']} at most: go on with offset."
                raise BadRequest(message, name="invalid_limit", data={"parameter": "limit"})
        if ids and "ids" in given:
            listed = given["ids"] if isinstance(given["ids"], list) else [given["ids"]]
            given["ids"] = [part for item in listed for part in str(item).split(",")]
            if len(given["ids"]) > ids["maxItems"]:
                message = f"ids are {ids['maxItems']} at most."
                raise BadRequest(message, name="too_many", data={"parameter": "ids"})


def tools(endpoints: Iterable[Endpoint], most_rows: int) -> list[Tool]:
    """Return the tools that these endpoints are, in an order that is always the same.

    ``most_rows`` are the records that an answer has at most.
    """
    listed = [endpoint for endpoint in endpoints if _is_offered(endpoint)]
    found = [_tool(name, each, most_rows) for name, each in zip(naming.names(listed), listed, strict=True)]
    return sorted(found, key=lambda tool: tool.name)


def _is_offered(endpoint: Endpoint) -> bool:
    """True for what its API has as a tool, if it is in service; a method that GET and POST call is one."""
    document = endpoint.definition.document
    if endpoint.definition.problems or endpoint.is_alternative or offers[endpoint.action] is None:
        return False
    if document.mcp is False:
        return False
    if endpoint.action.method is None and endpoint.method == "GET" and "POST" in document.http_methods:
        return False
    return document.mcp == "write" or endpoint.action.reads


def _tool(name: str, endpoint: Endpoint, most_rows: int) -> Tool:
    offer = offers[endpoint.action] or Offer()  # what is none is not offered
    definition, components = endpoint.definition, Components(dict(parts.SCHEMAS))
    api = Described(definition, components, class_name(slug(definition)))
    own = describes[endpoint.action](api, _as_tool(endpoint))
    properties, required = _arguments(own, offer, most_rows)
    asks = "none" if endpoint.action.reads or endpoint.method == "GET" else definition.document.mcp_approval
    if asks != "none":
        properties[APPROVAL] = {
            "type": "string",
            "description": "The approval that the call before has given; leave it out to be shown what would change.",
        }
    output = _result(own, offer, components)
    return Tool(
        name,
        endpoint,
        offer,
        title=own.summary,
        description=_text(endpoint, own, asks),
        input=standing_alone(closed(properties, required), components),
        output=standing_alone(_output(output, asks), components),
        asks=asks,
    )


def _as_tool(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint as tools have it: one record is created at a time, and by no key.

    The arguments of a method are an object, as in the body of a POST: one may be called as a parameter of ours is.
    """
    if endpoint.action.method is None and endpoint.method == "GET":
        return replace(endpoint, method="POST")
    if endpoint.action is not CREATE or endpoint.exposure is None:
        return endpoint
    switches = endpoint.exposure.switches - {"bulk_create"}
    return replace(endpoint, exposure=replace(endpoint.exposure, switches=switches, upsert_keys=()))


def _arguments(own: Description, offer: Offer, most_rows: int) -> tuple[dict[str, Schema], list[str]]:
    """Return the schemas of the arguments, and the names of those that are required."""
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for source in own.parameters:
        parameter = parameters.SHARED[source["$ref"].rpartition("/")[2]] if "$ref" in source else source
        if parameter["name"] in offer.leaves_out:
            continue
        properties[parameter["name"]] = _argument(parameter, most_rows)
        if parameter.get("required"):
            required.append(parameter["name"])
    if own.body is not None and offer.body:
        content = own.body["content"]["application/json"]
        forms = content["schema"].get("oneOf") or content["schema"].get("anyOf") or [content["schema"]]
        examples = [content["example"]] if "example" in content else []
        examples += [each["value"] for each in list(content.get("examples", {}).values())[:1]]
        properties[offer.body] = {**forms[0], "description": _BODIES[offer.body], "examples": examples}
        if own.body["required"]:
            required.append(offer.body)
    return properties, required


_BODIES = {"values": "The fields to write, by name.", "arguments": "The arguments of the method, by name."}


def _argument(parameter: parts.Json, most_rows: int) -> Schema:
    """Return the schema of a parameter as an argument, in JSON and not in text."""
    schema: Schema = {**parameter["schema"], "description": parameter["description"]}
    if schema.get("format") in _LISTS:
        schema = {"type": "array", "items": {}, "description": parameter["description"]}
    if parameter["name"] == "limit":  # of a search: those of methods are no parameters of ours
        schema["maximum"] = min(schema["maximum"], most_rows)
        schema["default"] = min(schema.get("default", most_rows), most_rows)
    if parameter["name"] == "ids":
        schema["maxItems"] = min(schema["maxItems"], most_rows)
    return schema


def _result(own: Description, offer: Offer, components: Components) -> Schema:
    """Return the schema of a result, which is an object."""
    return closed({offer.wraps: own.result}, [offer.wraps]) if offer.wraps else components.resolve(own.result)


def _output(result: Schema, asks: str) -> Schema:
    """Return the schema of what a tool tells: the result, what was left out of it, or what would change."""
    properties: dict[str, Schema] = {**_TOLD, **result["properties"]}
    if asks == "none":
        return {**result, "properties": properties}
    return {**result, "properties": {**_PREVIEWED, **properties}, "required": []}


_TOLD: dict[str, Schema] = {
    "left_out": {"type": "string", "description": "What the answer has no room for, and how to ask for less."},
}
_PREVIEWED: dict[str, Schema] = {
    "preview": {"type": "object", "description": "What would change: nothing has been done yet."},
    "next_step": {"type": "string", "description": "How the change is approved and made."},
    APPROVAL: {"type": "string", "description": "The approval for a call with the same arguments, good once."},
}


def _segment(value: Any) -> str:
    """Return a value as a segment of a path."""
    return quote(str(value), safe="")


def _text(endpoint: Endpoint, own: Description, asks: str) -> str:
    """Return a description for a model: what it does, with which API, by which fields, and what comes before."""
    document, exposure = endpoint.definition.document, endpoint.exposure
    told = [f"{own.summary} (API {endpoint.definition.name!r}).", own.text]
    if endpoint.action in (SEARCH, AGGREGATE) and exposure is not None:
        told.append(f"Fields to filter by: {_fields(exposure.searchable)}.")
    if asks == "ask":
        told.append("Nothing is done at first: it shows what would change, and asks for approval.")
    if asks == "person":
        told.append("Nothing is done at first: it shows what would change, and waits for a person to approve it.")
    if document.keeps_nothing:
        told.append("The API is in test mode: nothing of a call is kept.")
    return " ".join(filter(None, told))


def _fields(node: Node) -> str:
    named = [f"id, {_field(info)}" if not index else _field(info) for index, info in enumerate(node.fields.values())]
    return ", ".join(named[:_MOST_FIELDS]) + (", …" if len(named) > _MOST_FIELDS else "")


def _field(info: FieldInfo) -> str:
    """Return a field in a few words: ``state (selection Status: draft, done)``."""
    what = f"{info.type} {info.label}" if not info.relation else f"{info.type} {info.label} of {info.relation}"
    values = ", ".join(value for value, _ in info.selection[:_MOST_VALUES])
    return f"{info.name} ({what}: {values})" if values else f"{info.name} ({what})"
