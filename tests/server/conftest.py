"""Fixtures for tests through a live gunicorn of two workers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests

from dev.testbed import Testbed
from tests.server.commands import run_flask

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Server:
    """A running gunicorn: its address, its database, and the environment that it and the commands share."""

    url: str
    database: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path
    _cookies: dict[str, requests.cookies.RequestsCookieJar] = field(default_factory=dict)

    def session(self, login: str = "admin") -> requests.Session:
        """Return a client that is logged in; the password is the login, as in Odoo's demo data."""
        session = requests.Session()
        if login not in self._cookies:
            params = {"db": self.database, "login": login, "password": login}
            answer = session.post(f"{self.url}/web/session/authenticate", json={"jsonrpc": "2.0", "params": params})
            assert "result" in answer.json(), answer.text
            self._cookies[login] = session.cookies
        session.cookies = self._cookies[login]
        return session

    def flask(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of Gatehouse on this database."""
        return run_flask(arguments, self.environment, check=check)

    def worker_pids(self) -> list[int]:
        """Return the process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


_IN_ODOO = """
import odoo
from odoo.modules.registry import Registry
odoo.tools.config.parse_config(["-c", {conf!r}, "-d", {database!r}])
registry = Registry({database!r})
with registry.cursor() as cr:
    env = odoo.api.Environment(cr, odoo.SUPERUSER_ID, {{}})
    {statement}
    cr.commit()
    registry.signal_changes()
"""


def in_odoo(testbed: Testbed, database: str, statement: str, *packages: Path) -> None:
    """Run a statement with ``env`` in a process of Odoo's own, as if an Odoo worker did it.

    ``packages`` are folders of Python packages that it has, and the server has not.
    """
    script = _IN_ODOO.format(conf=str(testbed.odoo_conf), database=database, statement=statement)
    path = os.pathsep.join(str(folder) for folder in (testbed.odoo_source, *packages) if folder)
    environment = {**os.environ, "PYTHONPATH": path} if path else os.environ
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def free_port() -> int:
    """Return a port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(testbed: Testbed, database: str, log: Path, **settings: str) -> Iterator[Server]:
    """Run gunicorn on a copy of the template with the demo's definitions."""
    clone_served(testbed, database)
    try:
        with gunicorn(testbed, database, log, ROOT, **settings) as server:
            yield server
    finally:
        testbed.drop(database)


def clone_served(testbed: Testbed, database: str) -> None:
    """Make a database that Gatehouse has been set up in, with the demo's definitions."""

    def make(name: str) -> None:
        environment = environment_of(testbed, name)
        run_flask(["db", "upgrade"], environment)
        run_flask(["api", "import", "dev/demo.yaml"], environment)

    testbed.clone(database, template=testbed.served(make))


def environment_of(testbed: Testbed, database: str) -> dict[str, str]:
    """Return the environment of a process that works on a database of the tests."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}
    return {**others, **testbed.environment(database)}


def checkout(root: Path) -> Path:
    """Make a checkout whose files are links to those of this one; a test replaces what it wants to be different."""
    root.mkdir()
    for name in ("app", "dev", "migrations", "odoo_bridge", "serving", "gunicorn.conf.py", "wsgi.py"):
        (root / name).symlink_to(ROOT / name)
    return root


@contextlib.contextmanager
def gunicorn(testbed: Testbed, database: str, log: Path, root: Path = ROOT, **settings: str) -> Iterator[Server]:
    """Run gunicorn, in this checkout or another, on a database that is ready."""
    port = free_port()
    environment = {
        **environment_of(testbed, database),
        "GATEHOUSE_BIND": f"127.0.0.1:{port}",
        "GATEHOUSE_WORKERS": "2",
        **settings,
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    with running(command, log, root, environment) as process:
        server = Server(f"http://127.0.0.1:{port}", database, environment, process, log)
        wait_until(lambda: _ready(server), 60, lambda: log.read_text()[-3000:])
        yield server


@contextlib.contextmanager
def running(
    command: Sequence[str], log: Path, root: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a process of its own, and stop it."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], object], seconds: float, explain: Callable[[], str] = lambda: "") -> None:
    """Wait for a condition; fail the test where it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {explain()}"
        time.sleep(0.05)


def wait_until_settled(sql: Callable[..., list[Any]], seconds: float = 60) -> None:
    """Wait until all that is committed by now can be told of: transactions of other databases hold it back too."""
    ((ahead,),) = sql("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    horizon = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    wait_until(lambda: sql(horizon)[0][0] >= ahead, seconds)


def wait_for_lock(testbed: Testbed, server: Server, calls: int = 1) -> None:
    """Wait until so many changes of a partner wait for a lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'res_partner'"
    watching = testbed.server.connect(server.database)
    with watching.cursor() as look:

        def waits() -> bool:
            look.execute(waiting)
            return len(look.fetchall()) >= calls

        wait_until(waits, 30)
    watching.close()


def _ready(server: Server) -> bool:
    assert server.process.poll() is None, server.log.read_text()[-3000:]
    try:
        return requests.get(f"{server.url}/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="session")
def server(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that most tests share."""
    log = tmp_path_factory.mktemp("server") / "gunicorn.log"
    with serving(testbed, f"gatehouse_live_{os.getpid()}", log) as server:
        yield server


@pytest.fixture
def live_sql(testbed: Testbed, server: Server) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Run SQL on the live server's database, on a connection of its own."""
    connection = psycopg2.connect(testbed.dsn(server.database))
    connection.autocommit = True

    def run(statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return cursor.fetchall() if cursor.description else []

    yield run
    connection.close()
