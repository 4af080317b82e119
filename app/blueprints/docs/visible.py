"""Visibility of APIs for a caller: the endpoints that their credentials could call, and no others."""

from __future__ import annotations

from collections.abc import Iterable

from app.errors import Forbidden, Unauthorized
from app.operations.endpoints import Endpoint
from app.operations.gateway import Gateway
from app.operations.report import CallReport
from app.policy import access
from app.principal import Credentials, Principal


def endpoints(
    served: Iterable[Endpoint], gateway: Gateway, presented: Credentials, report: CallReport
) -> list[Endpoint]:
    """Return those endpoints that the caller may call; for anybody, those of public APIs and of logins.

    APIs that are out of service are shown to nobody, and alternative methods need no telling. Raises Unauthorized for a
    token or key that is not good.
    """
    told = (endpoint for endpoint in served if not endpoint.is_alternative)
    known = [endpoint for endpoint in told if not endpoint.definition.problems]
    principals: dict[int | None, Principal] = {}
    if presented.authorization or presented.session_id:
        run_as = {endpoint.definition.run_as for endpoint in known if not _is_open(endpoint)}
        try:
            principals = gateway.callers(presented, {None, *run_as}, report)
        except Unauthorized:
            if presented.authorization:
                raise
            # The cookie of a session that has ended, which browsers send by themselves.
    return [endpoint for endpoint in known if _is_open(endpoint) or _may_call(endpoint, principals)]


def _is_open(endpoint: Endpoint) -> bool:
    document = endpoint.definition.document
    return document.authentication == "public" or document.type == "key_authentication"


def _may_call(endpoint: Endpoint, principals: dict[int | None, Principal]) -> bool:
    principal = principals.get(endpoint.definition.run_as)
    if principal is None:
        return False
    try:
        access.authorize(principal, endpoint.definition, endpoint.action.scopes)
    except Forbidden:
        return False
    return True
