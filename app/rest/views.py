"""REST: contract section 2. Every view reads its input, lets the gateway run one operation, and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Response, g, request

from app import answers
from app.calls import current_call
from app.catalog.definition import Exposure
from app.rest.operations import Operations
from app.routing import current_endpoint
from app.services import services

T = TypeVar("T")
blueprint = Blueprint("rest", __name__)


@blueprint.endpoint("rest.search")
def search() -> Response:
    parameters = g.incoming.parameters()
    found = _run(lambda operations: operations.search(parameters))
    response = answers.success(found.body)
    if found.next_offset is not None and found.limit:
        response.headers["Link"] = _next_link(parameters, found.limit, found.next_offset)
    return response


@blueprint.endpoint("rest.read")
def read(public_id: str) -> Response:
    parameters = g.incoming.parameters()
    return answers.success(_run(lambda operations: operations.read(public_id, parameters)))


@blueprint.endpoint("rest.read_many")
def read_many() -> Response:
    parameters = g.incoming.parameters()
    return answers.success(_run(lambda operations: operations.read_many(parameters)))


@blueprint.endpoint("rest.create")
def create() -> Response:
    return answers.success(_run(lambda operations: operations.create(g.incoming.body(), g.incoming.query())))


@blueprint.endpoint("rest.update")
def update(public_id: str) -> Response:
    return answers.success(_run(lambda operations: operations.update(public_id, g.incoming.body(), g.incoming.query())))


@blueprint.endpoint("rest.update_many")
def update_many() -> Response:
    return answers.success(_run(lambda operations: operations.update_many(g.incoming.body(), g.incoming.query())))


@blueprint.endpoint("rest.delete")
def delete(public_id: str) -> Response:
    return answers.success(_run(lambda operations: operations.delete(public_id)))


@blueprint.endpoint("rest.delete_many")
def delete_many() -> Response:
    return answers.success(_run(lambda operations: operations.delete_many(g.incoming.body())))


def _run(work: Callable[[Operations], T]) -> T:
    endpoint = current_endpoint()
    exposure = cast(Exposure, endpoint.exposure)  # the compiler gives every REST endpoint one
    call = current_call(endpoint.definition, endpoint.operation)
    return services().gateway.run(call, lambda env: work(Operations(env, endpoint.definition, exposure)))


def _next_link(parameters: Mapping[str, Any], limit: int, offset: int) -> str:
    """Return the Link header (RFC 8288) of the next page; all parameters stand in its query string."""
    following = {**parameters, "limit": limit, "offset": offset}
    texts = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in following.items()
    }
    return f'<{request.path}?{urlencode(texts)}>; rel="next"'
