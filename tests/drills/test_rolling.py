"""SIGHUP: a new version comes in under load, or is refused."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import Server, checkout, gunicorn, wait_until
from tests.server.load import Load

pytestmark = [pytest.mark.alone, pytest.mark.live]

#: wsgi.py of a version that says which one it is.
_WSGI = """
from app.factory import create_app

app = create_app()
app.services.catalog.refresh()


@app.after_request
def version(response):
    response.headers["X-Version"] = {version!r}
    return response
"""


@dataclass
class Rolling:
    """A server whose code and settings a test can change."""

    server: Server
    root: Path
    file: Path

    def write(self, version: str, **settings: str) -> None:
        """Make another version of it, that is not in effect yet."""
        (self.root / "wsgi.py").unlink()
        (self.root / "wsgi.py").write_text(_WSGI.format(version=version))
        self.file.write_text("".join(f"GATEHOUSE_{name.upper()}={value}\n" for name, value in settings.items()))

    def version(self) -> str | None:
        """The version that answers."""
        return requests.get(f"{self.server.url}/healthz", timeout=10).headers.get("X-Version")


@pytest.fixture
def rolling(server: Server, testbed: Testbed, tmp_path: Path) -> Iterator[Rolling]:
    """A running server, of the version "old"."""
    root, file = checkout(tmp_path / "root"), tmp_path / "gatehouse.env"
    draft = Rolling(server, root, file)
    draft.write("old", threads="2")
    with gunicorn(testbed, server.database, tmp_path / "log", root, GATEHOUSE_ENV_FILE=str(file)) as other:
        yield Rolling(other, root, file)


def searches(url: str, cookies: requests.cookies.RequestsCookieJar, expected: str) -> Load[str | None]:
    """Return clients that search all the time, two on a connection that they keep, and tell what is not as expected."""

    def search(client: Any) -> str | None:
        try:
            answer = client.get(url, cookies=cookies, timeout=20)
        except requests.RequestException as error:
            return repr(error)
        return None if answer.text == expected else f"{answer.status_code} {answer.text}"

    clients = (requests.Session(), requests.Session(), requests, requests)
    return Load([partial(search, client) for client in clients], pause=0.05)


def test_a_reload_brings_new_code_and_settings_in_and_fails_no_call(server: Server, rolling: Rolling) -> None:
    live = rolling.server
    wait_until(lambda: len(live.worker_pids()) == 2, 20)
    before, cookies = live.worker_pids(), server.session().cookies
    metrics = re.search(r"\S+/gatehouse-metrics-[^/]+", Path(f"/proc/{before[0]}/maps").read_text())
    assert metrics is not None
    url = f"{live.url}/api/partner/rest?limit=3&order=id"
    expected = requests.get(url, cookies=cookies, timeout=10).text
    assert rolling.version() == "old"
    with searches(url, cookies, expected) as load:
        rolling.write("new", threads="2", workers="3", max_body_size="1000")
        live.process.send_signal(signal.SIGHUP)
        wait_until(lambda: rolling.version() == "new", 120, lambda: live.log.read_text()[-3000:])
        wait_until(lambda: not set(before) & set(live.worker_pids()), 20, lambda: live.log.read_text()[-3000:])
    failures = load.since(0)
    assert [failure for failure in failures if failure] == []
    assert len(failures) > 20
    assert live.process.poll() is None
    wait_until(lambda: not Path(metrics[0]).exists(), 10)  # nothing of the version of before is left
    answer = requests.post(f"{live.url}/api/partner/rest", json={"name": "x" * 2000}, cookies=cookies, timeout=10)
    assert answer.status_code == 413


def test_a_version_that_does_not_start_is_refused_and_the_one_of_before_serves_on(rolling: Rolling) -> None:
    live = rolling.server
    wait_until(lambda: len(live.worker_pids()) == 2, 20)
    before = set(live.worker_pids())
    rolling.write("broken", threads="none")
    live.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "does not start" in live.log.read_text(), 120)
    assert "GATEHOUSE_THREADS must be a number, not 'none'" in live.log.read_text()
    assert rolling.version() == "old"
    assert set(live.worker_pids()) == before


def test_a_stop_does_not_wait_for_a_reload_that_has_just_begun(rolling: Rolling) -> None:
    live = rolling.server
    live.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "trying the new version" in live.log.read_text(), 10)
    live.process.send_signal(signal.SIGTERM)
    assert live.process.wait(30) == 0
    assert "Starting gunicorn" not in live.log.read_text().partition("trying the new version")[2]


def test_a_stop_that_drains_ends_a_reload_that_has_begun(rolling: Rolling, testbed: Testbed, tmp_path: Path) -> None:
    settings = {"GATEHOUSE_ENV_FILE": str(rolling.file), "GATEHOUSE_DRAIN_SECONDS": "8"}
    database = rolling.server.database
    with gunicorn(testbed, database, tmp_path / "drains", rolling.root, **settings) as live:
        live.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "trying the new version" in live.log.read_text(), 10)
        live.process.send_signal(signal.SIGTERM)
        assert live.process.wait(60) == 0
        assert "Starting gunicorn" not in live.log.read_text().partition("trying the new version")[2]
