"""REST: contract section 2. Every view reads its input, lets the gateway run one operation, and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import quote_plus

import orjson
from flask import Blueprint, Response

from app.definitions.definition import Exposure
from app.errors import BadRequest
from app.json import dumps
from app.operations import versions
from app.operations.actions import (
    AGGREGATE,
    CREATE,
    DELETE,
    DELETE_MANY,
    EXPORT,
    READ,
    READ_MANY,
    SEARCH,
    UPDATE,
    UPDATE_MANY,
)
from app.operations.aggregate import aggregate as groups
from app.operations.bulk import Bulk, BulkOptions
from app.operations.exports.export import FORMATS
from app.operations.single import RecordOperations, Versioned
from app.web import answers, streams
from app.web.calls import current_call
from app.web.conditions import condition, has_already
from app.web.current import current_incoming, current_request, current_state
from app.web.routing import current_endpoint, serves
from app.web.services import services

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
    link = _next_link({**parameters, **found.following}) if found.following else None
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


@serves(READ)
def read(public_id: str) -> Response:
    seen, parameters = condition(current_request()), current_incoming().parameters()
    record = run(lambda do: do.read(public_id, parameters))
    seen.check(record.version)
    return _versioned(record)


@serves(READ_MANY)
def read_many() -> Response:
    parameters = current_incoming().parameters()
    return answers.success(run(lambda do: Bulk(do).read(parameters)))


@serves(CREATE)
def create() -> Response:
    current_incoming().parse()  # a call that is not done again still answers with the id of its envelope

    def work(do: RecordOperations) -> Any:
        body, parameters = current_incoming().body(), current_incoming().query()
        if isinstance(body, list):
            return Bulk(do).create(body, parameters)
        # One record is all or nothing, whatever ``atomic`` says.
        return do.create(body, BulkOptions.of(parameters).parameters).body

    return answers.success(run(work, once=True))


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


@serves(DELETE_MANY)
def delete_many() -> Response:
    _refuse_condition()
    return answers.success(run(lambda do: Bulk(do).delete(current_incoming().body(), current_incoming().query())))


def run(work: Callable[[RecordOperations], T], *, once: bool = False) -> T:
    """Run work on the model of the current endpoint, and return its result; ``once`` honours an Idempotency-Key.

    Raises ApiError and BridgeError.
    """
    endpoint = current_endpoint()
    exposure = cast(Exposure, endpoint.exposure)  # the compiler gives every REST endpoint one
    gateway, cursors = services().gateway, services().cursors
    call = current_call(endpoint.definition, endpoint.action)
    result: T = (gateway.run_once if once else gateway.run)(
        call, lambda env: work(RecordOperations(env, endpoint.definition, exposure, call.report, cursors))
    )
    return result


def _versioned(record: Versioned) -> Response:
    """Answer with a record and its ETag; 304 where a GET has it already. What is not shown has no version."""
    if not record.visible:
        return answers.success(record.body)
    content = dumps(record.body)
    tag = versions.etag(record.version, content)
    headers = {"ETag": f'"{tag}"', **_OF_RECORD}
    if has_already(current_request(), tag):
        return answers.unchanged(headers)
    return answers.success(orjson.Fragment(content), headers)


def _refuse_condition() -> None:
    if "If-Match" in current_request().headers:
        message = "If-Match belongs to a call for one record."
        raise BadRequest(message, name="invalid_condition", data={"parameter": "If-Match"})


def _next_link(parameters: Mapping[str, Any]) -> str | None:
    """Return the Link header (RFC 8288) of the page with these parameters; None where it would be too long."""
    texts = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in parameters.items()
    }
    if sum(map(len, texts.values())) > _MAX_LINK:
        return None
    pairs = "&".join(f"{_quoted(name)}={_quoted(text)}" for name, text in texts.items())
    link = f'<{current_request().path}?{pairs}>; rel="next"'
    return link if len(link) <= _MAX_LINK else None


def _quoted(text: str) -> str:
    """Return a text as a query string has it; names and numbers, of which there are most, are so already."""
    return text if text.isalnum() and text.isascii() else quote_plus(text)
