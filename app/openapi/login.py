"""The operations that no definition makes: sessions and OAuth2, contract sections 4 and 5."""

from __future__ import annotations

from app.definitions.scopes import DEFAULT_SCOPES
from app.openapi import parts
from app.openapi.components import Components, Schema, class_name, reference
from app.openapi.described import Described, Description, describes
from app.openapi.parts import Json
from app.operations.actions import LOG_IN
from app.operations.endpoints import Endpoint

_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 4096}
_SESSION: Schema = {
    "type": "object",
    "properties": {
        "uid": {"type": "integer"},
        "name": {"type": "string"},
        "username": {"type": "string"},
        "db": {"type": "string"},
        "company_id": {"type": "integer"},
        "user_context": {"type": "object"},
    },
    "required": ["uid", "name", "username", "db", "company_id", "user_context"],
}
_CREDENTIALS: Schema = {
    "type": "object",
    "properties": {
        "db": _TEXT,
        "login": _TEXT,
        "password": {
            **_TEXT,
            "format": "password",
            "description": "The password, or where it says so an API key.",
        },
    },
    "required": ["db", "login", "password"],
}
_ENVELOPE: Schema = {
    "type": "object",
    "properties": {
        "jsonrpc": {"type": "string", "const": "2.0"},
        "method": {},
        "id": {"type": ["string", "number", "null"]},
        "params": reference("Credentials"),
    },
    "required": ["jsonrpc", "params"],
    "additionalProperties": False,
}


def _credentials(components: Components) -> Json:
    """Return the body of a login, with the envelope of JSON-RPC or without."""
    forms = [components.add("Credentials", _CREDENTIALS), components.add("CredentialsEnvelope", _ENVELOPE)]
    example = {"db": "demo", "login": "demo", "password": "…"}
    content = {
        "schema": {"oneOf": forms},
        "examples": {
            "credentials": {"value": example},
            "envelope": {"value": {"jsonrpc": "2.0", "params": example}},
        },
    }
    return {"required": True, "content": {"application/json": content}}


@describes(LOG_IN)
def _log_in(api: Described, endpoint: Endpoint) -> Description:
    return Description(
        summary="Log in with an Odoo API key",
        text="Sets Odoo's session cookie. Wrong credentials answer 200 with an `error`, as Odoo does.",
        body=_credentials(api.components),
        result=api.components.add("Session", _SESSION),
        in_context=False,
    )


def paths(components: Components) -> dict[str, Json]:
    """Return the path items of sessions and OAuth2."""
    found = {
        "/web/session/authenticate": _session_operation(
            components,
            "session_authenticate",
            "Log in with a password; sets Odoo's session cookie",
            "Wrong credentials answer 200 with an `error`, as Odoo does.",
            _credentials(components),
            parts.answer(components.add("Session", _SESSION), may_fail=True),
            [400, 413, 415, 429, 500, 503],
        ),
        "/web/session/destroy": _session_operation(
            components,
            "session_destroy",
            "Log out",
            "Ends the session of the cookie; the result is null.",
            {"required": True, "content": {"application/json": {"schema": {}, "example": {}}}},
            parts.answer({"description": "Null."}, may_fail=False),
            [403, 413, 415, 500, 503],
        ),
        "/api/oauth2/token": _oauth2_operation(components, "oauth2_token", "Get a token", _TOKEN_REQUEST, _TOKEN),
        "/api/oauth2/revoke": _oauth2_operation(
            components, "oauth2_revoke", "Revoke a token of one's own", _TOKEN_OF_ONES_OWN, None
        ),
        "/api/oauth2/introspect": _oauth2_operation(
            components, "oauth2_introspect", "See what a token of one's own is good for", _TOKEN_OF_ONES_OWN, _STATE
        ),
    }
    return {path: {"post": operation} for path, operation in found.items()}


def _session_operation(
    components: Components, name: str, summary: str, text: str, body: Json, answer: Schema, statuses: list[int]
) -> Json:
    good = {
        "description": "The result.",
        "headers": parts.headers("X-Request-ID"),
        "content": {"application/json": {"schema": components.add(class_name(name, "answer"), answer)}},
    }
    failures = {str(status): parts.fail(components, status, ["X-Request-ID"]) for status in statuses}
    return {
        "operationId": name,
        "tags": ["Sessions"],
        "summary": summary,
        "description": text,
        "requestBody": body,
        "responses": {"200": good} | failures,
        "security": [],
    }


def _oauth2_operation(
    components: Components, name: str, summary: str, properties: dict[str, Schema], result: Schema | None
) -> Json:
    """Return an operation that takes a form, and answers without an envelope (RFC 6749)."""
    secrets = {"client_id": {"type": "string"}, "client_secret": {"type": "string", "format": "password"}}
    required = {"required": ["token"]} if "token" in properties else {}
    request = {"type": "object", "properties": {**properties, **secrets}, **required}
    form = {"schema": components.add(class_name(name, "request"), request)}
    good = {"description": "RFC 6749, 7009 and 7662.", "headers": parts.headers("X-Request-ID")}
    if result:
        good["content"] = {"application/json": {"schema": components.add(class_name(name, "answer"), result)}}
    return {
        "operationId": name,
        "tags": ["OAuth2"],
        "summary": summary,
        "description": "The client app names itself by HTTP Basic, or by `client_id` and `client_secret` in the body, "
        "which may be multipart/form-data too.",
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": form},
        },
        "responses": {"200": good} | _oauth2_failures(components),
        "security": [],
    }


def _oauth2_failures(components: Components) -> Json:
    """Return the Response Objects of errors, in OAuth2's own form."""
    error = {"application/json": {"schema": reference("OAuth2Error"), "example": {"error": "invalid_client"}}}
    names = {
        400: ("OAuth2BadRequest", "What is wrong with the request."),
        401: ("OAuth2Unauthorized", "The client app is not known by these credentials."),
    }
    found = {}
    for status in (400, 401, 413, 429, 500, 503):
        plain = parts.failure(status, ["X-Request-ID"])
        name, text = names.get(status, (f"OAuth2Error{status}", plain["description"]))
        found[str(status)] = components.respond(name, {**plain, "description": text, "content": error})
    return found


_TOKEN: Schema = {
    "type": "object",
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"type": "string", "const": "Bearer"},
        "expires_in": {"type": "integer", "description": "Seconds."},
        "scope": {"type": "string", "examples": [" ".join(DEFAULT_SCOPES)]},
        "refresh_token": {"type": "string"},
    },
    "required": ["access_token", "token_type", "expires_in", "scope"],
}
_GRANTS = ["client_credentials", "authorization_code", "refresh_token"]
_TOKEN_REQUEST: dict[str, Schema] = {
    "grant_type": {"type": "string", "enum": _GRANTS, "description": f"`{_GRANTS[0]}` where it is left out."},
    "scope": {"type": "string", "description": "Scopes, between blanks; without it, all."},
    "code": {"type": "string"},
    "redirect_uri": {"type": "string", "format": "uri"},
    "code_verifier": {"type": "string"},
    "refresh_token": {"type": "string"},
}
_TOKEN_OF_ONES_OWN: dict[str, Schema] = {"token": {"type": "string"}, "token_type_hint": {"type": "string"}}
_STATE: Schema = {"type": "object", "properties": {"active": {"type": "boolean"}}, "required": ["active"]}
