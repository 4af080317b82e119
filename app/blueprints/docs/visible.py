"""Visibility of APIs for a reader of the docs, who may be a stranger."""

from __future__ import annotations

from collections.abc import Iterable

from app.errors import Unauthorized
from app.operations import visible
from app.operations.endpoints import Endpoint
from app.operations.gateway import Gateway
from app.operations.report import CallReport
from app.principal import Credentials, Principal


def endpoints(
    served: Iterable[Endpoint], gateway: Gateway, presented: Credentials, report: CallReport
) -> list[Endpoint]:
    """Return those endpoints that the caller may call. Raises Unauthorized for a token or key that is not good."""
    known = visible.shown(served)
    principals: dict[int | None, Principal] = {}
    if presented.authorization or presented.session_id:
        try:
            principals = gateway.callers(presented, visible.executors(known), report)
        except Unauthorized:
            if presented.authorization:
                raise
            # The cookie of a session that has ended, which browsers send by themselves.
    return visible.to(principals, known)
