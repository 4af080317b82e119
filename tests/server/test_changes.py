"""Streams of changes, from live servers."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import Server, wait_until
from tests.server.workers import serving_apis, wait_for_client

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

_APIS = """
apis:
- name: Followed
  route: /api/followed
  published: true
  id_obfuscation: false
  endpoints: {delta: true}
  models: [{model: test.record, fields: [name, count]}]
"""
PATH = "/api/followed/delta"
LISTENERS = 200
#: Seconds after which a test fails.
_PATIENCE = 60


@pytest.fixture(scope="module")
def server(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers with two threads each, and an API that is followed and captured."""
    folder = tmp_path_factory.mktemp("followed")
    with serving_apis(testbed, "changes", folder, _APIS, PATH, GATEHOUSE_THREADS="2") as server:
        session = server.session()
        wait_until(lambda: session.get(f"{server.url}{PATH}?token=latest", timeout=30).status_code == 200, _PATIENCE)
        yield server


class Listener:
    """A client of a stream."""

    def __init__(self, server: Server, headers: dict[str, str], **parameters: str) -> None:
        address = urlsplit(server.url)
        self.client = http.client.HTTPConnection(str(address.hostname), address.port, timeout=_PATIENCE)
        path = f"{PATH}?{urlencode(parameters)}" if parameters else PATH
        self.client.request("GET", path, headers={"Accept": "text/event-stream", **headers})
        self.answer = self.client.getresponse()
        self.last_id = ""

    def event(self) -> dict[str, Any]:
        """Return the next event that has data; ``end`` says that it is the last."""
        found: dict[str, Any] = {}
        while True:
            raw = self.answer.readline()
            if not raw:
                raise EOFError("The stream has ended.")
            line = raw.decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_id = value
            elif name in ("data", "event"):
                found[name] = value
            elif not line and "data" in found:
                return {"end": found.get("event") == "end", **json.loads(found["data"])}

    def told(self) -> set[tuple[str, int]]:
        """Return what the next event tells of."""
        return {(change["op"], change["id"]) for change in self.event()["changes"]}

    def close(self) -> None:
        self.answer.close()
        self.client.close()


def cookie(session: requests.Session) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in session.cookies.items())}


@pytest.fixture
def listen(server: Server) -> Iterator[Callable[..., Listener]]:
    """Open streams, as admin unless it is said who."""
    headers = cookie(server.session())
    with contextlib.ExitStack() as stack:

        def run(own: dict[str, str] | None = None, **parameters: str) -> Listener:
            listener = Listener(server, own or headers, **parameters)
            stack.callback(listener.close)
            return listener

        yield run


def make(live_sql: Callable[..., list[Any]], name: str) -> int:
    ((record,),) = live_sql("INSERT INTO test_record (name, active, count) VALUES (%s, true, 0) RETURNING id", name)
    return int(record)


def test_a_stream_gives_all_records_and_then_what_changes(
    listen: Callable[..., Listener], live_sql: Callable[..., list[Any]]
) -> None:
    record = make(live_sql, "streamed")
    listener = listen()
    assert (listener.answer.status, listener.answer.headers["Content-Type"]) == (200, "text/event-stream")
    seen: set[int] = set()
    while record not in seen:  # transactions of other databases hold it back
        body = listener.event()
        seen |= {each["id"] for each in (*body.get("records", ()), *body.get("changes", ()))}
    live_sql("UPDATE test_record SET count = 5 WHERE id = %s", record)
    while ("upsert", record) not in listener.told():
        pass
    live_sql("DELETE FROM test_record WHERE id = %s", record)
    assert listener.told() == {("removed", record)}


def test_a_client_goes_on_by_the_last_id(
    server: Server, listen: Callable[..., Listener], live_sql: Callable[..., list[Any]]
) -> None:
    first, second = make(live_sql, "first"), make(live_sql, "second")
    listener = listen(token="latest")
    live_sql("UPDATE test_record SET count = 1 WHERE id = %s", first)
    while ("upsert", first) not in listener.told():
        pass
    listener.close()
    live_sql("UPDATE test_record SET count = 1 WHERE id = %s", second)
    again = listen({**cookie(server.session()), "Last-Event-ID": listener.last_id}, token="latest")
    assert again.told() == {("upsert", second)}


@pytest.mark.parametrize(("headers", "token", "status"), [({}, "", 401), (None, "nonsense", 400)])
def test_what_is_refused_is_refused_before_it_begins(
    headers: dict[str, str] | None, token: str, status: int, listen: Callable[..., Listener]
) -> None:
    listener = listen({"X": "y"} if headers == {} else None, **({"token": token} if token else {}))
    assert listener.answer.status == status


def test_a_stream_ends_once_its_client_app_may_not_listen_any_more(
    server: Server, listen: Callable[..., Listener]
) -> None:
    made = server.flask(
        "client", "create", "Listener", "--user", "admin", "--scope", "search", "--api", "Followed", "--json"
    ).stdout
    credentials = json.loads(made)
    wait_for_client(server, PATH, credentials)
    form = {name: credentials[name] for name in ("client_id", "client_secret")}
    token = requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=30).json()["access_token"]
    listener = listen({"Authorization": f"Bearer {token}"}, token="latest")
    assert listener.answer.status == 200
    server.flask("client", "disable", "Listener")
    body = listener.event()
    assert (body["end"], body["code"]) == (True, 401)
    assert listener.answer.read() == b""


def test_two_hundred_listeners_hold_nobody_up(
    server: Server, listen: Callable[..., Listener], live_sql: Callable[..., list[Any]]
) -> None:
    listeners = [listen(token="latest") for _ in range(LISTENERS)]
    assert {listener.answer.status for listener in listeners} == {200}
    session = server.session()
    before = _seconds(session, server)
    record = make(live_sql, "for all")
    for listener in listeners:
        while ("upsert", record) not in listener.told():
            pass
    # Each call waits for a thread that has a step of a stream at most, and never for a listener.
    assert _seconds(session, server) < 20 * before + 1
    for listener in listeners:
        listener.close()
    wait_until(lambda: _connections(server) <= 4, _PATIENCE)


def _seconds(session: requests.Session, server: Server) -> float:
    began = time.monotonic()
    for _ in range(10):
        assert session.get(f"{server.url}/api/followed?limit=1", timeout=30).status_code == 200
    return time.monotonic() - began


def _connections(server: Server) -> int:
    import psutil

    return sum(
        connection.status == "ESTABLISHED"
        for pid in server.worker_pids()
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.laddr.port == urlsplit(server.url).port
    )


def test_a_stop_ends_streams_at_once(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("stopped")
    with serving_apis(testbed, "changes_stop", folder, _APIS, PATH) as stopped:
        session = stopped.session()
        wait_until(lambda: session.get(f"{stopped.url}{PATH}?token=latest", timeout=30).status_code == 200, _PATIENCE)
        listener = Listener(stopped, cookie(session), token="latest")
        assert listener.answer.status == 200
        os.kill(stopped.process.pid, signal.SIGTERM)
        with contextlib.suppress(http.client.IncompleteRead, ConnectionError):
            listener.answer.read()
        stopped.process.wait(_PATIENCE)
        listener.close()
