"""Imports through a live server: bodies that are answered while they come in."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import Server, gunicorn, wait_until
from tests.server.sender import Sender
from tests.server.workers import serving_apis, wait_for_api, wait_for_client

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

_APIS = """
apis:
- name: Lines
  route: /api/lines
  published: true
  models: [{model: test.record, fields: [name, count, notes], upsert_keys: [name]}]
"""
PATH = "/api/lines"
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def server(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two workers."""
    folder = tmp_path_factory.mktemp("lines")
    with serving_apis(testbed, "lines", folder, _APIS, "/api/lines") as started:
        yield started


@pytest.fixture
def sender(server: Server) -> Iterator[Sender]:
    client = Sender.to(server, PATH)
    yield client
    client.close()


def _body(name: str) -> str:
    return json.dumps({"name": name}) + "\n"


def _cut(live_sql: Sql) -> str:
    found = live_sql("SELECT message FROM gatehouse.request_log WHERE error = 'import_cut' ORDER BY at DESC LIMIT 1")
    return str(found[0][0]) if found else ""


def test_lines_are_answered_while_the_client_waits_with_the_next(sender: Sender, live_sql: Sql) -> None:
    for number in range(3):
        sender.send(_body(f"asked {number}"))
        assert sender.line()["line"] == number + 1
        assert live_sql("SELECT count(*) FROM test_record WHERE name = %s", f"asked {number}") == [(1,)]
    assert sender.answer.status == 200
    sender.end()
    assert sender.line() == {"summary": {"lines": 3, "created": 3, "updated": 0, "failed": 0}}
    assert sender.answer.read() == b""


def test_a_line_may_come_in_pieces(sender: Sender) -> None:
    for piece in ('{"na', 'me": "in pie', 'ces"}', "\n"):
        sender.send(piece)
    sender.end()
    assert sender.line()["status"] == 201
    assert sender.line()["summary"]["lines"] == 1


def test_all_is_kept_for_a_client_that_reads_after_it_has_sent_all(server: Server, live_sql: Sql) -> None:
    sender = Sender.to(server, PATH, "text/csv")
    try:
        sender.send("name,count\n")
        for number in range(200):
            sender.send("".join(f"kept {number} {line},{line}\n" for line in range(100)))
        sender.end()
        lines = [json.loads(line) for line in sender.answer.read().splitlines()]
    finally:
        sender.close()
    assert [line["line"] for line in lines[:-1]] == list(range(2, 20_002))
    assert lines[-1]["summary"]["created"] == 20_000
    assert live_sql("SELECT count(*) FROM test_record WHERE name LIKE 'kept %'") == [(20_000,)]


def test_a_client_that_goes_leaves_what_is_committed(server: Server, live_sql: Sql) -> None:
    sender = Sender.to(server, PATH)
    for number in range(2_500):
        sender.send(_body(f"gone {number}"))
    sender.line()
    sender.sock.shutdown(socket.SHUT_RDWR)
    sender.close()
    wait_until(lambda: "gone" in _cut(live_sql) or "broken off" in _cut(live_sql), 30)
    ((kept,),) = live_sql("SELECT count(*) FROM test_record WHERE name LIKE 'gone %'")
    assert kept >= 1_000


def test_a_body_that_is_broken_off_is_told_so(sender: Sender) -> None:
    sender.send(_body("broken off"))
    assert sender.line()["status"] == 201
    sender.sock.shutdown(socket.SHUT_WR)
    assert sender.line()["error"]["code"] == 400
    assert sender.answer.read() == b""


def test_what_is_no_chunk_is_told_so(sender: Sender) -> None:
    sender.send(_body("no chunk"))
    assert sender.line()["status"] == 201
    sender.sock.sendall(b"no chunk\r\n")
    assert sender.line()["error"]["code"] == 400


def test_curl_waits_for_leave_and_sends_a_file(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_text("name\n" + "".join(f"curl {number} {'x' * 100}\n" for number in range(20_000)))
    cookie = server.session().cookies["session_id"]
    done = subprocess.run(
        [
            "curl", "-sS", "-X", "POST", "-T", str(file), "-H", "Content-Type: text/csv", "-H", "Expect: 100-continue",
            "-H", f"Cookie: session_id={cookie}", f"{server.url}/api/lines",
        ],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    *lines, summary = done.stdout.splitlines()
    assert json.loads(summary)["summary"] == {"lines": 20_000, "created": 20_000, "updated": 0, "failed": 0}
    assert len(lines) == 20_000


def test_who_may_not_is_told_so_before_the_body_is_sent(server: Server) -> None:
    address = urlsplit(server.url)
    client = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    client.request(
        "POST", "/api/lines", iter([_body("nobody").encode()] * 100), {"Content-Type": "application/x-ndjson"}
    )
    assert client.getresponse().status == 401
    client.close()


def test_an_api_that_is_changed_ends_it(server: Server, tmp_path: Path) -> None:
    (tmp_path / "apis.yaml").write_text(_APIS.replace("/api/lines", "/api/changed").replace("Lines", "Changed"))
    server.flask("api", "import", str(tmp_path / "apis.yaml"))
    wait_for_api(server, "/api/changed")
    sender = Sender.to(server, "/api/changed")
    try:
        sender.send(_body("before the change"))
        assert sender.line()["status"] == 201
        text = (tmp_path / "apis.yaml").read_text()
        (tmp_path / "apis.yaml").write_text(text.replace("name, count, notes", "name, count"))
        server.flask("api", "import", str(tmp_path / "apis.yaml"))
        wait_until(lambda: "notes" not in _first(server, "/api/changed"), 30)
        sender.send(_body("after it"))
        assert sender.line()["error"]["message"] == "The API has been changed."
    finally:
        sender.close()


def _first(server: Server, path: str) -> Any:
    return server.session().get(f"{server.url}{path}?limit=1", timeout=30).json()["result"]["records"][0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("active = false", "token"),
        ("uid = (SELECT id FROM res_users WHERE login = 'demo')", "Another user"),
    ],
)
def test_a_caller_who_is_another_one_by_now_ends_it(server: Server, live_sql: Sql, change: str, told: str) -> None:
    name = f"Importer {told}"
    made = server.flask("client", "create", name, "--user", "admin", "--api", "Lines", "--json")
    known = json.loads(made.stdout.splitlines()[-1])
    form = {each: known[each] for each in ("client_id", "client_secret")}
    wait_for_client(server, f"{PATH}?limit=1", known)
    token = requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=30).json()["access_token"]
    sender = Sender.to(server, PATH, credentials=f"Authorization: Bearer {token}")
    try:
        sender.send(_body(f"{name} before"))
        assert sender.line()["status"] == 201
        live_sql(f"UPDATE gatehouse.client SET {change} WHERE name = %s", name)
        wait_until(lambda: _is_over(sender, name), 30)
    finally:
        sender.close()
    wait_until(lambda: told in _cut(live_sql), 30)


def _is_over(sender: Sender, name: str) -> bool:
    """Send a line more, and return whether it is refused: what a token stands for is remembered for a moment."""
    sender.send(_body(f"{name} after"))
    return "error" in sender.line()


def test_a_stop_ends_it_and_says_so(testbed: Testbed, server: Server, tmp_path: Path, live_sql: Sql) -> None:
    with gunicorn(testbed, server.database, tmp_path / "log") as own:
        wait_for_api(own, "/api/lines")
        sender = Sender.to(own, PATH)
        sender.send(_body("stopped"))
        assert sender.line()["status"] == 201
        own.process.send_signal(signal.SIGTERM)
        assert sender.line()["error"]["data"]["message"] == "The server is about to stop."
        assert sender.answer.read() == b""
        own.process.wait(20)  # nothing waits for more of the body
        sender.close()
    wait_until(lambda: _cut(live_sql) == "The server is about to stop.", 30)


def test_a_body_that_is_too_long_ends_there(testbed: Testbed, server: Server, tmp_path: Path) -> None:
    with gunicorn(testbed, server.database, tmp_path / "log", GATEHOUSE_MAX_IMPORT_SIZE="200000") as own:
        wait_for_api(own, "/api/lines")
        sender = Sender.to(own, PATH)
        with contextlib.suppress(ConnectionError):
            for number in range(4_000):
                sender.send(_body(f"too long {number} {'x' * 50}"))
        *lines, last = [json.loads(line) for line in sender.answer.read().splitlines()]
        assert last["error"]["code"] == 413
        assert 1_000 <= len(lines) < 4_000
        sender.close()


def test_others_are_served_meanwhile(server: Server) -> None:
    senders = [Sender.to(server, PATH) for _ in range(2)]
    try:
        for sender in senders:
            sender.send(_body("meanwhile"))
            sender.line()
        session = server.session()

        def status(number: int) -> int:
            return session.get(f"{server.url}/api/lines?limit=1&offset={number}", timeout=20).status_code

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(status, range(40))) == {200}
        for sender in senders:
            sender.send(_body("meanwhile, and after it"))
            assert sender.line()["status"] == 201
    finally:
        for sender in senders:
            sender.close()
