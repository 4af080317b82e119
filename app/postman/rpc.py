"""The requests of APIs of type rpc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.json import dumps
from app.openapi import examples
from app.operations.actions import CALL, CALL_ON_RECORD, CALL_ON_RECORDS
from app.operations.endpoints import Endpoint
from app.postman.request import request
from app.postman.requests import FIRST_RECORD, Items, Tried, requests
from app.postman.scripts import answer_test


@requests(CALL)
def _on_model(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    # A method that is made for records refuses to be called on the model.
    return [_call(tried, "Call on the model", endpoint, path, [200, 400, 422])]


@requests(CALL_ON_RECORD)
def _on_record(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    return [_call(tried, "Call on a record", endpoint, path, tried.on_record(200, 422))]


@requests(CALL_ON_RECORDS)
def _on_records(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    return [
        _call(
            tried,
            "Call on several records",
            endpoint,
            path,
            tried.on_record(200, 400, 422),
            {"ids": f"{{{{{tried.one}}}}}"},
        )
    ]


def _call(
    tried: Tried,
    name: str,
    endpoint: Endpoint,
    path: str,
    statuses: list[int],
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    method = tried.definition.method
    arguments = examples.arguments(tried.definition, method, FIRST_RECORD) if method else {}
    test = answer_test(statuses, keys='["result", "error"]')
    if endpoint.method == "GET":
        texts = {key: value if isinstance(value, str) else dumps(value).decode() for key, value in arguments.items()}
        return request(name, "GET", path, test, query={**(query or {}), **texts}, ids=tried.ids())
    return request(name, "POST", path, test, body=arguments, query=query, ids=tried.ids())
