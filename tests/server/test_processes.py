"""What ``/metrics`` says of the processes themselves: memory, CPU time, and how many there are."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from dev.testbed import Testbed
from tests.server.conftest import ROOT, Server, serving, wait_until
from tests.server.workers import ask_each

pytestmark = pytest.mark.live
TOKEN = "an ops person's token"
API = "/api/partner/rest"


@pytest.fixture(scope="module")
def measured(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with metrics, and with all of its workers."""
    log = tmp_path_factory.mktemp("measured") / "gunicorn.log"
    with serving(testbed, f"gatehouse_measured_{os.getpid()}", log, GATEHOUSE_METRICS_TOKEN=TOKEN) as server:
        wait_until(lambda: _workers(server) == (2, 2, 0), 30)
        yield server


def _samples(server: Server, name: str) -> list[Sample]:
    answer = requests.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    families = text_string_to_metric_families(answer.text)
    return [sample for family in families for sample in family.samples if sample.name == name]


def _value(server: Server, name: str, **labels: str) -> float:
    (value,) = [sample.value for sample in _samples(server, name) if sample.labels == labels]
    return value


def _by_process(server: Server, name: str) -> dict[str, float]:
    return {sample.labels["process"]: sample.value for sample in _samples(server, name)}


def _workers(server: Server) -> tuple[float, float, float]:
    """Return how many workers are wanted, how many are alive, and how many have died."""
    states = (_value(server, "gatehouse_workers", state=state) for state in ("wanted", "alive"))
    return (*states, _value(server, "gatehouse_worker_deaths_total"))  # type: ignore[return-value]


@contextlib.contextmanager
def _call_that_waits(server: Server, testbed: Testbed) -> Iterator[list[int]]:
    """Hold a call up until the end of the block; its status, if it ever has one, is in the list then."""
    session = server.session()
    record = session.post(f"{server.url}{API}", json={"name": "waited for"}).json()["result"]
    path, statuses = f"{server.url}{API}/{record['id']}", list[int]()

    def call() -> None:
        with contextlib.suppress(requests.ConnectionError):
            statuses.append(session.patch(path, json={"phone": "1"}, timeout=60).status_code)

    thread = threading.Thread(target=call)
    with contextlib.closing(psycopg2.connect(testbed.dsn(server.database))) as outside, outside.cursor() as cursor:
        cursor.execute("SELECT 1 FROM res_partner WHERE name = 'waited for' FOR UPDATE")
        thread.start()
        wait_until(lambda: _value(server, "gatehouse_requests_in_flight") == 2, 20)
        yield statuses
    thread.join()
    session.delete(path)


def test_the_versions_of_what_runs_are_told(measured: Server) -> None:
    (build,) = _samples(measured, "gatehouse_build_info")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert build.value == 1
    assert build.labels.pop("odoo").startswith("19.0")
    assert build.labels.pop("gunicorn").partition(".")[0].isdecimal()
    expected = {"version": "0.1.0", "revision": commit.stdout.strip(), "python": platform.python_version()}
    assert build.labels == expected


def test_a_server_that_serves_is_ready(measured: Server) -> None:
    assert _value(measured, "gatehouse_ready") == 1


def test_memory_time_and_files_are_told_of_each_process(measured: Server) -> None:
    names = {"arbiter", "worker-0", "worker-1"}
    memory = _by_process(measured, "process_resident_memory_bytes")
    assert memory.keys() == names
    resident = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in measured.worker_pids())
    page = os.sysconf("SC_PAGE_SIZE")
    told = sorted(value for name, value in memory.items() if name != "arbiter")
    assert told == pytest.approx(sorted(pages * page for pages in resident), rel=0.1)
    # The kernel counts in hundredths of a second: a worker that has just been forked may not have used one of them yet.
    wait_until(lambda: _each_has_used_time(measured), 60)
    for name in ("process_cpu_seconds_total", "process_start_time_seconds", "process_open_fds", "process_max_fds"):
        values = _by_process(measured, name)
        assert values.keys() == names, name
        assert min(values.values()) > 0, name


def _each_has_used_time(server: Server) -> bool:
    ask_each(server, "/healthz")
    return min(_by_process(server, "process_cpu_seconds_total").values()) > 0


def test_a_worker_that_is_killed_leaves_no_gauge_and_is_counted(measured: Server, testbed: Testbed) -> None:
    wanted, alive, deaths = _workers(measured)
    assert (wanted, alive) == (2, 2)
    started = _by_process(measured, "process_start_time_seconds")
    with _call_that_waits(measured, testbed) as statuses:
        for pid in measured.worker_pids():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: _is_back(measured, deaths + 2), 60, measured.log.read_text)
        assert _value(measured, "gatehouse_requests_in_flight") == 1  # this very look
    assert statuses == []
    now = _by_process(measured, "process_start_time_seconds")
    assert now.keys() == started.keys()
    assert [name for name in now if now[name] != started[name]] == ["worker-0", "worker-1"]


def _is_back(server: Server, deaths: float) -> bool:
    try:
        return _workers(server) == (2, 2, deaths)
    except requests.ConnectionError:  # it had been taken by one that was killed
        return False


def test_the_number_that_is_wanted_follows_the_arbiters(measured: Server) -> None:
    _, _, deaths = _workers(measured)
    measured.process.send_signal(signal.SIGTTIN)
    wait_until(lambda: _workers(measured) == (3, 3, deaths), 30)
    measured.process.send_signal(signal.SIGTTOU)
    wait_until(lambda: _workers(measured) == (2, 2, deaths), 30)


def test_workers_of_before_a_reload_are_told_of_until_they_end(measured: Server, testbed: Testbed) -> None:
    with _call_that_waits(measured, testbed) as statuses:
        measured.process.send_signal(signal.SIGHUP)
        # The one that has the call stays beside the two new ones; it has a place of its own.
        wait_until(lambda: _workers(measured) == (2, 3, 0), 60, measured.log.read_text)
        assert len(_by_process(measured, "process_resident_memory_bytes")) == 4
    assert statuses == [200]
    wait_until(lambda: _workers(measured) == (2, 2, 0), 30)
    assert len(_by_process(measured, "process_resident_memory_bytes")) == 3
