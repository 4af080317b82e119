"""The operations of the published APIs, one for each endpoint of the compiled definitions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.definitions.definition import Definition, Endpoint
from app.openapi import login, parts
from app.openapi.parts import Json
from app.openapi.rest import RestOperations
from app.openapi.rpc import RpcOperations
from app.openapi.schemas import Components, Schema

#: The last part of an operation's id.
_VIEWS = {
    "rest.search": "search",
    "rest.read": "read",
    "rest.read_many": "read_many",
    "rest.create": "create",
    "rest.update": "update",
    "rest.update_many": "update_many",
    "rest.delete": "delete",
    "rest.delete_many": "delete_many",
    "rpc.call_model": "call",
    "rpc.call_record": "call_on_record",
    "rpc.call_many": "call_on_records",
    "session.authenticate_with_key": "log_in",
}


def path_of(endpoint: Endpoint) -> str:
    """Return the path as OpenAPI writes it."""
    return endpoint.path.replace("<public_id>", "{id}")


def slug(definition: Definition) -> str:
    """Return a name for an API in identifiers: that of its route."""
    return re.sub(r"[^A-Za-z0-9]+", "_", definition.document.route.removeprefix("/api/")).strip("_")


class Operations:
    """The operations of one API."""

    def __init__(self, definition: Definition, components: Components, name: str) -> None:
        """``name`` stands in front of the ids of operations and of the names of schemas."""
        self._definition = definition
        self._name = name
        self._rest = RestOperations(definition, components, name)
        self._rpc = RpcOperations(definition, components)

    def operation(self, endpoint: Endpoint) -> Json:
        """Return the Operation Object of an endpoint."""
        document = self._definition.document
        if document.type == "rest":
            own = self._rest.operation(endpoint)
        elif document.type == "rpc":
            own = self._rpc.operation(endpoint)
        else:
            own = login.WITH_KEY
        result: Schema = own["result"]
        operation: Json = {
            "operationId": self._id(endpoint),
            "tags": [document.name],
            "summary": own["summary"],
            **({"description": own["description"]} if own.get("description") else {}),
            "parameters": own["parameters"],
            **({"requestBody": own["body"]} if "body" in own else {}),
            "responses": self._responses(endpoint, result, own),
            "security": self._security(endpoint),
        }
        if document.type == "key_authentication":
            del operation["parameters"]
        return operation

    def _id(self, endpoint: Endpoint) -> str:
        suffix = _VIEWS[endpoint.view]
        if endpoint.method == "GET" and endpoint.view.startswith("rpc."):
            suffix += "_by_get"
        several = len(self._definition.document.models) > 1 and endpoint.exposure
        model = [endpoint.exposure.name.replace(".", "_")] if several and endpoint.exposure else []
        return "_".join([self._name, *model, suffix])

    def _security(self, endpoint: Endpoint) -> list[Json]:
        document = self._definition.document
        if document.type == "key_authentication" or document.authentication == "public":
            return []
        return parts.security(endpoint.operation.value)

    def _responses(self, endpoint: Endpoint, result: Schema, own: Mapping[str, Any]) -> Json:
        document = self._definition.document
        marks = ["X-Request-ID"]
        if document.mode == "test":
            marks.append("X-Test-Mode")
        rate = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"] if document.rate_limit else []
        answers = [parts.success(result)]
        if document.application_errors == 200 or document.type == "key_authentication":
            answers.append({"$ref": "#/components/schemas/Failure"})
        content: Json = {"schema": answers[0] if len(answers) == 1 else {"anyOf": answers}}
        if "example" in own:
            content["example"] = parts.enveloped(own["example"])
        good: Json = {
            "description": "The result."
            if len(answers) == 1
            else "The result, or what Odoo's own rules said against it.",
            "headers": parts.headers(*marks, *rate, *own.get("headers", ())),
            "content": {"application/json": content},
        }
        found: Json = {"200": good}
        if "If-None-Match" in own.get("conditions", ()):
            found["304"] = {"description": "Not modified.", "headers": parts.headers(*marks, *rate, "ETag")}
        for status in self._statuses(endpoint, own):
            found[str(status)] = parts.failure(status, [*marks, *rate])
        return found

    def _statuses(self, endpoint: Endpoint, own: Mapping[str, Any]) -> list[int]:
        document = self._definition.document
        found = {400, 403, 404, 409, 414, 500, 503}
        if document.authentication == "user" or self._definition.run_as is not None:
            found.add(401)
        if "If-Match" in own.get("conditions", ()):
            found.add(412)
        if "body" in own:
            found |= {413, 415}
        if document.application_errors == 422 or endpoint.method == "POST":
            found.add(422)
        if document.rate_limit or document.authentication == "user" or document.type == "key_authentication":
            found.add(429)
        if document.type == "key_authentication":
            found -= {401, 403, 404, 409, 422}
        return sorted(found)
