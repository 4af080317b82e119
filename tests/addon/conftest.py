"""Fixtures for the addon: Odoo's own server with two workers beside Gatehouse, on a database that has the addon."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page

from dev import databases, odoo_source, web_assets
from dev.testbed import Testbed
from tests.browser.conftest import chromium  # noqa: F401 - a fixture
from tests.server.commands import run_flask
from tests.server.conftest import Server, environment_of, free_port, gunicorn, wait_until

LINE = re.compile(r"^\S+ \S+ (?P<pid>\d+) (?P<level>[A-Z]+) (?P<database>\S+) (?P<logger>[\w.]+): (?P<message>.*?) *$")
# Odoo's server as it is, but for the process of its WebSockets: that needs gevent, and without it Odoo would start it
# again and again. No test here asks it anything.
ODOO = """
from odoo.cli.command import main
from odoo.service.server import PreforkServer
PreforkServer.long_polling_spawn = lambda server: None
main()
"""


@dataclass(frozen=True)
class OdooServer:
    """A running Odoo of two processes. It has several databases, so a request has to say which one it means."""

    url: str
    database: str
    log: Path

    @property
    def header(self) -> tuple[str, str]:
        """What binds a request to the database from the start."""
        return ("X-Odoo-Database", self.database)

    def xmlrpc(self, path: str, *, bound: bool = True) -> xmlrpc.client.ServerProxy:
        """Return Python's own client for an address below `/xmlrpc`."""
        return xmlrpc.client.ServerProxy(f"{self.url}{path}", headers=[self.header] if bound else [])

    def post(self, path: str, body: Any, *, bound: bool = True, **headers: str) -> requests.Response:
        """Send a JSON body."""
        binding = dict([self.header]) if bound else {}
        return requests.post(f"{self.url}{path}", json=body, headers={**binding, **headers}, timeout=60)

    def jsonrpc(self, service: str, method: str, *arguments: Any, bound: bool = True) -> Any:
        """Call `/jsonrpc` and return its whole answer."""
        params = {"service": service, "method": method, "args": list(arguments)}
        return self.post("/jsonrpc", {"jsonrpc": "2.0", "id": 5, "params": params}, bound=bound).json()

    def session(self) -> requests.Session:
        """Return what the web client of an admin is: a session, and the cookie for it."""
        session = requests.Session()
        params = {"db": self.database, "login": "admin", "password": "admin"}
        answer = session.post(f"{self.url}/web/session/authenticate", json={"params": params}, timeout=60)
        assert answer.json()["result"]["uid"] == 2, answer.text
        return session

    def lines(self, message: str) -> list[dict[str, str]]:
        """Return the lines of the log whose message matches a pattern."""
        found = map(LINE.match, self.log.read_text().splitlines())
        return [line.groupdict() for line in found if line and re.search(message, line["message"])]


@dataclass(frozen=True)
class Installed:
    """A database with the addon, and what Odoo said while it installed and tested it."""

    database: str
    environment: dict[str, str]
    code: int
    output: str


def command(testbed: Testbed, *options: str) -> list[str]:
    """Return a command line of Odoo's."""
    return [sys.executable, "-c", ODOO, "-c", str(testbed.odoo_conf), "--max-cron-threads=0", *options]


@pytest.fixture(scope="package")
def installed(testbed: Testbed) -> Iterator[Installed]:
    """A copy of the template with the addon, installed with its own tests, and with Gatehouse's schema."""
    source = odoo_source.present()
    assert source is not None
    web_assets.ensure(source)
    environment = databases.environment(source)
    database = f"gatehouse_addon_{os.getpid()}"
    testbed.clone(database)
    try:
        options = ["-d", database, "-i", "gatehouse", "--test-tags", "/gatehouse", "--stop-after-init"]
        done = subprocess.run(
            command(testbed, *options, f"--http-port={free_port()}"),
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        run_flask(["db", "upgrade"], environment_of(testbed, database))
        yield Installed(database, environment, done.returncode, done.stdout)
    finally:
        testbed.drop(database)


@pytest.fixture(scope="package")
def odoo(testbed: Testbed, installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OdooServer]:
    """Odoo's own server."""
    port, log = free_port(), tmp_path_factory.mktemp("addon") / "odoo.log"
    options = ["--workers=2", "--http-interface=127.0.0.1", f"--http-port={port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(testbed, *options),
            env=installed.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        server = OdooServer(f"http://127.0.0.1:{port}", installed.database, log)
        wait_until(lambda: _answers(server), 60, lambda: log.read_text()[-3000:])
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(server: OdooServer) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"{server.url}/web/health", timeout=10).status_code == 200
    return False


@pytest.fixture(scope="package")
def server(testbed: Testbed, installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Gatehouse, on the same database."""
    log = tmp_path_factory.mktemp("addon") / "gunicorn.log"
    with gunicorn(testbed, installed.database, log) as server:
        yield server


@pytest.fixture(scope="module")
def web_client(chromium: Browser, odoo: OdooServer) -> Iterator[Page]:  # noqa: F811
    """Odoo's web client, with an admin logged in; the first page waits for its bundle to be made."""
    context = chromium.new_context(base_url=odoo.url, viewport={"width": 1280, "height": 900})
    # Not through the login page, whose bundle would take as long again. test_make_serve.py shows that page.
    context.add_cookies([{"name": "session_id", "value": odoo.session().cookies["session_id"], "url": odoo.url}])
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto("/odoo")
    page.wait_for_selector(".o_web_client .o_main_navbar")
    yield page
    context.close()
