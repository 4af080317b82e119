"""Exports of many records, from live servers."""

from __future__ import annotations

import contextlib
import csv
import http.client
import io
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg2
import pytest
import requests

from dev.testbed import Testbed
from tests.extent import extent
from tests.server.conftest import Server, gunicorn, serving, wait_for_lock, wait_until
from tests.server.workers import wait_for_api, wait_for_client

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

_APIS = """
apis:
- name: Many
  route: /api/many
  published: true
  id_obfuscation: false
  endpoints: {export: true}
  models:
  - model: test.record
    fields: [name, count, notes, day, moment, flag, rounded, state, partner_id, owner_id]
    related: {owner_id: [login]}
- name: Brief
  route: /api/brief
  published: true
  authentication: public
  endpoints: {export: true}
  models: [{model: res.country, fields: [name]}]
"""
RECORDS = extent(25_000, 100_000)
_FILL = """
INSERT INTO test_record (name, active, count, notes, day, moment, flag, rounded, state, partner_id, owner_id)
SELECT 'record ' || n, true, n %% 97, CASE n %% 3 WHEN 0 THEN NULL ELSE repeat('x', 600) END,
       date '2026-01-01' + n %% 400,
       timestamp '2026-01-01' + n * interval '1 minute', n %% 2 = 0, n / 4.0, 'draft', 1 + n %% 3,
       CASE WHEN n %% 10 = 0 THEN (SELECT res_id FROM ir_model_data WHERE module = 'base' AND name = 'user_admin') END
FROM generate_series(1, %s) n
"""


@pytest.fixture(scope="module")
def server(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two workers, each of which has room for four exports, and a database of many records."""
    folder = tmp_path_factory.mktemp("many")
    with serving(testbed, f"gatehouse_exports_{os.getpid()}", folder / "log", GATEHOUSE_THREADS="8") as server:
        (folder / "apis.yaml").write_text(_APIS)
        server.flask("api", "import", str(folder / "apis.yaml"))
        with contextlib.closing(psycopg2.connect(testbed.dsn(server.database))) as connection, connection:
            connection.cursor().execute(_FILL, (RECORDS,))
        wait_for_api(server, "/api/many")
        yield server


Sql = Callable[..., list[tuple[Any, ...]]]


#: Locks of the exports that read this database.
_EXPORTING = (
    "pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND pid <> pg_backend_pid() "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def snapshots(live_sql: Sql) -> int:
    """Return the number of exports that have a transaction of the database."""
    ((number,),) = live_sql(
        "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"
    )
    return int(number)


class Reader:
    """A client that reads an export as slowly as it likes."""

    def __init__(
        self, server: Server, session: requests.Session, path: str = "/api/many/export", **headers: str
    ) -> None:
        address = urlsplit(server.url)
        self.client = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        self.client.connect()
        # Small, so that the server soon has to wait; with less than a segment, TCP would wait for a timer at each.
        self.client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
        self.client.request("GET", path, headers={"Cookie": cookie, **headers})
        self.answer = self.client.getresponse()

    def read_slowly(self) -> None:
        """Read to the end, which takes many seconds."""
        while self.answer.read(50_000):
            time.sleep(0.05)

    def close(self) -> None:
        self.answer.close()
        self.client.close()


def login(server: Server, name: str = "admin") -> requests.Session:
    return server.session(name)


def test_it_is_what_pages_are_and_the_same_each_time(server: Server) -> None:
    session = login(server)
    texts = [session.get(f"{server.url}/api/many/export", timeout=60).text for _ in range(2)]
    assert texts[0] == texts[1]
    exported = [json.loads(line) for line in texts[0].splitlines()]
    assert len(exported) == RECORDS
    paged: list[Any] = []
    query: dict[str, Any] = {"paging": "cursor", "limit": 1000, "cursor": ""}
    while query["cursor"] is not None:
        page = session.get(f"{server.url}/api/many", params=query, timeout=60).json()["result"]
        paged += page["records"]
        query["cursor"] = page["next_cursor"]
    assert exported == paged


def test_csv_has_as_many_lines(server: Server) -> None:
    answer = login(server).get(f"{server.url}/api/many/export", headers={"Accept": "text/csv"}, timeout=60)
    head, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert head[-5:] == ["state", "partner_id.id", "partner_id.display_name", "owner_id.id", "owner_id.login"]
    assert len(rows) == RECORDS
    assert all(len(row) == len(head) for row in rows)


@pytest.mark.alone
def test_the_first_byte_comes_within_a_second_and_before_the_last_record_is_read(server: Server, live_sql: Sql) -> None:
    session = login(server)
    began = time.monotonic()
    reader = Reader(server, session)
    try:
        assert reader.answer.read(1) == b"{"
        assert time.monotonic() - began < 1
        assert snapshots(live_sql) == 1  # there is more to read
    finally:
        reader.close()
    wait_until(lambda: snapshots(live_sql) == 0, 30)


def test_a_client_that_goes_ends_it_and_the_log_says_so(server: Server, live_sql: Sql) -> None:
    reader = Reader(server, login(server))
    reader.answer.read(10_000)
    request_id = reader.answer.headers["X-Request-ID"]
    reader.close()
    wait_until(lambda: snapshots(live_sql) == 0, 30)
    found = "SELECT error, message, records, bytes FROM gatehouse.request_log WHERE request_id = %s"
    wait_until(lambda: live_sql(found, request_id), 30)
    ((error, message, records, size),) = live_sql(found, request_id)
    assert (error, message) == ("export_cut", "The client has gone, or has taken too little at a time.")
    assert 0 < records < RECORDS
    assert size > 0


def test_four_at_once_and_a_third_of_one_caller_is_refused(server: Server, live_sql: Sql) -> None:
    sessions = [login(server), login(server, "demo")]
    readers = [Reader(server, session) for session in sessions for _ in range(2)]
    try:
        assert [reader.answer.status for reader in readers] == [200] * 4
        assert snapshots(live_sql) == 4
        third = sessions[0].get(f"{server.url}/api/many/export", timeout=30)
        assert (third.status_code, third.json()["error"]["data"]["name"]) == (429, "too_many_exports")
        assert int(third.headers["Retry-After"]) > 0
        with ThreadPoolExecutor(4) as pool:
            texts = list(pool.map(lambda reader: reader.answer.read(), readers))
    finally:
        for reader in readers:
            reader.close()
    assert texts[0] == texts[1]
    assert texts[2] == texts[3]
    # A tenth of the records is the administrator's alone.
    assert [text.count(b"\n") for text in texts[1:3]] == [RECORDS, RECORDS * 9 // 10]
    wait_until(lambda: snapshots(live_sql) == 0, 30)
    assert sessions[0].get(f"{server.url}/api/many/export?fields=id", timeout=30).status_code == 200


def test_another_user_gets_what_their_pages_are(server: Server) -> None:
    session = login(server, "demo")
    text = session.get(f"{server.url}/api/many/export", params={"order": "count desc, name"}, timeout=60).text
    page = session.get(f"{server.url}/api/many", params={"order": "count desc, name", "limit": 1000}, timeout=60).json()
    assert [json.loads(line) for line in text.splitlines()[:1000]] == page["result"]["records"]
    assert len(text.splitlines()) == page["result"]["length"]


def test_a_reader_that_stalls_holds_no_thread(testbed: Testbed, server: Server, tmp_path: Path, live_sql: Sql) -> None:
    """One worker with two threads: while a client stalls, two calls wait for a lock, and probes are answered."""
    settings = {"GATEHOUSE_WORKERS": "1", "GATEHOUSE_THREADS": "2"}
    with gunicorn(testbed, server.database, tmp_path / "log", **settings) as server:
        reader = Reader(server, login(server))
        record = (
            login(server).post(f"{server.url}/api/partner/rest", json={"name": "locked"}, timeout=30).json()["result"]
        )
        busy = login(server, "demo").get(f"{server.url}/api/many/export", timeout=30)
        assert (busy.status_code, busy.json()["error"]["data"]["name"]) == (503, "exports_busy")
        stranger = requests.get(f"{server.url}/api/many/export", timeout=30)
        assert stranger.status_code == 401
        lock = testbed.server.connect(server.database)
        with lock.cursor() as cursor:
            cursor.execute("BEGIN; SELECT 1 FROM res_partner WHERE name = 'locked' FOR UPDATE")
        url = f"{server.url}/api/partner/rest/{record['id']}"
        callers = [login(server), login(server, "demo")]
        with ThreadPoolExecutor(2) as pool:
            waiting = [
                pool.submit(caller.patch, url, json={"phone": str(number)}, timeout=60)
                for number, caller in enumerate(callers)
            ]
            wait_for_lock(testbed, server, calls=2)
            lock.rollback()
            lock.close()
            assert [each.result().status_code for each in waiting] == [200, 200]
        assert reader.answer.read().count(b"\n") == RECORDS
        reader.close()


def test_a_reader_that_takes_24_kilobytes_a_second_gets_all(server: Server) -> None:
    """The system tells of room for more only when a megabyte is gone, which at this pace takes longer than patience."""
    reader = Reader(server, login(server))
    try:
        size = 0
        for _ in range(35):
            size += len(reader.answer.read(24 * 1024))
            time.sleep(1)
        assert size == 35 * 24 * 1024
        reader.client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * 1024)  # it has waited long enough
        assert b'"id"' in reader.answer.read().splitlines()[-1]
    finally:
        reader.close()


def test_what_is_committed_meanwhile_is_not_in_it(server: Server, live_sql: Sql) -> None:
    reader = Reader(server, login(server))
    try:
        first = reader.answer.read(1000)
        live_sql("UPDATE test_record SET notes = 'later' WHERE id % 2 = 0 AND name LIKE 'record %9'")
        text = (first + reader.answer.read()).decode()
    finally:
        reader.close()
        live_sql("UPDATE test_record SET notes = NULL WHERE notes = 'later'")
    assert len(text.splitlines()) == RECORDS
    assert '"later"' not in text


@pytest.mark.parametrize("change", ["disabled", "moved to another user"])
def test_rights_that_are_taken_away_cut_it_within_seconds(server: Server, live_sql: Sql, change: str) -> None:
    name = f"Exporter {change}"
    made = server.flask("client", "create", name, "--user", "admin", "--api", "Many", "--scope", "export", "--json")
    credentials = json.loads(made.stdout.splitlines()[-1])
    form = {name: credentials[name] for name in ("client_id", "client_secret")}
    wait_for_client(server, "/api/many/export?fields=id&domain=[['id','=',1]]", credentials)
    token = requests.post(f"{server.url}/api/oauth2/token", data={**form, "scope": "export"}, timeout=30).json()
    reader = Reader(server, requests.Session(), Authorization=f"Bearer {token['access_token']}")
    try:
        assert reader.answer.status == 200
        reader.answer.read(10_000)
        if change == "disabled":
            server.flask("client", "disable", name)
        else:
            live_sql(
                "UPDATE gatehouse.client SET uid = (SELECT id FROM res_users WHERE login = 'demo') WHERE name = %s",
                name,
            )
        with pytest.raises(http.client.IncompleteRead):
            reader.read_slowly()
    finally:
        reader.close()
    wait_until(lambda: snapshots(live_sql) == 0, 30)
    wait_until(lambda: ("token" if change == "disabled" else "Another user") in _reason(live_sql, reader), 30)


def test_an_api_that_is_changed_cuts_it(server: Server, tmp_path: Path) -> None:
    reader = Reader(server, login(server))
    try:
        reader.answer.read(10_000)
        (tmp_path / "apis.yaml").write_text(_APIS.replace("route: /api/many", "route: /api/many\n  page_size: 79"))
        server.flask("api", "import", str(tmp_path / "apis.yaml"))
        with pytest.raises(http.client.IncompleteRead):
            reader.read_slowly()
    finally:
        reader.close()


def test_a_session_that_is_rotated_meanwhile_goes_on(server: Server, testbed: Testbed) -> None:
    """The looks at the caller neither rotate the session nor take the old id of one that was rotated for an end."""
    session = requests.Session()
    params = {"db": server.database, "login": "admin", "password": "admin"}
    session.post(f"{server.url}/web/session/authenticate", json={"jsonrpc": "2.0", "params": params}, timeout=30)
    sid = session.cookies["session_id"]
    (file,) = (testbed.data_dir / "sessions").glob(f"*/{sid}")
    kept = json.loads(file.read_text())
    reader = Reader(server, session)
    try:
        reader.answer.read(10_000)
        file.write_text(json.dumps({**kept, "create_time": 0}))
        for _ in range(25):
            reader.answer.read(100_000)
            time.sleep(0.1)
        assert "next_sid" not in json.loads(file.read_text())
        rotating = session.get(f"{server.url}/api/many?limit=1", timeout=30)
        assert rotating.cookies["session_id"] != sid
        old = json.loads(file.read_text())
        file.write_text(json.dumps({**old, "deletion_time": time.time() - 1}))
        text = reader.answer.read()
    finally:
        reader.close()
    assert text.endswith(b"}\n")


def test_a_client_app_has_the_scope_only_where_it_is_given(server: Server) -> None:
    made = server.flask("client", "create", "Usual", "--user", "admin", "--api", "Many", "--json")
    credentials = json.loads(made.stdout.splitlines()[-1])
    form = {name: credentials[name] for name in ("client_id", "client_secret")}
    wait_for_client(server, "/api/many", credentials)
    token = requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=30).json()
    assert "export" not in token["scope"].split()
    answer = requests.get(
        f"{server.url}/api/many/export", headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30
    )
    assert (answer.status_code, answer.json()["error"]["data"]["name"]) == (403, "insufficient_scope")


def test_http_1_0_is_refused(server: Server) -> None:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as client:
        client.sendall(b"GET /api/brief/export HTTP/1.0\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert b'"http_version"' in answer


def test_a_part_has_no_last_chunk(testbed: Testbed, server: Server, live_sql: Sql) -> None:
    reader = Reader(server, login(server))
    try:
        reader.answer.read(10_000)
        assert live_sql(f"SELECT pg_terminate_backend(pid) FROM {_EXPORTING}")
        with pytest.raises(http.client.IncompleteRead):
            reader.answer.read()
    finally:
        reader.close()


def test_a_stop_ends_it_at_once_and_the_log_says_so(
    testbed: Testbed, server: Server, tmp_path: Path, live_sql: Sql
) -> None:
    with gunicorn(testbed, server.database, tmp_path / "log") as server:
        reader = Reader(server, login(server))
        reader.answer.read(10_000)
        server.process.terminate()
        with pytest.raises(http.client.IncompleteRead):
            reader.answer.read()
        reader.close()
        began = time.monotonic()
        server.process.wait(60)
        assert time.monotonic() - began < 20
        wait_until(lambda: _reason(live_sql, reader) == "The server is about to stop.", 30)


@pytest.mark.alone
def test_it_takes_no_longer_than_the_server_allows(
    testbed: Testbed, server: Server, tmp_path: Path, live_sql: Sql
) -> None:
    with gunicorn(testbed, server.database, tmp_path / "log", GATEHOUSE_EXPORT_TIMEOUT="2") as server:
        reader = Reader(server, login(server))
        wait_until(lambda: snapshots(live_sql) == 0, 30)  # though its client reads nothing
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            reader.answer.read()
        reader.close()
        wait_until(lambda: _reason(live_sql, reader) == "It took longer than the server allows.", 30)


def _reason(live_sql: Sql, reader: Reader) -> str:
    """Return the reason why an export was cut, as the log has it by now."""
    query = "SELECT message FROM gatehouse.request_log WHERE request_id = %s AND error = 'export_cut'"
    found = live_sql(query, reader.answer.headers["X-Request-ID"])
    return str(found[0][0]) if found else ""


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["application/x-ndjson", "text/csv"])  # of Parquet: unit/test_parquet.py
def test_the_memory_of_a_worker_does_not_grow_with_the_number_of_records(server: Server, kind: str) -> None:
    session = login(server)

    def peak(path: str) -> int:
        processes = [psutil.Process(pid) for pid in server.worker_pids()]
        before = sum(process.memory_info().rss for process in processes)
        most = before
        # A connection of its own, so that the other worker may be asked.
        with requests.get(
            f"{server.url}{path}", cookies=session.cookies, headers={"Accept": kind}, stream=True, timeout=120
        ) as answer:
            for _ in answer.iter_content(256 * 1024):
                most = max(most, sum(process.memory_info().rss for process in processes))
        return most - before

    for _ in range(4):
        peak("/api/many/export?domain=[['count','<',20]]")
    grown = peak("/api/many/export")
    assert grown < 30 * 1024 * 1024
