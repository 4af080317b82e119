"""SIGHUP: a new version comes in under load, or is refused."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import Server, checkout, gunicorn, wait_until

pytestmark = pytest.mark.live

#: wsgi.py of a version that says which one it is.
_WSGI = """
from app import create_app

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


@dataclass
class Load:
    """Clients that search all the time: some keep their connection, some make a new one for each call."""

    url: str
    cookies: requests.cookies.RequestsCookieJar
    expected: str
    calls: int = 0
    failures: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Load:
        self._threads = [threading.Thread(target=self._run, args=[keep]) for keep in (True, True, False, False)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, keep: bool) -> None:
        session = requests.Session()
        while not self._over.is_set():
            try:
                client = session if keep else requests
                answer = client.get(self.url, cookies=self.cookies, timeout=20)  # type: ignore[attr-defined]
                if answer.text != self.expected:
                    self.failures.append(f"{answer.status_code} {answer.text}")
            except requests.RequestException as error:
                self.failures.append(repr(error))
            self.calls += 1
            time.sleep(0.05)


def test_a_reload_brings_new_code_and_settings_in_and_fails_no_call(server: Server, rolling: Rolling) -> None:
    live = rolling.server
    wait_until(lambda: len(live.worker_pids()) == 2, 20)
    before, cookies = live.worker_pids(), server.session().cookies
    metrics = re.search(r"\S+/gatehouse-metrics-[^/]+", Path(f"/proc/{before[0]}/maps").read_text())
    assert metrics is not None
    url = f"{live.url}/api/partner/rest?limit=3&order=id"
    expected = requests.get(url, cookies=cookies, timeout=10).text
    assert rolling.version() == "old"
    with Load(url, cookies, expected) as load:
        rolling.write("new", threads="2", workers="3", max_body_size="1000")
        live.process.send_signal(signal.SIGHUP)
        wait_until(lambda: rolling.version() == "new", 120, lambda: live.log.read_text()[-3000:])
        wait_until(lambda: not set(before) & set(live.worker_pids()), 20, lambda: live.log.read_text()[-3000:])
    assert load.failures == []
    assert load.calls > 20
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
