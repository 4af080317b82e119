"""deploy/nginx.conf with Debian's nginx: Odoo and Gatehouse at one address."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from dev.testbed import Testbed
from tests.packages import program
from tests.server.conftest import ROOT, Server, free_port, gunicorn, wait_until

pytestmark = pytest.mark.live
NAME = "api.example.com"
Sql = Callable[..., list[tuple[Any, ...]]]

_MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class _Named(HTTPAdapter):
    """Reaches the site by its name, at the port of the test, from a client's own address of this machine."""

    def __init__(self, site: Site, address: str) -> None:
        self._site, self._address = site, address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        options |= {"source_address": (self._address, 0), "assert_hostname": NAME, "server_hostname": NAME}
        super().init_poolmanager(*arguments, **options)

    def send(self, request: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        request.url = request.url.replace(f"https://{NAME}", f"https://127.0.0.1:{self._site.port}", 1)
        request.headers["Host"] = NAME
        answer = super().send(request, **{**options, "verify": str(self._site.certificate)})
        answer.url = answer.url.replace(f"https://127.0.0.1:{self._site.port}", f"https://{NAME}", 1)
        return answer


@dataclass
class Site:
    """nginx in front of a running Odoo and a running Gatehouse."""

    port: int
    certificate: Path
    database: str
    gatehouse: Server

    def client(self, address: str = "127.0.0.1") -> requests.Session:
        """Return a client with an address of its own."""
        session = requests.Session()
        session.mount("https://", _Named(self, address))
        return session


@contextlib.contextmanager
def _running(command: list[str], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def _odoo(testbed: Testbed, database: str, folder: Path) -> Iterator[int]:
    """Run Odoo's own server, as ops have it."""
    port = free_port()
    command = [sys.executable, "-m", "odoo", "-c", str(testbed.odoo_conf), "-d", database, "--proxy-mode"]
    command += [f"--http-port={port}", "--http-interface=127.0.0.1", "--max-cron-threads=0", "--workers=0"]
    path = {"PYTHONPATH": str(testbed.odoo_source)} if testbed.odoo_source else {}
    log = folder / "odoo.log"
    with _running(command, log, cwd=folder, env={**os.environ, **path}):
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/web/health"), 90, lambda: log.read_text()[-2000:])
        yield port


def _answers(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        requests.get(url, timeout=30)
        return True
    return False


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def site(server: Server, testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """deploy/nginx.conf, changed in addresses, ports and paths alone."""
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    certificate, key = _certificate(folder)
    plain, tls = free_port(), free_port()
    with contextlib.ExitStack() as stack:
        gatehouse = stack.enter_context(
            gunicorn(testbed, server.database, folder / "gunicorn.log", GATEHOUSE_TRUSTED_PROXIES="1")
        )
        odoo = stack.enter_context(_odoo(testbed, server.database, folder))
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        for old, new in (
            ("listen 80", f"listen 127.0.0.1:{plain}"),
            ("listen 443", f"listen 127.0.0.1:{tls}"),
            ("127.0.0.1:8069", f"127.0.0.1:{odoo}"),
            ("127.0.0.1:8072", f"127.0.0.1:{odoo}"),  # without workers Odoo has one port
            ("127.0.0.1:8070", gatehouse.url.removeprefix("http://")),
            (f"/etc/ssl/certs/{NAME}.pem", str(certificate)),
            (f"/etc/ssl/private/{NAME}.key", str(key)),
        ):
            assert old in text, old
            text = text.replace(old, new)
        (folder / "site.conf").write_text(text)
        (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
        command = [program("nginx", "nginx-light"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        assert "[warn]" not in tested.stderr, tested.stderr
        stack.enter_context(_running(command, folder / "nginx.log"))
        found = Site(tls, certificate, server.database, gatehouse)
        wait_until(lambda: _reaches(found), 10, lambda: (folder / "error.log").read_text())
        yield found


def _reaches(site: Site) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return site.client().get(f"https://{NAME}/healthz", timeout=10).status_code == 200
    return False


@pytest.fixture
def person(site: Site) -> requests.Session:
    """A client that has logged in at Odoo's login page, as a person does."""
    client = site.client("127.0.0.9")
    page = client.get(f"https://{NAME}/web/login", timeout=60)
    assert page.status_code == 200, page.text[-500:]
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    form = {"csrf_token": token[1], "login": "admin", "password": "admin", "redirect": "/web/health"}
    answer = client.post(f"https://{NAME}/web/login", data=form, timeout=60)
    assert answer.url == f"https://{NAME}/web/health"
    return client


def test_a_person_logged_in_at_odoos_login_page_calls_an_api(person: requests.Session) -> None:
    answer = person.get(f"https://{NAME}/api/partner/rest?limit=2", timeout=30)
    assert answer.status_code == 200
    assert len(answer.json()["result"]["records"]) == 2
    # Odoo serves on, in the same session, and who logs out there has logged out here.
    info = person.post(f"https://{NAME}/web/session/get_session_info", json={}, timeout=30).json()["result"]
    assert info["username"] == "admin"
    person.post(f"https://{NAME}/web/session/destroy", json={}, timeout=30)
    assert person.get(f"https://{NAME}/api/partner/rest?limit=2", timeout=30).status_code == 401


def test_the_audit_has_the_clients_address_and_not_one_that_it_made_up(person: requests.Session, live_sql: Sql) -> None:
    spoofed = {"X-Forwarded-For": "10.9.8.7", "Forwarded": "for=10.9.8.7", "X-Real-IP": "10.9.8.7"}
    answer = person.post(
        f"https://{NAME}/api/partner/rest",
        json={"name": "Behind nginx"},
        headers={**spoofed, "X-Request-ID": "spoofed-address", "X-Forwarded-Host": "evil.example"},
        timeout=30,
    )
    assert answer.status_code == 200
    assert "evil" not in answer.text
    rows = live_sql("SELECT DISTINCT host(address::inet) FROM gatehouse.audit WHERE request_id = 'spoofed-address'")
    assert rows == [("127.0.0.9",)]


def test_own_addresses_lead_to_gatehouse_in_https(site: Site) -> None:
    metadata = site.client().get(f"https://{NAME}/.well-known/oauth-authorization-server", timeout=30).json()
    assert metadata["token_endpoint"] == f"https://{NAME}/api/oauth2/token"
    panel = site.client().get(f"https://{NAME}/admin/", timeout=30)
    assert "Gatehouse" in panel.text
    assert all(cookie.secure for cookie in panel.cookies)


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_what_is_for_ops_is_not_for_others(site: Site, path: str) -> None:
    assert site.client("127.0.0.9").get(f"https://{NAME}{path}", timeout=30).status_code == 403


def test_a_body_that_is_too_large_is_refused_in_gatehouses_form(site: Site) -> None:
    answer = site.client().post(f"https://{NAME}/api/partner/rest", data=b"x" * 35_000_000, timeout=60)
    assert answer.status_code == 413
    error = answer.json()["error"]
    assert (error["code"], error["data"]["request_id"]) == (413, answer.headers["X-Request-ID"])
