"""REST: contract section 2. Every view reads its input, lets the gateway run one operation, and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar, cast
from urllib.parse import quote_plus

import orjson
from flask import Blueprint, Response

from app.definitions.definition import Exposure
from app.definitions.ids import Reference
from app.errors import BadRequest, Unavailable, UnsupportedMediaType
from app.json import dumps
from app.operations import upsert as upserting
from app.operations import versions
from app.operations.actions import (
    AGGREGATE,
    CREATE,
    DELETE,
    DELETE_BY_KEY,
    DELETE_MANY,
    DELTA,
    EXPORT,
    IMPORT,
    READ,
    READ_BY_KEY,
    READ_MANY,
    SEARCH,
    UPDATE,
    UPDATE_MANY,
    UPSERT,
    Action,
)
from app.operations.aggregate import aggregate as groups
from app.operations.bulk import Bulk, BulkOptions
from app.operations.call import Call
from app.operations.delta.answers import DeltaPage, NotCaptured
from app.operations.delta.delta import Delta
from app.operations.endpoints import Endpoint
from app.operations.exports.export import FORMATS
from app.operations.imports.importing import Target
from app.operations.imports.starting import TYPES
from app.operations.report import CallReport
from app.operations.single import RecordOperations, Versioned
from app.operations.upsert import Upsert
from app.operations.versions import Condition
from app.policy.query import only_known
from app.web import answers, streams
from app.web.calls import current_call
from app.web.conditions import condition, condition_of_upsert, has_already
from app.web.current import current_incoming, current_request, current_state
from app.web.raw_path import key_value
from app.web.routing import current_endpoint, serves
from app.web.services import services
from odoo_bridge.transaction import Environment

T = TypeVar("T")
#: Its views are those of the actions, whose rules change while it serves.
blueprint = Blueprint("rest", __name__)

#: Longest Link that is given: parameters that came in a body can be longer than an address may be.
_MAX_LINK = 4000
#: Headers of one record: who has it asks each time whether it is still the same, and what else it depends on.
_OF_RECORD = {"Cache-Control": "private, no-cache", "Vary": "Accept-Language, X-Timezone, X-Company-Id, Cookie"}


@serves(SEARCH)
def search() -> Response:
    parameters = current_incoming().parameters()
    found = run(lambda do: do.search(parameters))
    link = _link({**parameters, **found.following}, "next") if found.following else None
    return answers.success(found.body, {"Link": link} if link else {})


@serves(AGGREGATE)
def aggregate() -> Response:
    parameters = current_incoming().parameters()
    return answers.success(run(lambda do: groups(do, parameters)))


@serves(EXPORT)
def export() -> Response:
    """The answer is made while it is sent. Errors of its first records are answers of their own; later ones cut it."""
    request, parameters, endpoint = current_request(), current_incoming().parameters(), current_endpoint()
    media_type = streams.media_type(request, FORMATS)
    call = current_call(endpoint.definition, endpoint.action)
    exposure, is_ending = cast(Exposure, endpoint.exposure), streams.is_ending(request)
    begun = services().exports.begin(call, exposure, parameters, media_type, is_ending)
    current_state().stream = begun
    return streams.answer(begun, request, media_type)


@serves(DELTA)
def delta() -> Response:
    parameters, request = current_incoming().parameters(), current_request()
    call = current_call(current_endpoint().definition, DELTA)
    if streams.asks_for_events(request):
        return _stream(call, parameters)
    page = _pages(call, parameters)(call, parameters.get("token"))
    link = _link(page.following, page.relation)
    return answers.success(page.body, {"Cache-Control": "no-store", **({"Link": link} if link else {})})


def _pages(of: Call, parameters: Mapping[str, Any]) -> Callable[[Call, str | None], DeltaPage]:
    """Return the function that asks for the page behind a token, by a call or by what goes on with it later.

    Where not all is captured that the caller needs, that is asked for too.
    """
    operations, keeper, gateway = _operations(current_endpoint(), of.report), services().keeper, services().gateway

    def page(call: Call, token: str | None) -> DeltaPage:
        asked = {**parameters, "token": token}
        try:
            found = gateway.run(call, lambda env: Delta(operations(env), asked).page())
        except NotCaptured as error:
            if not keeper.is_on:
                message = "The capture of changes is switched off."
                raise Unavailable(message, name="capture_off", retry_after=300) from error
            keeper.ask(error.needs)
            raise error.error from error
        if found.fading:
            keeper.ask_again(found.fading)
        return found

    return page


def _stream(call: Call, parameters: Mapping[str, Any]) -> Response:
    """The answer goes on telling of changes as they are committed."""
    request, service = current_request(), services().streams
    token = request.headers.get("Last-Event-ID") or parameters.get("token")
    resting, is_ending = streams.resting(request), streams.is_ending(request)
    begun = service.begin(call, token, _pages(call, parameters), resting, is_ending)
    current_state().stream = begun
    return streams.change_answer(begun, request, service.seconds)


@serves(READ)
def read(public_id: str) -> Response:
    seen, parameters = condition(current_request()), current_incoming().parameters()
    record = run(lambda do: do.read(public_id, parameters))
    seen.check(record.version)
    return _versioned(record)


@serves(READ_BY_KEY)
def read_by_key(value: str) -> Response:
    seen, parameters, key, text = condition(current_request()), current_incoming().parameters(), *_key()
    record = run(lambda do: Upsert(do, do.key(key)).read(text, parameters))
    seen.check(record.version)
    return _versioned(record)


@serves(READ_MANY)
def read_many() -> Response:
    parameters = current_incoming().parameters()
    return answers.success(run(lambda do: Bulk(do).read(parameters)))


@serves(CREATE)
def create() -> Response:
    if current_request().mimetype in TYPES:
        return _import()
    current_incoming().parse()  # a call that is not done again still answers with the id of its envelope
    if "on_conflict" in current_incoming().query():
        return _create_or_update()

    def work(do: RecordOperations) -> Any:
        body, parameters = current_incoming().body(), current_incoming().query()
        if isinstance(body, list):
            return Bulk(do).create(body, parameters)
        # One record is all or nothing, whatever ``atomic`` says.
        return do.create(body, BulkOptions.of(parameters).parameters).body

    return answers.success(run(work, once=True))


@serves(UPSERT)
def upsert(value: str) -> Response:
    current_incoming().parse()
    expected, key, text = condition_of_upsert(current_request()), *_key()

    def work(do: RecordOperations) -> Any:
        put = Upsert(do, do.key(key), expected).put(text, current_incoming().body(), current_incoming().query())
        return upserting.kept(*put)

    return _saved(run(work, once=True))


@serves(UPDATE)
def update(public_id: str) -> Response:
    seen = condition(current_request())
    incoming = current_incoming()
    return _versioned(run(lambda do: do.update(public_id, incoming.body(), incoming.query(), seen)))


@serves(UPDATE_MANY)
def update_many() -> Response:
    _refuse_condition()
    return answers.success(run(lambda do: Bulk(do).update(current_incoming().body(), current_incoming().query())))


@serves(DELETE)
def delete(public_id: str) -> Response:
    seen = condition(current_request())
    return answers.success(run(lambda do: do.delete(public_id, seen)))


@serves(DELETE_BY_KEY)
def delete_by_key(value: str) -> Response:
    seen, key, text = condition(current_request()), *_key()
    return answers.success(run(lambda do: Upsert(do, do.key(key), seen).delete(text)))


@serves(DELETE_MANY)
def delete_many() -> Response:
    _refuse_condition()
    return answers.success(run(lambda do: Bulk(do).delete(current_incoming().body(), current_incoming().query())))


def run(work: Callable[[RecordOperations], T], *, once: bool = False, action: Action | None = None) -> T:
    """Run work on the model of the current endpoint, and return its result; ``once`` honours an Idempotency-Key.

    ``action`` is what is done, where that is not the endpoint's own. Raises ApiError and BridgeError.
    """
    endpoint, gateway = current_endpoint(), services().gateway
    call = current_call(endpoint.definition, action or endpoint.action)
    operations = _operations(endpoint, call.report)
    result: T = (gateway.run_once if once else gateway.run)(call, lambda env: work(operations(env)))
    return result


def _create_or_update() -> Response:
    """Save one posted record, as PUT does, or many, by the key that ``on_conflict`` names."""
    incoming = current_incoming()
    key, parameters = upserting.options(incoming.query())
    endpoint = current_endpoint()
    _check_updates(cast(Exposure, endpoint.exposure))
    expected = condition_of_upsert(current_request(), of_many=isinstance(incoming.sent(), list))

    def work(do: RecordOperations) -> Any:
        body, by_key = incoming.body(), Upsert(do, do.key(key or ""), expected)
        if isinstance(body, list):
            return Bulk(do).upsert(body, parameters, by_key)
        # One record is all or nothing, whatever ``atomic`` says.
        return upserting.kept(*by_key.save_one(by_key.item(body), BulkOptions.of(parameters).parameters))

    result = run(work, once=True, action=UPSERT)
    return answers.success(result) if isinstance(incoming.sent(), list) else _saved(result)


@serves(IMPORT)
def import_lines() -> Response:
    mimetype = current_request().mimetype
    if mimetype not in TYPES:
        message = f"The body is of type {' or '.join(TYPES)}, not {mimetype[:80] or 'of none'}."
        raise UnsupportedMediaType(message, data={"parameter": "Content-Type", "allowed": list(TYPES)})
    return _import()


def _import() -> Response:
    """Create the records of a body of any length, or save them by the key that ``on_conflict`` names."""
    request, endpoint, parameters = current_request(), current_endpoint(), current_incoming().query()
    streams.check_encoding(request)
    key, others = upserting.options(parameters)
    only_known(others, frozenset())
    exposure, action, expected = cast(Exposure, endpoint.exposure), endpoint.action, Condition()
    if key is not None:
        _check_updates(exposure)
        action, expected = UPSERT, condition_of_upsert(request, of_many=True)
    call = current_call(endpoint.definition, action)
    target = Target(call, exposure, _operations(endpoint, call.report), key, expected)
    imports = services().imports
    begun = imports.begin(target, request.mimetype, streams.incoming(request), streams.is_ending(request))
    current_state().stream = begun
    return streams.import_answer(begun, request, imports.seconds)


def _check_updates(exposure: Exposure) -> None:
    if "update" not in exposure.switches:
        raise BadRequest("This API updates no records.", name="upsert_disabled", data={"parameter": "on_conflict"})


def _operations(endpoint: Endpoint, report: CallReport) -> Callable[[Environment], RecordOperations]:
    """Return the operations on the model of an endpoint, in an environment."""
    exposure, cursors = cast(Exposure, endpoint.exposure), services().cursors  # the compiler gives each one
    return lambda env: RecordOperations(env, endpoint.definition, exposure, report, cursors)


def _saved(result: Any) -> Response:
    """Answer with a record that was created or updated, now or by the call that came with this key before."""
    status, record = upserting.unpacked(result)
    endpoint = current_endpoint()
    is_shown = status == HTTPStatus.CREATED and "read" in cast(Exposure, endpoint.exposure).switches
    headers = {"Location": f"{endpoint.base}/{record.body['id']}"} if is_shown else {}
    return _versioned(record, headers, status)


def _key() -> tuple[str, str | Reference]:
    """Return the key that the current path names, and its value there."""
    endpoint = current_endpoint()
    return endpoint.key, key_value(current_request(), endpoint)


def _versioned(record: Versioned, more: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """Answer with a record and its ETag; 304 where a GET has it already. What is not shown has no version."""
    if not record.visible or current_state().dry_run:  # a version that was taken back is none
        return answers.success(record.body, more, status)
    content = dumps(record.body)
    tag = versions.etag(record.version, content)
    headers = {"ETag": f'"{tag}"', **_OF_RECORD, **(more or {})}
    if has_already(current_request(), tag):
        return answers.unchanged(headers)
    return answers.success(orjson.Fragment(content), headers, status)


def _refuse_condition() -> None:
    if "If-Match" in current_request().headers:
        message = "If-Match belongs to a call for one record."
        raise BadRequest(message, name="invalid_condition", data={"parameter": "If-Match"})


def _link(parameters: Mapping[str, Any], relation: str) -> str | None:
    """Return the Link header (RFC 8288) of what these parameters lead to; None where it would be too long."""
    texts = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in parameters.items()
    }
    if sum(map(len, texts.values())) > _MAX_LINK:
        return None
    pairs = "&".join(f"{_quoted(name)}={_quoted(text)}" for name, text in texts.items())
    link = f'<{current_request().path}?{pairs}>; rel="{relation}"'
    return link if len(link) <= _MAX_LINK else None


def _quoted(text: str) -> str:
    """Return a text as a query string has it; names and numbers, of which there are most, are so already."""
    return text if text.isalnum() and text.isascii() else quote_plus(text)
