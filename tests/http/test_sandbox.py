"""Test mode: the call runs for real and answers as in production, and nothing of it remains."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.web.routing import Gatehouse
from dev.testbed import Testbed
from odoo_bridge.transaction import Environment
from tests.http.conftest import Client

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]
Root = Callable[..., Any]


#: Arguments that go further than one can see that they do no harm.
_DECLARED = {
    "attach": ["name"],
    "call_out": ["url"],
    "end": ["way"],
    "mail": ["subject"],
    "run_sql": ["statement"],
    "set_parameter": ["value"],
    "write_after_commit": ["path"],
    "write_from_a_get": ["name"],
}


@pytest.fixture
def trial(publish: Publish) -> Callable[..., str]:
    """Publish an API in test mode that calls one method of test.record."""

    def run(method: str, **keys: Any) -> str:
        keys = {"fields": (), "type": "rpc", "method": method, "mode": "test", "id_obfuscation": False, **keys}
        keys["arguments"] = dict.fromkeys(_DECLARED.get(method, ()), "harmless")
        return publish("test.record", **keys)

    return run


@pytest.fixture(autouse=True)
def no_traces(app: Gatehouse, sql: Sql) -> Iterator[None]:
    """After each test, the filestore and the tables that a call could write to are as they were."""
    filestore = app.services.instance.data_dir / "filestore" / app.services.instance.database
    tables = (
        "test_record",
        "ir_attachment",
        "ir_cron_trigger",
        "ir_mail_server",
        "ir_config_parameter",
        "mail_mail",
        "bus_bus",
    )

    def state() -> Any:
        files = sorted(str(path) for path in filestore.rglob("*"))
        return files, [sql(f"SELECT count(*), max(id) FROM {table}") for table in tables]

    before = state()
    yield
    assert state() == before


@pytest.mark.parametrize("method", ["commit_in_between", "commit_elsewhere", "commit_in_a_thread"])
def test_what_a_method_commits_does_not_remain(method: str, demo: Client, trial: Callable[..., str], sql: Sql) -> None:
    answer = demo("POST", trial(method), json={"name": f"trial {method}"})
    assert "result" in answer.json, answer.text
    assert answer.headers["X-Test-Mode"] == "true"
    assert sql("SELECT 1 FROM test_record WHERE name LIKE 'trial %'") == []


def test_the_same_methods_do_remain_in_production(
    demo: Client, trial: Callable[..., str], sql: Sql, root: Root
) -> None:
    for method in ("commit_in_between", "commit_elsewhere", "commit_in_a_thread"):
        demo.result("POST", trial(method, mode="production"), json={"name": f"kept {method}"})
    kept = sql("SELECT name, count(*) FROM test_record WHERE name LIKE 'kept %' GROUP BY name ORDER BY name")
    assert kept == [("kept commit_elsewhere", 1), ("kept commit_in_a_thread", 1), ("kept commit_in_between", 2)]
    root(lambda env: env["test.record"].search([("name", "like", "kept commit")]).unlink())


def test_post_commit_hooks_do_not_run(demo: Client, trial: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "hook"
    assert demo.result("POST", trial("write_after_commit"), json={"path": str(path)}) is True
    assert not path.exists()
    assert demo.result("POST", trial("write_after_commit", mode="production"), json={"path": str(path)}) is True
    assert path.exists()


def test_attachments_leave_no_file(demo: Client, trial: Callable[..., str], sql: Sql) -> None:
    assert demo.result("POST", trial("attach"), json={"name": "trial"}) == 5000
    assert sql("SELECT 1 FROM ir_attachment WHERE name = 'trial'") == []


class _Catcher(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.caught.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def catcher() -> Iterator[HTTPServer]:
    """A web server that remembers who called."""
    server = HTTPServer(("127.0.0.1", 0), _Catcher)
    server.caught = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_no_call_reaches_another_host(demo: Client, trial: Callable[..., str], catcher: HTTPServer) -> None:
    route = trial("call_out")
    for host in ("127.0.0.1", "localhost"):
        url = f"http://{host}:{catcher.server_port}/"
        status, error = demo.error("POST", route, json={"url": url})
        assert (status, error["data"]["name"]) == (200, "test_mode_no_network")
        assert host in error["message"]
        assert demo.result("POST", route, json={"url": url, "swallow": True}) == "unreachable"
    assert catcher.caught == []  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{catcher.server_port}/"
    assert demo.result("POST", trial("call_out", mode="production"), json={"url": url}) == 200


@pytest.fixture
def mail_catcher() -> Iterator[tuple[int, list[str]]]:
    """A mail server that takes one connection after another and remembers them."""
    listener = socket.create_server(("127.0.0.1", 0))
    caught: list[str] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                caught.append("connected")
                stream.write(b"220 catcher\r\n")
                stream.flush()
                for line in stream:
                    answer = b"354 go on\r\n" if line.upper().startswith(b"DATA") else b"250 ok\r\n"
                    if line == b".\r\n":
                        caught.append("mail")
                    stream.write(answer)
                    stream.flush()
                    if line.upper().startswith(b"QUIT"):
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], caught
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_no_mail_goes_out(admin: Client, trial: Callable[..., str], mail_catcher: tuple[int, list[str]]) -> None:
    port, caught = mail_catcher
    assert admin.result("POST", trial("mail"), json={"port": port, "subject": "trial"}) is True
    time.sleep(0.2)
    assert caught == []


def test_no_message_goes_onto_the_bus(
    demo: Client, trial: Callable[..., str], sql: Sql, testbed: Testbed, database: str
) -> None:
    # Odoo's workers hear of the bus by a notification in the database `postgres`, which is that of others too.
    listener = testbed.server.connect()

    def heard() -> list[str]:
        listener.poll()
        return [notice.payload for notice in listener.notifies if f'"{database}"' in notice.payload]

    with listener.cursor() as cursor:
        cursor.execute("LISTEN imbus")
    assert demo.result("POST", trial("notify"), json={}) is True
    assert heard() == []
    assert demo.result("POST", trial("notify", mode="production"), json={}) is True
    deadline = time.monotonic() + 30
    while not heard() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert heard()
    listener.close()
    sql("DELETE FROM bus_bus WHERE message LIKE '%on the bus%'")


def test_cron_jobs_are_not_triggered(admin: Client, trial: Callable[..., str]) -> None:
    assert admin.result("POST", trial("trigger"), json={}) is True


def test_caches_of_the_process_forget_what_was_tried(
    admin: Client, trial: Callable[..., str], root: Root, app: Gatehouse
) -> None:
    def parameter(env: Environment) -> Any:
        return env["ir.config_parameter"].get_param("gatehouse.sandbox")

    assert root(parameter) is False
    assert admin.result("POST", trial("set_parameter"), json={"value": "tried"}) == "tried"
    assert root(parameter) is False


def test_rest_in_test_mode_answers_as_in_production_and_keeps_nothing(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish(fields=["name", "count", "doubled"], mode="test")
    real = publish(fields=["name", "count", "doubled"])
    created = demo("POST", route, json={"name": "tried", "count": 4})
    assert created.json["result"]["doubled"] == 8
    assert created.headers["X-Test-Mode"] == "true"
    assert demo.error("GET", f"{route}/{created.json['result']['id']}")[0] == 404
    kept = demo.result("POST", real, json={"name": "kept for a moment", "count": 1})
    assert demo.result("PATCH", f"{route}/{kept['id']}", json={"count": 2})["doubled"] == 4
    assert demo.result("GET", f"{real}/{kept['id']}")["count"] == 1
    assert demo.result("DELETE", f"{route}/{kept['id']}") == [kept["id"]]
    assert demo.result("DELETE", f"{real}/{kept['id']}") == [kept["id"]]
    many = demo.result("POST", f"{route}?atomic=false", json=[{"name": "a"}, {"name": "forbidden"}])
    assert [item["status"] for item in many] == [200, 422]


def test_an_error_in_test_mode_is_the_same_error(demo: Client, trial: Callable[..., str]) -> None:
    assert demo.error("POST", trial("refuse"), json={})[1]["message"] == "Not today."
    assert demo.error("POST", trial("break_down"), json={})[0] == 500


def test_other_calls_at_the_same_time_are_not_kept_in(
    demo: Client, trial: Callable[..., str], publish: Publish, sql: Sql
) -> None:
    route, real = trial("commit_in_between"), publish()
    errors: list[str] = []

    def try_out() -> None:
        client = Client(demo.http.application)  # type: ignore[arg-type]
        client.http = demo.http
        for _ in range(5):
            if "result" not in client("POST", route, json={"name": "trial"}).json:
                errors.append("trial failed")

    thread = threading.Thread(target=try_out)
    thread.start()
    made = [demo.result("POST", real, json={"name": f"real {n}"})["id"] for n in range(5)]
    thread.join()
    assert errors == []
    assert sql("SELECT count(*) FROM test_record WHERE name LIKE 'real _'") == [(5,)]
    assert sql("SELECT count(*) FROM test_record WHERE name = 'trial'") == [(0,)]
    demo.result("DELETE", real, json=made)


_ENDS = [
    ("commit", "commit"),
    ("rollback", "commit"),
    ("real commit", "commit"),
    ("real close", "commit"),
    ("close", "commit"),
    ("reset", "commit"),
    ("cancel", "commit"),
    ("with", "commit"),
    ("tpc", "commit"),
    ("autocommit", "commit"),
    ("isolation level", "commit"),
    ("read only", "commit"),
    ("deferrable", "commit"),
    ("session", "commit"),
    ("level", "commit"),
    ("the pool", "commit"),
    ("driver cursor", "commit"),
    ("driver cursor closed", "commit"),
    ("another driver cursor", "commit"),
    ("dict cursor", "commit"),
    ("made cursor", "commit"),
    ("composed", "commit"),
    ("bytes", "commit"),
    ("as it is", "commit"),
    ("many", "commit"),
    ("values", "commit"),
    ("procedure", "commit"),
    ("function", "commit"),
    ("copy", "commit"),
    ("own connection", "connections"),
    ("own connection of a class", "connections"),
    ("borrowed connection", "connections"),
    ("own cursor of Odoo", "connections"),
    ("all connections", "connections"),
    ("COMMIT", "commit"),
    ("  /* now */ commit and chain", "commit"),
    ("END", "commit"),
    ("ROLLBACK", "commit"),
    ("ABORT", "commit"),
    ("PREPARE TRANSACTION 'gatehouse'", "commit"),
    ("SELECT 1; COMMIT; BEGIN", "commit"),
]


@pytest.mark.parametrize(("way", "name"), _ENDS)
def test_a_call_that_wants_out_of_its_transaction_is_told_so(
    way: str, name: str, demo: Client, trial: Callable[..., str]
) -> None:
    status, error = demo.error("POST", trial("end"), json={"way": way, "name": "trial"})
    assert (status, error["data"]["name"]) == (200, f"test_mode_no_{name}")


def test_statements_that_only_speak_of_a_commit_run(demo: Client, trial: Callable[..., str]) -> None:
    statement = "SELECT 'a; COMMIT' /* ; COMMIT */"
    assert demo.result("POST", trial("run_sql"), json={"statement": statement}) == "a; COMMIT"


def test_no_lock_of_the_session_remains(demo: Client, trial: Callable[..., str], sql: Sql) -> None:
    demo.result("POST", trial("run_sql"), json={"statement": "SELECT pg_advisory_lock(4711)::text"})
    assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711") == [(0,)]


def test_who_gets_out_all_the_same_is_told_that_something_may_remain(
    demo: Client, trial: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    status, error = demo.error("POST", trial("leave_by_force"), json={"name": "trial"})
    assert (status, error["data"]["name"]) == (200, "test_mode_left")
    assert "may remain" in caplog.text


@pytest.mark.parametrize("way", ["thread", "exit", "pool", "event loop", "timer"])
def test_threads_do_their_work_inside_the_call(way: str, demo: Client, trial: Callable[..., str]) -> None:
    assert demo.result("POST", trial("have_done"), json={"way": way, "name": "trial"}) is True


@pytest.mark.parametrize(
    ("way", "name"),
    [
        ("bare thread", "threads"),
        ("loop of a thread", "threads"),
        ("prepared pool", "threads"),
        ("pool of multiprocessing", "threads"),
        ("queue", "threads"),
        ("simple queue", "threads"),
        ("queue that is looked at", "threads"),
        ("event", "threads"),
        ("polling", "threads"),
        ("processes", "programs"),
        ("spawned processes", "programs"),
        ("process", "programs"),
        ("fork", "programs"),
        ("shell", "programs"),
        ("program", "programs"),
        ("spawned program", "programs"),
    ],
)
def test_threads_that_cannot_run_inside_the_call_and_programs_are_refused(
    way: str, name: str, demo: Client, trial: Callable[..., str]
) -> None:
    status, error = demo.error("POST", trial("have_done"), json={"way": way, "name": "trial"})
    assert (status, error["data"]["name"]) == (200, f"test_mode_no_{name}")


def test_after_a_refusal_the_connection_is_as_good_as_before(
    demo: Client, trial: Callable[..., str], sql: Sql, root: Root
) -> None:
    for way in ("commit", "driver cursor", "autocommit", "the pool"):
        demo.error("POST", trial("end"), json={"way": way, "name": "trial"})
    assert demo.result("POST", trial("commit_in_between", mode="production"), json={"name": "after a refusal"})
    assert sql("SELECT count(*) FROM test_record WHERE name = 'after a refusal'") == [(2,)]
    root(lambda env: env["test.record"].search([("name", "=", "after a refusal")]).unlink())


@pytest.mark.parametrize("way", ["statement", "begin", "read write", "driver cursor", "session", "cursor"])
def test_a_get_writes_nothing_past_its_read_only_transaction(way: str, demo: Client, trial: Callable[..., str]) -> None:
    route = trial("write_from_a_get", mode="production", http_methods=["GET"])
    status, error = demo.error("GET", f"{route}?way={way}&name=written")
    assert (status, error["data"]["name"]) == (403, "read_only")
