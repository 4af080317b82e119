"""The OpenAPI 3.1 document of some APIs, made from their compiled definitions as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from app.definitions.definition import Definition
from app.definitions.scopes import Scope
from app.json import dumps
from app.openapi import batch, login, media, parameters, parts, told, webhooks
from app.openapi.components import Components
from app.openapi.described import Described
from app.openapi.operations import OperationObjects, slug
from app.openapi.parts import Json
from app.operations.endpoints import Endpoint
from app.version import VERSION

_ABOUT = """\
Answers come as `{"jsonrpc": "2.0", "id": null, "result": …}`, or with an `error`. A body may be the `params` of a \
JSON-RPC envelope, `{"jsonrpc": "2.0", "id": 1, "params": …}`, whose `id` comes back. \
Errors come as Problem Details (RFC 9457) where `Accept` names `application/problem+json`. Here is what you may call: \
with a session or a token there can be more."""


def describe(endpoints: Sequence[Endpoint], server: str = "") -> Json:
    """Return the document of these endpoints, and of those that give a session or a token.

    ``server`` is the address of Gatehouse without a slash at its end, as who reads the document reaches it. OpenAPI 3.1
    has no place for QUERY: where it is served, the description of the GET says so.
    """
    components = Components(dict(parts.SCHEMAS))
    own_paths = login.paths(components)
    by_id = {endpoint.definition.id: endpoint.definition for endpoint in endpoints}
    definitions = list(by_id.values())
    names = _names(definitions)
    operations = {each.id: OperationObjects(each, components, names[each.id]) for each in definitions}
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        described = operations[endpoint.definition.id].operation(endpoint)
        paths.setdefault(endpoint.shown_path, {})[endpoint.method.lower()] = described
    for api_id in sorted({one.definition.id for one in endpoints if one.action.scope is Scope.READ}):
        paths |= media.paths(by_id[api_id], components, names[api_id])
    in_batches = batch.paths(components, endpoints)
    of_webhooks = webhooks.paths(components, definitions)
    paths |= in_batches | of_webhooks | own_paths
    messages: dict[str, Json] = {}
    for definition in definitions:
        if definition.document.webhooks:
            messages |= told.messages(Described(definition, components, names[definition.id]))
    references = dumps([paths, messages, components.responses])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gatehouse", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": server or "/"}],
        "tags": [
            *(_tag(definition) for definition in definitions),
            *([batch.TAG] if in_batches else []),
            *([webhooks.TAG] if of_webhooks else []),
            {"name": "Sessions", "description": "Odoo's own sessions."},
            {"name": "OAuth2", "description": "Tokens of client apps."},
        ],
        "paths": paths,
        **({"webhooks": messages} if messages else {}),
        "components": {
            "schemas": components.schemas,
            "responses": components.responses,
            "parameters": _used("parameters", parameters.SHARED, references),
            "headers": _used("headers", parts.HEADERS, references),
            "securitySchemes": parts.security_schemes(server),
        },
    }


def _used(kind: str, shared: Json, references: bytes) -> Json:
    """Return those of the shared components that something refers to: linters point at all others."""
    return {name: one for name, one in shared.items() if f'"#/components/{kind}/{name}"'.encode() in references}


def _names(definitions: Iterable[Definition]) -> dict[int, str]:
    """Return a name for each API that no other has."""
    slugs = {definition.id: slug(definition) for definition in definitions}
    # Names of classes and files know neither underscores nor, at times, capitals.
    plain = {api_id: name.replace("_", "").lower() for api_id, name in slugs.items()}
    counts = Counter(plain.values())
    return {api_id: name if counts[plain[api_id]] == 1 else f"{name}_{api_id}" for api_id, name in slugs.items()}


def _tag(definition: Definition) -> dict[str, Any]:
    texts = {
        "rest": "Records of " + ", ".join(exposure.node.model.label for exposure in definition.exposures.values()),
        "rpc": f"The method {definition.document.method}",
        "key_authentication": "Sessions for Odoo API keys",
    }
    test = " In test mode: nothing of a call remains." if definition.document.keeps_nothing else ""
    return {"name": definition.name, "description": f"{texts[definition.document.type]}.{test}{_end(definition)}"}


def _end(definition: Definition) -> str:
    """Return sentences about the dates of an API's end."""
    document = definition.document
    deprecated = f" Deprecated from {document.deprecated}." if document.deprecated else ""
    return deprecated + (f" It may no longer be served from {document.sunset}." if document.sunset else "")
