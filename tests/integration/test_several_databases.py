"""docs/several-databases.md: two databases behind one nginx and one Odoo, by host name, a Gatehouse for each."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
import requests

from dev.testbed import Testbed
from tests.integration import nginx
from tests.pages import blocks
from tests.server.conftest import Server, free_port, serving

pytestmark = pytest.mark.live
#: The databases; Odoo's dbfilter takes the first part of a name, in which no underscore may stand.
DATABASES = {"one": f"gatehouseone{os.getpid()}", "two": f"gatehousetwo{os.getpid()}"}
NAMES = {short: f"{database}.example.com" for short, database in DATABASES.items()}
PARTNERS = "/api/partner/rest?limit=1&order=id&fields=name"


@dataclass
class Sites:
    """Both names at one port."""

    port: int
    certificate: Path
    gatehouses: dict[str, Server]

    def client(self, short: str) -> requests.Session:
        """Return a client of one of the names."""
        return nginx.client(NAMES[short], self.port, self.certificate)

    def logged_in(self, short: str) -> requests.Session:
        """Return a client that has logged in at Odoo, under that name."""
        session = self.client(short)
        params = {"db": DATABASES[short], "login": "admin", "password": "admin"}
        url = f"https://{NAMES[short]}/web/session/authenticate"
        assert session.post(url, json={"params": params}, timeout=60).json()["result"]["db"] == DATABASES[short]
        return session


def _block(language: str, heading: str) -> str:
    (block,) = blocks("several-databases", language, heading)
    return block


@pytest.fixture(scope="module")
def sites(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    folder = tmp_path_factory.mktemp("databases")
    folder.chmod(0o755)
    certificate, key = nginx.certificate(folder, *NAMES.values())
    plain, tls = free_port(), free_port()
    with contextlib.ExitStack() as stack:
        gatehouses = {}
        for short, database in DATABASES.items():
            hosts = f"{NAMES[short]}, 127.0.0.1"
            running = serving(
                testbed, database, folder / f"{short}.log", GATEHOUSE_TRUSTED_PROXIES="1", GATEHOUSE_HOSTS=hosts
            )
            gatehouses[short] = stack.enter_context(running)
            _name_first_partner(testbed, database, f"Of {short}")
        (dbfilter,) = re.findall(r"^dbfilter = (.*)$", _block("ini", "Odoo"), re.MULTILINE)
        odoo = stack.enter_context(nginx.odoo(testbed, folder, f"--db-filter={dbfilter}"))
        text = re.sub(
            r"upstream gatehouse .*?\nmap \$host [^\n]*\n", _block("nginx", "One nginx"), nginx.site(), flags=re.DOTALL
        )
        changes = {
            "server_name api.example.com": f"server_name {' '.join(NAMES.values())}",
            "one.example.com": NAMES["one"],
            "two.example.com": NAMES["two"],
            "listen 80": f"listen 127.0.0.1:{plain}",
            "listen 443": f"listen 127.0.0.1:{tls}",
            "127.0.0.1:8069": f"127.0.0.1:{odoo}",
            "127.0.0.1:8072": f"127.0.0.1:{odoo}",
            "127.0.0.1:8081": gatehouses["one"].url.removeprefix("http://"),
            "127.0.0.1:8082": gatehouses["two"].url.removeprefix("http://"),
            "/etc/ssl/certs/api.example.com.pem": str(certificate),
            "/etc/ssl/private/api.example.com.key": str(key),
        }
        stack.enter_context(nginx.running(folder, nginx.changed(text, changes), tls))
        yield Sites(tls, certificate, gatehouses)


def _name_first_partner(testbed: Testbed, database: str, name: str) -> None:
    with (
        contextlib.closing(psycopg2.connect(testbed.dsn(database))) as connection,
        connection,
        connection.cursor() as cr,
    ):
        cr.execute(
            "UPDATE res_partner SET name = %s WHERE id = (SELECT min(id) FROM res_partner WHERE active)", (name,)
        )


@pytest.mark.parametrize("short", DATABASES)
def test_each_name_is_answered_from_its_database(sites: Sites, short: str) -> None:
    answer = sites.logged_in(short).get(f"https://{NAMES[short]}{PARTNERS}", timeout=30)
    assert answer.status_code == 200
    assert [record["name"] for record in answer.json()["result"]["records"]] == [f"Of {short}"]


def test_a_session_of_one_database_is_none_at_the_other(sites: Sites) -> None:
    cookie = sites.logged_in("one").cookies.get("session_id")
    answer = sites.client("two").get(
        f"https://{NAMES['two']}{PARTNERS}", headers={"Cookie": f"session_id={cookie}"}, timeout=30
    )
    assert answer.status_code == 401


def test_a_log_in_at_one_name_does_not_open_the_other_database(sites: Sites) -> None:
    params = {"db": DATABASES["two"], "login": "admin", "password": "admin"}
    session = sites.client("one")
    answer = session.post(f"https://{NAMES['one']}/web/session/authenticate", json={"params": params}, timeout=60)
    assert "error" in answer.json()
    assert session.get(f"https://{NAMES['one']}{PARTNERS}", timeout=30).status_code == 401


def test_a_token_of_one_database_is_unknown_to_the_other(sites: Sites) -> None:
    create = ("client", "create", "Both", "--api", "Partners", "--scope", "search", "--user", "admin", "--json")
    client = json.loads(sites.gatehouses["one"].flask(*create).stdout)
    form = {
        "grant_type": "client_credentials",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
    }
    url = f"https://{NAMES['one']}/api/oauth2/token"
    headers = {"Authorization": f"Bearer {sites.client('one').post(url, data=form, timeout=30).json()['access_token']}"}
    codes = {
        short: sites.client(short).get(f"https://{NAMES[short]}{PARTNERS}", headers=headers, timeout=30).status_code
        for short in DATABASES
    }
    assert codes == {"one": 200, "two": 401}


def test_a_gatehouse_refuses_the_name_of_another_database(sites: Sites) -> None:
    url = f"{sites.gatehouses['two'].url}{PARTNERS}"
    answer = requests.get(url, headers={"Host": NAMES["one"]}, timeout=30)
    assert answer.status_code == 400
