"""Visibility of APIs for a caller: the endpoints that their credentials could call, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.errors import Forbidden
from app.operations.endpoints import Endpoint
from app.policy import access
from app.principal import Principal


def shown(served: Iterable[Endpoint]) -> list[Endpoint]:
    """Return the endpoints that anybody may be told of: not of APIs out of service, and no alternative methods."""
    return [endpoint for endpoint in served if not endpoint.is_alternative and not endpoint.definition.problems]


def executors(endpoints: Iterable[Endpoint]) -> set[int | None]:
    """Return the ``run_as`` of those endpoints that ask who calls: a caller is a principal for each of them."""
    return {None, *(endpoint.definition.run_as for endpoint in endpoints if not is_open(endpoint))}


def to(principals: Mapping[int | None, Principal], endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Return those endpoints that a caller may call; for anybody, those of public APIs and of logins."""
    return [endpoint for endpoint in endpoints if is_open(endpoint) or _may_call(endpoint, principals)]


def is_open(endpoint: Endpoint) -> bool:
    """True if nobody is asked who they are."""
    document = endpoint.definition.document
    return document.authentication == "public" or document.type == "key_authentication"


def _may_call(endpoint: Endpoint, principals: Mapping[int | None, Principal]) -> bool:
    principal = principals.get(endpoint.definition.run_as)
    if principal is None:
        return False
    try:
        access.authorize(principal, endpoint.definition, endpoint.action.scopes)
    except Forbidden:
        return False
    return True
