"""The Operation Objects of one API, one for each endpoint of its compiled definition."""

from __future__ import annotations

import re

from app.definitions.definition import Definition
from app.openapi import (  # noqa: F401  they describe the actions
    aggregate,
    delta,
    export,
    imports,
    login,
    parameters,
    parts,
    rest,
    rpc,
    upsert,
)
from app.openapi.components import Components, class_name
from app.openapi.described import Described, Description, describes
from app.openapi.parts import Json
from app.operations.actions import DELTA
from app.operations.endpoints import Endpoint

_LOCATION = parts.headers("Location")


def slug(definition: Definition) -> str:
    """Return a name for an API in identifiers: that of its route."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", definition.document.route.removeprefix("/api/")).strip("_")
    return name if name[:1].isalpha() else f"api_{name}"


class OperationObjects:
    """The operations of one API."""

    def __init__(self, definition: Definition, components: Components, name: str) -> None:
        """``name`` stands in front of the ids of operations and of the names of schemas."""
        self._definition = definition
        self._name = name
        self._components = components
        self._api = Described(definition, components, name)

    def operation(self, endpoint: Endpoint) -> Json:
        """Return the Operation Object of an endpoint."""
        own = describes[endpoint.action](self._api, endpoint)
        operation: Json = {
            "operationId": self._id(endpoint),
            "tags": [self._definition.document.name],
            "summary": own.summary,
        }
        if own.text:
            operation["description"] = own.text
        if self._definition.document.deprecated is not None:
            operation["deprecated"] = True
        if own.in_context:
            conditions = parameters.shared(*own.conditions, *(["Prefer"] if endpoint.action.may_write else []))
            operation["parameters"] = [*own.parameters, *conditions, *self._api.context()]
        if own.body is not None:
            operation["requestBody"] = own.body
        operation["responses"] = self._responses(endpoint, own)
        operation["security"] = self._security(endpoint)
        return operation

    def _id(self, endpoint: Endpoint) -> str:
        suffix = endpoint.action.name
        if endpoint.action.method is None and endpoint.method == "GET":
            suffix += "_by_get"
        several = len(self._definition.document.models) > 1 and endpoint.exposure
        model = [endpoint.exposure.name.replace(".", "_")] if several and endpoint.exposure else []
        key = [endpoint.key] if endpoint.key else []
        return "_".join([self._name, *model, suffix, *key])

    def _security(self, endpoint: Endpoint) -> list[Json]:
        if not endpoint.action.scopes or self._definition.document.authentication == "public":
            return []
        return parts.security(endpoint.action.scopes)

    def _responses(self, endpoint: Endpoint, own: Description) -> Json:
        document = self._definition.document
        marks = ["X-Request-ID"]
        if document.keeps_nothing:
            marks.append("X-Test-Mode")
        marks += parts.dated(document)
        dry = ["Preference-Applied"] if endpoint.action.may_write else []
        rate = parts.RATE if document.rate_limit else []
        may_fail = document.application_errors == 200 or document.type == "key_authentication"
        good: Json = {
            "description": "The result, or what Odoo's own rules said against it." if may_fail else "The result.",
            "headers": parts.headers(*marks, *dry, *rate, *own.headers),
            "content": own.content or self._enveloped(endpoint, own, may_fail=may_fail),
        }
        found: Json = {"200": good}
        if own.creates:
            found["201"] = {**good, "description": "The record, which is new.", "headers": good["headers"] | _LOCATION}
        if "If-None-Match" in own.conditions:
            found["304"] = {"description": "Not modified.", "headers": parts.headers(*marks, *rate, "ETag")}
        for status in self._statuses(endpoint, own):
            found[str(status)] = parts.fail(self._components, status, [*marks, *rate])
        return found

    def _enveloped(self, endpoint: Endpoint, own: Description, *, may_fail: bool) -> Json:
        """Return the content of an answer with a result, as nearly all are."""
        answer = parts.answer(own.result, may_fail=may_fail)
        content: Json = {"schema": self._components.add(class_name(self._id(endpoint), "answer"), answer)}
        if own.example is not None:
            content["example"] = parts.enveloped(own.example)
        return {"application/json": content}

    def _statuses(self, endpoint: Endpoint, own: Description) -> list[int]:
        document = self._definition.document
        found = {400, 403, 404, 409, 414, 500, 503}
        if document.authentication == "user" or self._definition.run_as is not None:
            found.add(401)
        if "If-Match" in own.conditions:
            found.add(412)
        if own.body is not None:
            found |= {413, 415}
        if endpoint.action is DELTA:
            found.add(410)
        if own.content is not None:
            found |= {429} if own.body else {406, 429}  # too_many_imports; not_acceptable, too_many_exports
        if document.application_errors == 422 or endpoint.method == "POST":
            found.add(422)
        if document.rate_limit or document.authentication == "user" or document.type == "key_authentication":
            found.add(429)
        if document.type == "key_authentication":
            found -= {401, 403, 404, 409, 422}
        return sorted(found)
