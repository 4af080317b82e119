"""What only a live gunicorn of two workers can show."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import ROOT, Server, environment_of, free_port, serving, wait_for_lock, wait_until

pytestmark = pytest.mark.live
Sql = Callable[..., list[tuple[Any, ...]]]


def _api(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / f"{name}.yaml"
    path.write_text(text)
    return path


def test_two_workers_serve(server: Server) -> None:
    wait_until(lambda: len(server.worker_pids()) == 2, 30)


@pytest.mark.alone
def test_a_change_of_a_definition_takes_effect_in_every_worker_within_a_second(server: Server, tmp_path: Path) -> None:
    document = "apis:\n- {name: Fast, route: /api/fast, published: %s, authentication: public, run_as: demo,\n"
    document += "   models: [{model: res.partner, fields: [name]}]}\n"

    def answers(count: int = 24) -> set[int]:
        # A connection each, so that both workers are asked.
        return {requests.get(f"{server.url}/api/fast?limit=1", timeout=5).status_code for _ in range(count)}

    assert answers() == {404}
    server.flask("api", "import", str(_api(tmp_path, "on", document % "true")))
    time.sleep(1)
    assert answers() == {200}
    server.flask("api", "import", str(_api(tmp_path, "off", document % "false")))
    time.sleep(1)
    assert answers() == {404}


def test_writers_that_meet_all_succeed(server: Server, live_sql: Sql) -> None:
    """Transactions that write one record at once: the later one is tried again, in whichever worker it runs.

    Each commit of another can be in the way of a write once: eight times at most here, and a write has ten tries.
    """
    route = f"{server.url}/api/partner/rest"
    record = server.session().post(route, json={"name": "meeting point"}).json()["result"]
    writers, turns = 3, 4

    def write(number: int) -> list[int]:
        session = server.session()
        phones = [f"{number}-{turn}" for turn in range(turns)]
        return [session.patch(f"{route}/{record['id']}", json={"phone": phone}).status_code for phone in phones]

    with ThreadPoolExecutor(writers) as pool:
        assert list(pool.map(write, range(writers))) == [[200] * turns] * writers
    ((phone,),) = live_sql("SELECT phone FROM res_partner WHERE name = 'meeting point'")
    assert phone.endswith(f"-{turns - 1}")


def test_a_write_that_is_blocked_by_another_session_goes_through_after_it(
    server: Server, testbed: Testbed, live_sql: Sql
) -> None:
    """A writer from outside holds the record and commits: PostgreSQL refuses our first try, the second succeeds."""
    route = f"{server.url}/api/partner/rest"
    record = server.session().post(route, json={"name": "blocked", "phone": "old"}).json()["result"]
    outside = testbed.server.connect(server.database)
    outside.autocommit = False
    with outside.cursor() as cursor:
        cursor.execute("UPDATE res_partner SET phone = 'outside', email = 'kept@example.com' WHERE name = 'blocked'")
        answers: list[requests.Response] = []
        thread = threading.Thread(
            target=lambda: answers.append(server.session().patch(f"{route}/{record['id']}", json={"phone": "ours"}))
        )
        thread.start()
        wait_until(
            lambda: live_sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'res_partner'"),
            5,
        )
        outside.commit()
    thread.join()
    outside.close()
    assert answers[0].status_code == 200, answers[0].text
    assert live_sql("SELECT phone, email FROM res_partner WHERE name = 'blocked'") == [("ours", "kept@example.com")]


def test_a_body_of_100_mb_is_413(server: Server) -> None:
    session = server.session()
    try:
        answer = session.post(
            f"{server.url}/api/partner/rest",
            data=b'{"name": "' + b"x" * 100_000_000 + b'"}',
            headers={"Content-Type": "application/json"},
        )
    except requests.ConnectionError:  # the server may hang up before it has read it all
        pytest.fail("the server hung up instead of answering")
    assert answer.status_code == 413
    assert answer.json()["error"]["message"]
    assert requests.get(f"{server.url}/readyz", timeout=5).status_code == 200


@pytest.mark.parametrize("chunks", [b"f\r\n{}\r\n0\r\n\r\n", b"2\r\n{}xx\r\n0\r\n\r\n", b"zz\r\n{}\r\n0\r\n\r\n"])
def test_chunks_that_are_not_well_formed_are_400(server: Server, chunks: bytes) -> None:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as client:
        client.sendall(
            b"POST /api/partner/rest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + chunks
        )
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_chunked_body_of_100_mb_is_413(server: Server) -> None:
    def chunks() -> Any:
        for _ in range(100):
            yield b"x" * 1_000_000

    answer = server.session().post(
        f"{server.url}/api/partner/rest", data=chunks(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


def test_a_worker_that_dies_is_replaced(server: Server) -> None:
    before = server.worker_pids()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(server.worker_pids()) == 2 and before[0] not in server.worker_pids(), 20)
    wait_until(lambda: server.session().get(f"{server.url}/api/partner/rest?limit=1").status_code == 200, 30)


def test_a_stop_lets_calls_in_flight_finish_and_leaves_no_process(testbed: Testbed, tmp_path: Path) -> None:
    with serving(testbed, f"gatehouse_stop_{os.getpid()}", tmp_path / "log") as server:
        workers = server.worker_pids()
        route = f"{server.url}/api/partner/rest"
        session = server.session()
        record = session.post(route, json={"name": "slow"}).json()["result"]
        outside = testbed.server.connect(server.database)
        outside.autocommit = False
        answers: list[requests.Response] = []
        with outside.cursor() as cursor:
            cursor.execute("SELECT 1 FROM res_partner WHERE name = 'slow' FOR UPDATE")
            thread = threading.Thread(
                target=lambda: answers.append(session.patch(f"{route}/{record['id']}", json={"phone": "1"}))
            )
            thread.start()
            wait_for_lock(testbed, server)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            outside.rollback()
        thread.join()
        outside.close()
        assert answers[0].status_code == 200
        assert server.process.wait(20) == 0
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def test_wsgi_py_works_under_another_server(server: Server, testbed: Testbed) -> None:
    """Python's own WSGI server: one process, no hooks of ours."""
    port = free_port()
    script = f"from wsgiref.simple_server import make_server; import wsgi; make_server('127.0.0.1', {port}, wsgi.app)"
    environment = environment_of(testbed, server.database)
    command = [sys.executable, "-c", f"{script}.serve_forever()"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert process.poll() is None
            try:
                return requests.get(f"{url}/readyz", timeout=5).status_code == 200
            except requests.ConnectionError:
                return False

        wait_until(answers, 30)
        found = requests.get(f"{url}/api/partner/rest?limit=2", cookies=server.session().cookies, timeout=10)
        assert len(found.json()["result"]["records"]) == 2
    finally:
        process.terminate()
        process.wait()
