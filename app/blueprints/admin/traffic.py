"""Calls of APIs, endpoints and client apps in the last 24 hours."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from app.analytics import queries
from app.analytics.queries import Period
from app.blueprints.admin.endpoint_list import as_named
from app.web.services import services

_SPAN = timedelta(days=1)


def by_api() -> dict[int, int]:
    """Return the calls of each API that was called, by its id."""
    return {each.key: each.calls for each in queries.by(services().database, Period.last(_SPAN), "api")}


def by_client(api_id: int | None = None) -> dict[str, int]:
    """Return the calls of each client app that called, by its name: of all APIs or of one."""
    found = queries.by(services().database, Period.last(_SPAN), "client", api_id=api_id)
    return {each.key: each.calls for each in found}


def by_endpoint(api_id: int) -> dict[str, int]:
    """Return the calls of each endpoint of an API that was called, by method and path as the panel shows it."""
    found = queries.by(services().database, Period.last(_SPAN), "endpoint", api_id=api_id)
    calls: Counter[str] = Counter()
    for each in found:
        calls[as_named(each.key)] += each.calls
    return calls
