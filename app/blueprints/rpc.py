"""RPC: contract section 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, Request, Response

from app.definitions.definition import Definition, Exposure
from app.operations.actions import CALL, CALL_ON_RECORD, CALL_ON_RECORDS
from app.operations.methods import MethodCalls
from app.policy import arguments, query
from app.policy.arguments import Arguments
from app.web import answers
from app.web.calls import current_call
from app.web.conditions import condition
from app.web.current import current_incoming, current_request
from app.web.http_methods import is_safe
from app.web.incoming import Incoming
from app.web.routing import current_endpoint, serves
from app.web.services import services
from odoo_bridge.types import MethodInfo

#: Its views are those of the actions, whose rules change while it serves.
blueprint = Blueprint("rpc", __name__)
#: The parameter that names several records.
_IDS = ("ids",)


@serves(CALL)
def call() -> Response:
    return _answer(lambda calls, given: calls.on_model(given))


@serves(CALL_ON_RECORD)
def call_on_record(public_id: str) -> Response:
    seen = condition(current_request())
    return _answer(lambda calls, given: calls.on_record(public_id, given, seen))


@serves(CALL_ON_RECORDS)
def call_on_records() -> Response:
    def work(calls: MethodCalls, given: Arguments) -> Any:
        ids = current_incoming().query(_IDS).get("ids")
        if ids is None:
            raise query.missing_ids()
        return calls.on_records(ids, given)

    return _answer(work, own=_IDS)


def _answer(work: Callable[[MethodCalls, Arguments], Any], *, own: tuple[str, ...] = ()) -> Response:
    """Call the method of the current endpoint; ``own`` are lists in the query string that are not for it.

    Its own arguments are given once: ``fields`` may be anything there.
    """
    endpoint = current_endpoint()
    definition = endpoint.definition
    call = current_call(definition, endpoint.action)
    asked, incoming = current_request(), current_incoming()
    incoming.parse()
    only_reads = is_safe(asked.method)

    def within(env: Any) -> Any:
        # The compiler gives every RPC endpoint both; without them the API is out of service.
        method, exposure = cast(MethodInfo, definition.method), cast(Exposure, endpoint.exposure)
        given = _arguments(asked, incoming, definition, method, own)
        return work(MethodCalls(env, definition, exposure, method, call.report, only_reads=only_reads), given)

    gateway = services().gateway
    if only_reads:
        return answers.success(gateway.run(call, within, read_only=True))
    return answers.success(gateway.run_once(call, within))


def _arguments(
    asked: Request, incoming: Incoming, definition: Definition, method: MethodInfo, own: tuple[str, ...]
) -> Arguments:
    models = definition.document.argument_models
    if is_safe(asked.method):
        parameters = {name: value for name, value in incoming.parameters(own).items() if name not in own}
        return arguments.of_query(parameters, method, models, definition.ids)
    others = [name for name in incoming.query(own) if name not in own]
    if others:
        raise query.unknown_parameter(others[0], own, " Arguments stand in the body.")
    body = incoming.body() if incoming.has_body else {}
    return arguments.of_body(body, method, models, definition.ids)
