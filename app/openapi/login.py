"""The operations that no definition makes: sessions and OAuth2, contract sections 4 and 5."""

from __future__ import annotations

from app.definitions.scopes import SCOPES
from app.openapi import parts
from app.openapi.described import Described, Description, describes
from app.openapi.parts import Json
from app.openapi.schemas import Schema
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


def _credentials(password: str) -> Json:
    """Return the body of a login, with the envelope of JSON-RPC or without."""
    credentials = {
        "type": "object",
        "properties": {"db": _TEXT, "login": _TEXT, "password": {**_TEXT, "format": "password", "title": password}},
        "required": ["db", "login", "password"],
    }
    enveloped = {
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "method": {},
            "id": {"type": ["string", "number", "null"]},
            "params": credentials,
        },
        "required": ["jsonrpc", "params"],
        "additionalProperties": False,
    }
    example = {"db": "demo", "login": "demo", "password": "…"}
    content = {
        "schema": {"anyOf": [{**credentials, "title": "credentials"}, {**enveloped, "title": "envelope"}]},
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
        body=_credentials("An API key of the user."),
        result=_SESSION,
        in_context=False,
    )


def _session_operation(name: str, summary: str, body: Json, answers: list[Schema], statuses: list[int]) -> Json:
    content = {"schema": answers[0] if len(answers) == 1 else {"anyOf": answers}}
    good = {
        "description": "The result; wrong credentials are an `error` here, as in Odoo.",
        "headers": parts.headers("X-Request-ID"),
        "content": {"application/json": content},
    }
    return {
        "operationId": name,
        "tags": ["Sessions"],
        "summary": summary,
        "requestBody": body,
        "responses": {"200": good} | {str(status): parts.failure(status, ["X-Request-ID"]) for status in statuses},
        "security": [],
    }


def _oauth2_operation(
    name: str, summary: str, properties: dict[str, Schema], result: Schema | None, *, required: list[str]
) -> Json:
    """Return an operation that takes a form, and answers without an envelope (RFC 6749)."""
    secrets = {"client_id": {"type": "string"}, "client_secret": {"type": "string", "format": "password"}}
    form = {"schema": {"type": "object", "properties": {**properties, **secrets}, "required": required}}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/OAuth2Error"}}}
    headers = parts.headers("X-Request-ID")
    return {
        "operationId": name,
        "tags": ["OAuth2"],
        "summary": summary,
        "description": "The client app names itself by HTTP Basic, or by `client_id` and `client_secret` in the body.",
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": form, "multipart/form-data": form},
        },
        "responses": {
            "200": {
                "description": "RFC 6749, 7009 and 7662.",
                "headers": headers,
                **({"content": {"application/json": {"schema": result}}} if result else {}),
            },
            "400": {"description": "What is wrong with the request.", "headers": headers, "content": error},
            "401": {
                "description": "The client app is not known by these credentials.",
                "headers": parts.headers("X-Request-ID", "WWW-Authenticate"),
                "content": error,
            },
            **{
                str(status): {**parts.failure(status, ["X-Request-ID"]), "content": error}
                for status in (413, 429, 500, 503)
            },
        },
        "security": [],
    }


_TOKEN: Schema = {
    "type": "object",
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer", "description": "Seconds."},
        "scope": {"type": "string", "examples": [" ".join(SCOPES)]},
        "refresh_token": {"type": "string"},
    },
    "required": ["access_token", "token_type", "expires_in", "scope"],
}
_GRANTS = ["client_credentials", "authorization_code", "refresh_token"]

#: The paths of sessions and OAuth2.
PATHS: dict[str, Json] = {
    "/web/session/authenticate": {
        "post": _session_operation(
            "session_authenticate",
            "Log in with a password; sets Odoo's session cookie",
            _credentials("The user's password."),
            [parts.success(_SESSION), {"$ref": "#/components/schemas/Failure"}],
            [400, 413, 415, 429, 500, 503],
        )
    },
    "/web/session/destroy": {
        "post": _session_operation(
            "session_destroy",
            "Log out",
            {"required": True, "content": {"application/json": {"schema": {}, "example": {}}}},
            [parts.success({"type": "null"})],
            [403, 413, 415, 500, 503],
        )
    },
    "/api/oauth2/token": {
        "post": _oauth2_operation(
            "oauth2_token",
            "Get a token",
            {
                "grant_type": {"type": "string", "enum": _GRANTS, "default": _GRANTS[0]},
                "scope": {"type": "string", "description": "Scopes, between blanks; without it, all."},
                "code": {"type": "string"},
                "redirect_uri": {"type": "string", "format": "uri"},
                "code_verifier": {"type": "string"},
                "refresh_token": {"type": "string"},
            },
            _TOKEN,
            required=[],
        )
    },
    "/api/oauth2/revoke": {
        "post": _oauth2_operation(
            "oauth2_revoke",
            "Revoke a token of one's own",
            {"token": {"type": "string"}, "token_type_hint": {"type": "string"}},
            None,
            required=["token"],
        )
    },
    "/api/oauth2/introspect": {
        "post": _oauth2_operation(
            "oauth2_introspect",
            "See what a token of one's own is good for",
            {"token": {"type": "string"}, "token_type_hint": {"type": "string"}},
            {"type": "object", "properties": {"active": {"type": "boolean"}}, "required": ["active"]},
            required=["token"],
        )
    },
}
