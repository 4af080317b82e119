"""The requests of APIs of type rpc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.json import dumps
from app.operations.actions import CALL, CALL_ON_RECORD, CALL_ON_RECORDS
from app.operations.endpoints import Endpoint
from app.postman import values
from app.postman.requests import Items, Tried, requests
from app.postman.scripts import answer_test


@requests(CALL)
def _on_model(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    # A method that is made for records refuses to be called on the model.
    return [_call(tried, "Call on the model", endpoint, path, [400])]


@requests(CALL_ON_RECORD)
def _on_record(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    return [_call(tried, "Call on a record", endpoint, path, [], unseen=[tried.one])]


@requests(CALL_ON_RECORDS)
def _on_records(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    # A method that is made for one record refuses several.
    query = {"ids": f"{{{{{tried.one}}}}}"}
    return [_call(tried, "Call on several records", endpoint, path, [400], query, unseen=[tried.one])]


def _call(
    tried: Tried,
    name: str,
    endpoint: Endpoint,
    path: str,
    statuses: list[int],
    query: Mapping[str, str] | None = None,
    *,
    unseen: list[str] | None = None,
) -> dict[str, Any]:
    """Return a call with the arguments that the method needs; it may refuse them, as they are examples."""
    method = tried.definition.method
    arguments = values.arguments(tried.definition, method) if method else {}
    test = answer_test([*statuses, *([400] if arguments else [])], refusable=True, unseen=unseen or ())
    if endpoint.method == "GET":
        texts = {key: value if isinstance(value, str) else dumps(value).decode() for key, value in arguments.items()}
        return tried.request(name, endpoint, path, test, query={**(query or {}), **texts})
    return tried.request(name, endpoint, path, test, body=arguments, query=query)
