"""The requests that name a record by the value of a key: one that no record has but the collection's own."""

from __future__ import annotations

from app.definitions.document import EXTERNAL_ID
from app.operations.actions import DELETE_BY_KEY, READ_BY_KEY, UPSERT
from app.operations.endpoints import Endpoint
from app.postman.requests import Items, Tried, requests
from app.postman.scripts import answer_test, forget, seen, text

#: Values that nobody else uses; the same at each run, so that a run finds what one before it has left behind.
_TEXT, _NUMBER = "gatehouse-postman", 2_000_000_001


@requests(UPSERT)
def _upsert(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    path = _path(tried, endpoint)
    if not path:
        return []
    body = {name: value for name, value in tried.body(creating=True).items() if name != endpoint.key}
    kept = (
        "" if tried.keeps_nothing else f'pm.collectionVariables.set({text(seen(_variable(tried, endpoint)))}, "yes");'
    )
    test = answer_test([200, 201], refusable=bool(tried.unwritable), then=kept)
    return [tried.request(f"Create or update by {endpoint.key}", endpoint, path, test, body=body)]


@requests(READ_BY_KEY)
def _read(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    path, variable = _path(tried, endpoint), _variable(tried, endpoint)
    return (
        [tried.request(f"Read by {endpoint.key}", endpoint, path, answer_test([200], unseen=[variable]))]
        if path
        else []
    )


@requests(DELETE_BY_KEY)
def _delete(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    path, variable = _path(tried, endpoint), _variable(tried, endpoint)
    test = answer_test([200], refusable=tried.keeps_nothing, unseen=[variable], then=forget(variable))
    return [tried.request(f"Delete by {endpoint.key}", endpoint, path, test)] if path else []


def _path(tried: Tried, endpoint: Endpoint) -> str:
    """Return the path; empty where a key is a relation, whose values are other people's records."""
    if endpoint.key == EXTERNAL_ID or tried.exposure is None:
        return endpoint.path_with("", _TEXT)
    info = tried.exposure.node.fields[endpoint.key]
    if info.type == "many2one":
        return ""
    return endpoint.path_with("", str(_NUMBER) if info.type == "integer" else _TEXT[: info.size])


def _variable(tried: Tried, endpoint: Endpoint) -> str:
    return f"key_{tried.one}_{endpoint.key}"
