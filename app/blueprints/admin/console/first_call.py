"""The first call of a new client app, to be pasted: of an endpoint that its scopes open, a harmless one if possible."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress

from app.blueprints.admin.console.samples import samples
from app.blueprints.admin.console.trial_request import TrialRequest
from app.clients.store import Client
from app.definitions.definition import Definition
from app.openapi import examples
from app.operations.actions import CALL, CALL_ON_RECORD, CREATE, READ, SEARCH, Action
from app.operations.endpoints import Endpoint, endpoints
from odoo_bridge.errors import BridgeError

#: What is worth to be called first, in this order.
_ORDER: tuple[Action, ...] = (SEARCH, READ, CALL, CALL_ON_RECORD, CREATE)


def opened(definition: Definition, scopes: Iterable[str]) -> list[Endpoint]:
    """Return the endpoints of an API that a token with these scopes opens."""
    held = set(scopes)
    return [each for each in endpoints(definition) if each.action.scope and each.action.scope.value in held]


def first_call(definition: Definition, client: Client) -> TrialRequest | None:
    """Return a call of an API that a client app may make by itself, with a record that is there, or None."""
    if (definition.run_as or client.uid) is None:
        return None
    found = [each for each in opened(definition, client.scopes) if each.action in _ORDER and _fits(each)]
    for endpoint in sorted(found, key=lambda each: (_ORDER.index(each.action), each.method == "GET")):
        asked = _request(endpoint, client)
        if asked is not None:
            return asked
    return None


def _fits(endpoint: Endpoint) -> bool:
    """A method that is made for records is called on one."""
    method = endpoint.definition.method
    return method is None or (endpoint.action is CALL) == method.on_model


def _request(endpoint: Endpoint, client: Client) -> TrialRequest | None:
    path = endpoint.path
    if endpoint.action.on_one_record:
        public_id = _record(endpoint, client)
        if public_id is None:
            return None
        path = endpoint.path_with(public_id)
    query: tuple[tuple[str, str], ...] = (("limit", "5"),) if endpoint.action is SEARCH else ()
    body = None
    if endpoint.action in (CALL, CALL_ON_RECORD) and endpoint.definition.method:
        arguments = examples.arguments(endpoint.definition, endpoint.definition.method)
        if endpoint.method == "GET":
            query = tuple((name, _text(value)) for name, value in arguments.items())
        else:
            body = json.dumps(arguments, ensure_ascii=False)
    elif endpoint.action is CREATE and endpoint.exposure:
        body = json.dumps(examples.values(endpoint.definition, endpoint.exposure), ensure_ascii=False)
    return TrialRequest(endpoint.method, path, query, (), body)


def _record(endpoint: Endpoint, client: Client) -> str | None:
    definition = endpoint.definition
    acting = definition.run_as or client.uid
    if endpoint.exposure is None or acting is None:
        return None
    with suppress(BridgeError):
        for sample in samples(definition, endpoint.exposure, acting, most=1):
            return str(sample.id)
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
