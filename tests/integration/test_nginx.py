"""deploy/nginx.conf with Debian's nginx: Odoo and Gatehouse at one address."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from dev.testbed import Testbed
from tests.integration import nginx
from tests.server.conftest import Server, free_port, gunicorn, wait_until
from tests.server.sender import Sender, cookie
from tests.server.workers import ask_each

pytestmark = pytest.mark.live
NAME = "api.example.com"
_COUNTRIES = """
apis:
- name: Countries
  route: /api/countries
  published: true
  authentication: public
  endpoints: {export: true}
  models: [{model: res.country, fields: [name, code]}]
"""
_FOLLOWED = """
apis:
- name: Banks
  route: /api/banks
  published: true
  authentication: public
  run_as: demo
  endpoints: {delta: true}
  models: [{model: res.bank, fields: [name]}]
"""
Sql = Callable[..., list[tuple[Any, ...]]]


@dataclass
class Site:
    """nginx in front of a running Odoo and a running Gatehouse."""

    port: int
    certificate: Path
    database: str
    gatehouse: Server

    def client(self, address: str = "127.0.0.1") -> requests.Session:
        """Return a client with an address of its own."""
        return nginx.client(NAME, self.port, self.certificate, address)


@pytest.fixture(scope="module")
def site(server: Server, testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """deploy/nginx.conf, changed in addresses, ports and paths alone."""
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    certificate, key = nginx.certificate(folder, NAME)
    plain, tls = free_port(), free_port()
    with contextlib.ExitStack() as stack:
        gatehouse = stack.enter_context(
            gunicorn(testbed, server.database, folder / "gunicorn.log", GATEHOUSE_TRUSTED_PROXIES="1")
        )
        odoo = stack.enter_context(nginx.odoo(testbed, folder, "-d", server.database))
        changes = {
            "listen 80": f"listen 127.0.0.1:{plain}",
            "listen 443": f"listen 127.0.0.1:{tls}",
            "127.0.0.1:8069": f"127.0.0.1:{odoo}",
            "127.0.0.1:8072": f"127.0.0.1:{odoo}",  # without workers Odoo has one port
            "127.0.0.1:8070": gatehouse.url.removeprefix("http://"),
            f"/etc/ssl/certs/{NAME}.pem": str(certificate),
            f"/etc/ssl/private/{NAME}.key": str(key),
        }
        stack.enter_context(nginx.running(folder, nginx.changed(nginx.site(), changes), tls))
        yield Site(tls, certificate, server.database, gatehouse)


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


def test_a_query_passes_with_its_body(person: requests.Session) -> None:
    answer = person.request("QUERY", f"https://{NAME}/api/partner/rest", json={"limit": 2, "order": "id"}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["result"]["records"]) == 2


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


def test_an_export_passes_and_is_refused_by_http_1_0(site: Site, server: Server, tmp_path: Path) -> None:
    (tmp_path / "apis.yaml").write_text(_COUNTRIES)
    server.flask("api", "import", str(tmp_path / "apis.yaml"))
    wait_until(lambda: ask_each(site.gatehouse, "/api/countries") == {200}, 30)
    answer = site.client().get(f"https://{NAME}/api/countries/export", timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/x-ndjson")
    assert len(answer.text.splitlines()) > 200
    context = ssl.create_default_context(cafile=str(site.certificate))
    with (
        socket.create_connection(("127.0.0.1", site.port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as client,
    ):
        client.sendall(f"GET /api/countries/export HTTP/1.0\r\nHost: {NAME}\r\n\r\n".encode())
        assert b" 505 " in client.recv(4096).partition(b"\r\n")[0]


def test_an_import_of_any_length_passes(site: Site, server: Server, live_sql: Sql) -> None:
    person, number, text = server.session(), 400, "x" * 50_000  # 20 MB: more than the system keeps on the way
    context = ssl.create_default_context(cafile=str(site.certificate))
    with (
        socket.create_connection(("127.0.0.1", site.port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as client,
    ):
        sender = Sender(client, NAME, "/api/partner/rest", cookie(person))
        for each in range(number):
            sender.send(f'{{"name": "Through nginx {each}", "more": "{text}"}}\n')
            if each < 2:
                sender.send(f'{{"name": "Through nginx, good {each}"}}\n')
                wait_until(lambda each=each: _there(live_sql) > each, 30)  # type: ignore[misc]  it is no request that nginx collects
        sender.end()
        answers = [sender.line() for _ in range(number + 3)]
        assert answers[-1] == {"summary": {"lines": number + 2, "created": 2, "updated": 0, "failed": number}}
        assert sender.answer.read() == b""


def test_a_stream_of_changes_passes_as_they_come(site: Site, server: Server, live_sql: Sql, tmp_path: Path) -> None:
    (tmp_path / "apis.yaml").write_text(_FOLLOWED)
    server.flask("api", "import", str(tmp_path / "apis.yaml"))
    path = "/api/banks/delta?token=latest"
    wait_until(lambda: ask_each(site.gatehouse, path) == {200}, 60)
    address = f"https://{NAME}{path}"
    with site.client().get(address, headers={"Accept": "text/event-stream"}, stream=True, timeout=60) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        live_sql("INSERT INTO res_bank (name, active) VALUES ('Through nginx', true)")
        lines = answer.iter_lines(chunk_size=1)
        (told,) = next(json.loads(line[6:])["changes"] for line in lines if line.startswith(b"data: "))
        assert told["record"]["name"] == "Through nginx"


def _there(live_sql: Sql) -> int:
    return int(live_sql("SELECT count(*) FROM res_partner WHERE name LIKE 'Through nginx, good %'")[0][0])


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_what_is_for_ops_is_not_for_others(site: Site, path: str) -> None:
    assert site.client("127.0.0.9").get(f"https://{NAME}{path}", timeout=30).status_code == 403


def test_a_body_that_is_too_large_is_refused_in_gatehouses_form(site: Site) -> None:
    answer = site.client().post(f"https://{NAME}/api/partner/rest", data=b"x" * 35_000_000, timeout=60)
    assert answer.status_code == 413
    error = answer.json()["error"]
    assert (error["code"], error["data"]["request_id"]) == (413, answer.headers["X-Request-ID"])
    assert error["data"]["message"] == error["message"]
