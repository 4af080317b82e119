"""The batch of calls: contract section 9."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.openapi import examples, parameters, parts
from app.openapi.components import Components, Schema, reference
from app.openapi.parts import Json
from app.operations.actions import CREATE, READ
from app.operations.endpoints import Endpoint
from app.policy.batch import HEADERS, METHODS, REF

_STEP: Schema = {
    "type": "object",
    "properties": {
        "ref": {
            "type": "string",
            "pattern": f"^{REF}$",
            "description": "Later steps name the record of this one by it: `@{ref.id}` where an id stands.",
        },
        "method": {"type": "string", "enum": list(METHODS)},
        "path": {
            "type": "string",
            "pattern": "^/api/",
            "description": "The path of an operation of this document, with its query string.",
        },
        "body": {"description": "What the operation takes as JSON."},
        "headers": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in HEADERS},
            "additionalProperties": False,
        },
    },
    "required": ["method", "path"],
    "additionalProperties": False,
}
#: What any step may end with.
_FAILURES = (400, 401, 403, 404, 405, 409, 412, 413, 414, 415, 422, 429, 500, 503)
TAG: Json = {"name": "Batch", "description": "Several calls at once."}
_ANSWER: Schema = {
    "type": "object",
    "properties": {
        "ref": {"type": ["string", "null"]},
        "status": {"type": "integer", "description": "What a call for this step alone would have."},
        "result": {"description": "What the operation answers."},
        "error": reference("CallError"),
    },
    "required": ["ref", "status"],
    "additionalProperties": False,
}
_TEXT = """\
The steps are made one after the other, each as a call of its own: with authentication, scopes, limits and log. An \
atomic batch, which is the default, is one transaction of one Odoo user: it is kept as a whole, or a step's error \
becomes its answer, with `data.step`, and nothing is kept. Otherwise each step stands for itself. Text that begins \
with `@{` is written `@@{`."""


def paths(components: Components, endpoints: Sequence[Endpoint]) -> dict[str, Json]:
    """Return the path item of batches; none where no endpoint can be a step."""
    if not any(endpoint.action.kind != "key_authentication" for endpoint in endpoints):
        return {}
    steps: Schema = {"type": "array", "items": components.add("BatchStep", _STEP), "minItems": 1}
    request: Schema = {
        "type": "object",
        "properties": {"atomic": {"type": "boolean", "default": True}, "steps": steps},
        "required": ["steps"],
        "additionalProperties": False,
    }
    content: Json = {"schema": components.add("Batch", request)}
    example = next(_examples(endpoints), None)
    if example is not None:
        content["example"] = example
    result: Schema = {"type": "array", "items": components.add("BatchStepAnswer", _ANSWER)}
    answer = components.add("BatchAnswer", parts.answer(result, may_fail=False))
    good = {
        "description": "An answer for each step, in their order.",
        "headers": parts.headers("X-Request-ID", "Preference-Applied"),
        "content": {"application/json": {"schema": answer}},
    }
    operation = {
        "operationId": "batch",
        "tags": [TAG["name"]],
        "summary": "Make several calls, all or none",
        "description": _TEXT,
        "parameters": parameters.shared("Idempotency-Key", "Prefer"),
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {"200": good} | {str(each): parts.fail(components, each, ["X-Request-ID"]) for each in _FAILURES},
        "security": [*parts.security(()), {}],
    }
    return {"/api/batch": {"post": operation}}


def _examples(endpoints: Sequence[Endpoint]) -> Iterator[Json]:
    """Yield batches that create a record and read it."""
    reads = {endpoint.base: endpoint for endpoint in endpoints if endpoint.action is READ}
    for endpoint in endpoints:
        if endpoint.action is CREATE and endpoint.exposure is not None and endpoint.base in reads:
            values = examples.values(endpoint.definition, endpoint.exposure)
            create = {"ref": "new", "method": "POST", "path": endpoint.path, "body": values}
            yield {"steps": [create, {"method": "GET", "path": reads[endpoint.base].path_with("@{new.id}")}]}
