"""The requests that log in."""

from __future__ import annotations

from typing import Any

from app.operations.actions import LOG_IN
from app.operations.endpoints import Endpoint
from app.postman.request import request
from app.postman.requests import Items, Tried, requests
from app.postman.scripts import answer_test


def with_password() -> dict[str, Any]:
    """Return the request that logs in with a password, which no API has to be published for."""
    body = {"db": "{{database}}", "login": "{{login}}", "password": "{{password}}"}
    return request("Log in", "POST", "/web/session/authenticate", _test(), body=body)


@requests(LOG_IN)
def _with_key(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    body = {"db": "{{database}}", "login": "{{login}}", "password": "{{api_key}}"}
    return [request("Log in with an API key", "POST", path, _test(), body=body)]


def _test() -> dict[str, Any]:
    return answer_test([200, 400, 429], refusable=True)
