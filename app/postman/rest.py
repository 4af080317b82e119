"""The requests of APIs of type rest."""

from __future__ import annotations

from app.operations.actions import (
    CREATE,
    DELETE,
    DELETE_MANY,
    READ,
    READ_MANY,
    SEARCH,
    UPDATE,
    UPDATE_MANY,
)
from app.operations.endpoints import Endpoint
from app.postman.request import request
from app.postman.requests import Items, Tried, requests
from app.postman.scripts import answer_test


@requests(SEARCH)
def _search(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    keep = tried.remember("answer.result.records[0]?.id")
    query = {"domain": "[]", "limit": "5", "offset": "0", "order": "id", "count": "exact"}
    return [request("Search", "GET", path, answer_test([200], then=keep), query=query)]


@requests(CREATE)
def _create(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    body = tried.body(endpoint, creating=True)
    requests = [request("Create", "POST", path, answer_test([200], then=tried.remember("answer.result.id")), body=body)]
    if tried.creates_many:
        keep = (
            f'pm.collectionVariables.set("{tried.one}_a", answer.result[0].id);\n'
            f'pm.collectionVariables.set("{tried.one}_b", answer.result[1].id);'
        )
        requests.append(request("Create many", "POST", path, answer_test([200], then=keep), body=[body, body]))
    return requests


@requests(READ)
def _read(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    return [request("Read", "GET", path, tried.test(), ids=tried.ids())]


@requests(UPDATE)
def _update(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    return [request("Update", "PATCH", path, tried.test(), body=tried.body(endpoint), ids=tried.ids())]


@requests(READ_MANY)
def _read_many(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    query = {"ids": ",".join(tried.several())}
    return [request("Read many", "GET", path, tried.test(), query=query, ids=tried.ids())]


@requests(UPDATE_MANY)
def _update_many(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    body = tried.body(endpoint)
    own = [{"id": public_id, **body} for public_id in tried.several()]
    common = {"ids": tried.several(), **body}
    return [
        request("Update many, own values", "PATCH", path, tried.test(), body=own, ids=tried.ids()),
        request("Update many, common values", "PATCH", path, tried.test(), body=common, ids=tried.ids()),
    ]


@requests(DELETE_MANY)
def _delete_many(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    body = tried.several() if tried.creates_many else []
    return [request("Delete many", "DELETE", path, answer_test([200]), body=body)]


@requests(DELETE)
def _delete(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    return [request("Delete", "DELETE", path, tried.test(), ids=tried.ids())]
