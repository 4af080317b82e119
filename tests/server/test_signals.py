"""Signals to gunicorn's processes, and workers that die."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import ROOT, Server, checkout, gunicorn, wait_for_lock, wait_until
from tests.server.workers import connected

pytestmark = pytest.mark.live
Sql = Callable[..., list[tuple[Any, ...]]]

#: gunicorn.conf.py, and a third worker whose start, up to its signal handlers, takes a second.
_SLOW_FORK = """
import time
from pathlib import Path
exec(compile(Path({conf!r}).read_text(), {conf!r}, "exec"))
_post_fork = post_fork

def post_fork(server, worker):
    _post_fork(server, worker)
    if worker.age == 3:
        Path({forked!r}).touch()
        time.sleep(1)
"""


def test_a_stop_reaches_a_worker_that_is_just_being_forked(server: Server, testbed: Testbed, tmp_path: Path) -> None:
    forked, root = tmp_path / "forked", checkout(tmp_path / "root")
    (root / "gunicorn.conf.py").unlink()
    text = _SLOW_FORK.format(conf=str(ROOT / "gunicorn.conf.py"), forked=str(forked))
    (root / "gunicorn.conf.py").write_text(text)
    with gunicorn(testbed, server.database, tmp_path / "log", root) as other:
        other.process.send_signal(signal.SIGTTIN)  # one worker more
        wait_until(forked.exists, 30)
        began = time.monotonic()
        other.process.send_signal(signal.SIGTERM)
        assert other.process.wait(60) == 0
        # Without care the arbiter waits for the worker until graceful_timeout, 65 s, is over.
        assert time.monotonic() - began < 10


def test_a_stop_is_seen_by_load_balancers_before_it_comes(
    server: Server, testbed: Testbed, tmp_path: Path, live_sql: Sql
) -> None:
    settings = {"GATEHOUSE_DRAIN_SECONDS": "8", "GATEHOUSE_METRICS_TOKEN": "for-the-load-balancer"}
    with gunicorn(testbed, server.database, tmp_path / "log", ROOT, **settings) as other:
        cookies = server.session().cookies
        other.process.send_signal(signal.SIGTERM)

        def ready() -> requests.Response:
            headers = {"Authorization": "Bearer for-the-load-balancer"}
            return requests.get(f"{other.url}/readyz", headers=headers, timeout=5)

        wait_until(lambda: ready().status_code == 503, 5)
        assert ready().json()["error"]["data"]["name"] == "stopping"
        for number in range(4):  # a connection each: both workers serve on
            headers = {"X-Request-ID": f"while-draining-{number}"}
            answer = requests.get(f"{other.url}/api/partner/rest?limit=1", cookies=cookies, headers=headers, timeout=5)
            assert len(answer.json()["result"]["records"]) == 1
        assert other.process.wait(20) == 0
    # What was queued for the log has been written.
    rows = live_sql("SELECT count(*) FROM gatehouse.request_log WHERE request_id LIKE 'while-draining-%%'")
    assert rows == [(4,)]


def test_a_worker_that_dies_takes_its_own_calls_along_and_no_other(server: Server, testbed: Testbed) -> None:
    session = server.session()
    wait_until(lambda: len(server.worker_pids()) == 2, 20)
    record = session.post(f"{server.url}/api/partner/rest", json={"name": "waited for"}).json()["result"]
    cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    headers = {"Content-Type": "application/json", "Cookie": cookie}
    outcomes: dict[int, str] = {}

    def patch(pid: int, client: http.client.HTTPConnection) -> None:
        try:
            body = json.dumps({"phone": str(pid)})
            client.request("PATCH", f"/api/partner/rest/{record['id']}", body, headers)
            outcomes[pid] = json.load(client.getresponse())["result"]["phone"]
        except (http.client.HTTPException, ConnectionError):
            outcomes[pid] = "cut off"

    outside = testbed.server.connect(server.database)
    outside.autocommit = False
    with outside.cursor() as cursor, connected(server, "/healthz") as workers:
        victim, other = workers
        cursor.execute("SELECT 1 FROM res_partner WHERE name = 'waited for' FOR UPDATE")
        threads = [threading.Thread(target=patch, args=(pid, each.client)) for pid, each in workers.items()]
        for thread in threads:
            thread.start()
        wait_for_lock(testbed, server, calls=2)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: outcomes == {victim: "cut off"}, 30)
        outside.rollback()
        for thread in threads:
            thread.join()
    outside.close()
    assert outcomes == {victim: "cut off", other: str(other)}
