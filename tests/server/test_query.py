"""QUERY through the server: the method passes, its body comes whole or in chunks, and the connection goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from tests.server.conftest import Server

pytestmark = pytest.mark.live


@pytest.mark.parametrize("chunked", [False, True])
def test_a_query_is_served_on_a_connection_that_goes_on(server: Server, chunked: bool) -> None:
    def pieces() -> Iterator[bytes]:
        yield from (body[:10], body[10:])

    body = json.dumps({"domain": [["id", ">", 0]], "limit": 2, "order": "id"}).encode()
    with requests.Session() as person:
        params = {"db": server.database, "login": "admin", "password": "admin"}
        person.post(f"{server.url}/web/session/authenticate", json={"params": params, "jsonrpc": "2.0"}, timeout=60)
        address, kind = f"{server.url}/api/partner/rest", {"Content-Type": "application/json"}
        answers = [
            person.request("QUERY", address, data=pieces() if chunked else body, headers=kind, timeout=60)
            for _ in range(2)
        ]
        by_get = person.get(address, params={"domain": '[["id", ">", 0]]', "limit": 2, "order": "id"}, timeout=60)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json() == by_get.json()
    assert len(by_get.json()["result"]["records"]) == 2
