"""Parts that all operations of a document share: envelopes, errors, headers and security schemes.

OpenAPI 3.1.0: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.definitions.document import ApiDocument
from app.definitions.scopes import Scope
from app.openapi.components import Components, Schema, reference

Json = dict[str, Any]

_ENVELOPE_ID: Schema = {
    "type": ["string", "number", "null"],
    "description": "The id of the request's envelope, else null.",
}
_RPC_ID: Schema = reference("EnvelopeId")

ERROR: Schema = {
    "type": "object",
    "properties": {
        "code": {"type": "integer", "description": "The HTTP status of this kind of error."},
        "message": {"type": "string"},
        "data": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "description": "Stable: branch on it."},
                "message": {"type": "string", "description": "The same as beside it, where clients of Odoo look."},
                "request_id": {"type": "string"},
                "field": {"type": "string"},
                "parameter": {"type": "string"},
                "argument": {"type": "string"},
                "index": {"type": "integer", "description": "The item at fault in a bulk call."},
                "step": {"type": "integer", "description": "The step at fault in a batch."},
                "ref": {"type": "string", "description": "Its name there."},
                "line": {"type": "integer", "description": "The line at fault in an import."},
                "reason": {
                    "type": "string",
                    "description": "Of a field that can't be written: `read_only` or `unknown`.",
                },
                "allowed": {"type": "array", "items": {"type": "string"}, "description": "Names that can stand there."},
                "served": {"type": "array", "items": {"type": "string"}, "description": "Routes, after a wrong path."},
            },
            "required": ["name", "message"],
        },
    },
    "required": ["code", "message", "data"],
    "additionalProperties": False,
}
_JSONRPC: Schema = {"type": "string", "const": "2.0"}
FAILURE: Schema = {
    "type": "object",
    "properties": {"jsonrpc": _JSONRPC, "id": _RPC_ID, "error": reference("CallError")},
    "required": ["jsonrpc", "id", "error"],
    "additionalProperties": False,
}
OAUTH2_ERROR: Schema = {
    "type": "object",
    "description": "RFC 6749 5.2",
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    "required": ["error"],
}
SCHEMAS: dict[str, Schema] = {
    "EnvelopeId": _ENVELOPE_ID,
    "CallError": ERROR,
    "Failure": FAILURE,
    "OAuth2Error": OAUTH2_ERROR,
}


class Failing(NamedTuple):
    """Kind of failure: its response in ``components``, the plainest ``data.name`` of it, and when it is answered."""

    response: str
    name: str
    when: str


#: Kinds of failures by status. Which of them a call can end with, ``openapi.operations`` says.
ERRORS: dict[int, Failing] = {
    400: Failing("BadRequest", "bad_request", "Malformed, unknown or not allowed input."),
    401: Failing("Unauthorized", "unauthorized", "No login, or one that has ended."),
    403: Failing(
        "Forbidden",
        "forbidden",
        "A scope is missing, Odoo's access rights say no, or a foreign page wrote with a cookie.",
    ),
    404: Failing(
        "NotFound",
        "not_found",
        "No such record, or one that the caller may not see; also where a record that the call needs has just gone.",
    ),
    405: Failing(
        "MethodNotAllowed", "method_not_allowed", "A step of the batch has a method that its path does not take."
    ),
    406: Failing("NotAcceptable", "not_acceptable", "There is no answer of a type that `Accept` names."),
    409: Failing("Conflict", "conflict", "Other calls changed the same record, also after several tries."),
    410: Failing("Gone", "delta_expired", "The token can't be gone on from: begin with a new pass, without token."),
    412: Failing("PreconditionFailed", "precondition_failed", "The record has changed since it was read."),
    413: Failing("PayloadTooLarge", "request_entity_too_large", "The body is too large."),
    414: Failing(
        "UriTooLong",
        "uri_too_long",
        "The address is longer than the server takes; parameters of a search may stand in the body.",
    ),
    415: Failing("UnsupportedMediaType", "unsupported_media_type", "The body is not JSON."),
    416: Failing("RequestedRangeNotSatisfiable", "requested_range_not_satisfiable", "There is no such part."),
    422: Failing(
        "Unprocessable",
        "odoo.exceptions.ValidationError",
        "Odoo's own rules said no, or the Idempotency-Key came with another body.",
    ),
    429: Failing("TooManyRequests", "rate_limit", "Too many calls, or too many wrong credentials."),
    500: Failing(
        "InternalError",
        "internal_error",
        "Something went wrong on the server; the request id helps to find out what.",
    ),
    503: Failing(
        "Unavailable",
        "database_unavailable",
        "The database is away, a statement took too long, or the API's definition no longer fits Odoo.",
    ),
}


def answer(result: Schema, *, may_fail: bool) -> Schema:
    """Return the schema of an answer with a result, or with ``may_fail`` with either a result or an error.

    That it is one of the two, the number of properties says: generators make a single class of that.
    """
    envelope = {"jsonrpc": _JSONRPC, "id": _RPC_ID, "result": result}
    schema: Schema = {"type": "object", "properties": envelope, "additionalProperties": False}
    if not may_fail:
        return {**schema, "required": [*envelope]}
    either = {"required": ["jsonrpc", "id"], "minProperties": 3, "maxProperties": 3}
    return {**schema, "properties": {**envelope, "error": reference("CallError")}, **either}


def enveloped(result: Any) -> Json:
    """Return an example of an answer."""
    return {"jsonrpc": "2.0", "id": None, "result": result}


def _header(description: str, schema: Schema, *, required: bool = False) -> Json:
    return {"description": description, "required": required, "schema": schema}


def _text(description: str) -> Json:
    return _header(description, {"type": "string"})


def _number(description: str) -> Json:
    return _header(description, {"type": "integer", "minimum": 0})


#: Headers of answers.
HEADERS: dict[str, Json] = {
    "X-Request-ID": _header("Names this request in the server's log.", {"type": "string"}, required=True),
    "X-Test-Mode": _header("Nothing of this call remains.", {"type": "string", "const": "true"}, required=True),
    "Preference-Applied": _header(
        "The call was a dry run: nothing of it was kept.", {"type": "string", "const": "tx=rollback"}
    ),
    "ETag": _text(
        "The version of the record, for If-Match and If-None-Match. Of a dry run the one before, and only then where a "
        "record is deleted, or a method called on it."
    ),
    "Location": _text("The path of the new record, where the API serves it."),
    "Link": _text('rel="next": the next page, where more records follow.'),
    "Retry-After": _number("Seconds to wait."),
    "Deprecation": _text("Since when this API is deprecated, or from when: `@` and seconds since 1970."),
    "Sunset": _text("From when this API may no longer be served."),
    "WWW-Authenticate": _text("How to authenticate."),
    "X-RateLimit-Limit": _number("Calls that are allowed in a window."),
    "X-RateLimit-Remaining": _number("Calls that are left in it."),
    "X-RateLimit-Reset": _number("Seconds until the next window."),
    "RateLimit": _text('The calls that are left, and in how many seconds there are new ones: `"default";r=99;t=60`.'),
    "RateLimit-Policy": _text('The calls that are allowed in a window, and its seconds: `"default";q=100;w=60`.'),
}

#: Those that say where the rate limit stands.
RATE = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit", "RateLimit-Policy"]


def headers(*names: str) -> Json:
    """Return references to headers of answers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def dated(document: ApiDocument) -> list[str]:
    """Return the headers that tell the dates of an API's end, where its definition has them."""
    dates = {"Deprecation": document.deprecated, "Sunset": document.sunset}
    return [name for name, day in dates.items() if day is not None]


def failure(status: int, marks: list[str], failing: Failing | None = None) -> Json:
    """Return the Response Object of an error; ``marks`` are the headers that every answer carries.

    ``failing`` is the kind of failure, where it is another one than the usual of its status.
    """
    failing = failing or ERRORS[status]
    more = {401: ["WWW-Authenticate"], 403: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
    if status == 414:  # before the request is read: no envelope, no id
        return {"description": ERRORS[status].when}
    return {
        "description": failing.when,
        "headers": headers(*marks, *more.get(status, [])),
        "content": {"application/json": {"schema": reference("Failure"), "example": _example(status, failing)}},
    }


def fail(components: Components, status: int, marks: list[str], failing: Failing | None = None) -> Json:
    """Keep the Response Object of an error, which many operations have, and return the reference to it."""
    return components.respond((failing or ERRORS[status]).response, failure(status, marks, failing))


def _example(status: int, failing: Failing) -> Json:
    _, name, when = failing
    data = {"name": name, "message": when, "request_id": "…"}
    return {"jsonrpc": "2.0", "id": None, "error": {"code": status, "message": when, "data": data}}


def security(scopes: Sequence[Scope]) -> list[Json]:
    """Return a call's security: any of the ways to authenticate, and the scopes of a client app's token."""
    return [{"session": []}, {"apiKey": []}, {"oauth2": [scope.value for scope in scopes]}]


def security_schemes(server: str) -> Json:
    """Return the ways to authenticate at a server: contract sections 4 and 5."""
    scopes = {scope.value: scope.meaning for scope in Scope}
    return {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "session_id",
            "description": "Odoo's session: log in with /web/session/authenticate, or in Odoo.",
        },
        "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key of an Odoo user, or a token."},
        "oauth2": {
            "type": "oauth2",
            "description": "The token of a client app.",
            "flows": {
                "clientCredentials": {"tokenUrl": f"{server}/api/oauth2/token", "scopes": scopes},
                "authorizationCode": {
                    "authorizationUrl": f"{server}/api/oauth2/authorize",
                    "tokenUrl": f"{server}/api/oauth2/token",
                    "refreshUrl": f"{server}/api/oauth2/token",
                    "scopes": scopes,
                },
            },
        },
    }
