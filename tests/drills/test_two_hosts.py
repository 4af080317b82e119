"""Two hosts on one database, one data folder and one Redis: what is done at one holds at the other."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from lxml import html

from dev.testbed import Testbed
from tests.packages import program
from tests.server.conftest import Server, free_port, gunicorn, in_odoo, wait_until
from tests.server.tcp_proxy import Proxy

pytestmark = [pytest.mark.alone, pytest.mark.live]
API = "/api/partner/rest"


@pytest.fixture(scope="module")
def shop(server: Server) -> dict[str, str]:
    """A client app that is connected to the demo's API and acts as `demo`, or as who gives consent."""
    made = server.flask(
        *("client", "create", "Shop of two", "--api", "Partners", "--user", "demo"),
        *("--redirect-uri", "https://shop.example/back", "--json"),
    )
    time.sleep(1)
    credentials: dict[str, str] = json.loads(made.stdout.splitlines()[-1])
    return credentials


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis that was started for the test."""
    port = free_port()
    command = [program("redis-server", "redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen([*command, "--dir", str(tmp_path_factory.mktemp("redis"))], stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def proxy(testbed: Testbed) -> Iterator[Proxy]:
    """What stands between the two servers and PostgreSQL."""
    with Proxy(testbed.host, testbed.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def two_servers(
    server: Server, testbed: Testbed, tmp_path_factory: pytest.TempPathFactory, redis: str, proxy: Proxy
) -> Iterator[tuple[Server, Server]]:
    """Two servers on the database of the shared one, with one Redis, as on two hosts."""
    logs = tmp_path_factory.mktemp("hosts")
    conf, text = logs / "odoo.conf", testbed.odoo_conf.read_text()
    assert text.count(f"db_port = {testbed.port}\n") == 1
    conf.write_text(text.replace(f"db_port = {testbed.port}\n", f"db_port = {proxy.port}\n"))
    settings = {"GATEHOUSE_REDIS_URL": redis, "GATEHOUSE_ODOO_CONF": str(conf)}
    with (
        gunicorn(testbed, server.database, logs / "one.log", **settings) as one,
        gunicorn(testbed, server.database, logs / "two.log", **settings) as two,
    ):
        yield one, two


def test_two_servers_share_a_limit_and_what_is_taken_away_ends_on_both(
    two_servers: tuple[Server, Server], shop: dict[str, str], tmp_path: Path, proxy: Proxy
) -> None:
    one, two = two_servers
    document = "apis: [{name: Shared, route: /api/shared, published: %s, clients: [Shop of two], rate_limit: 100/hour, "
    document += "models: [{model: res.partner, fields: [name]}]}]"
    answered: Counter[int] = Counter()

    def publish(state: str) -> None:
        file = tmp_path / "shared.yaml"
        file.write_text(document % state)
        one.flask("api", "import", str(file))

    def statuses(token: str, count: int = 4) -> set[int]:
        headers = {"Authorization": f"Bearer {token}"}
        found = [
            requests.get(f"{server.url}/api/shared?limit=1", headers=headers, timeout=30).status_code
            for server in two_servers
            for _ in range(count)
        ]
        answered.update(found)
        return set(found)

    def wait_for(status: int, token: str) -> None:
        """Wait until both answer so. That it takes no more than a second is a matter of test_revocation_delay."""
        wait_until(lambda: statuses(token) == {status}, 30)

    def token() -> str:
        answer = requests.post(f"{two.url}/api/oauth2/token", data=shop | {"name": None}, timeout=10)
        found: str = answer.json()["access_token"]
        return found

    publish("true")
    first = token()
    wait_for(200, first)
    one.flask("token", "revoke-all", "Shop of two")
    wait_for(401, first)
    second = token()
    assert statuses(second) == {200}
    one.flask("client", "disable", "Shop of two")
    wait_for(401, second)
    one.flask("client", "enable", "Shop of two")
    # PostgreSQL goes away and comes back; what changes then is seen too.
    proxy.refuse()
    assert requests.get(f"{one.url}/readyz", timeout=30).status_code == 503
    proxy.forward()
    wait_until(lambda: all(requests.get(f"{server.url}/readyz").status_code == 200 for server in two_servers), 20)
    wait_for(200, second)
    publish("false")
    wait_for(404, second)
    publish("true")
    wait_for(200, second)
    assert statuses(second, 60) == {200, 429}
    assert answered[200] == 100


def test_a_user_who_is_switched_off_in_odoo_is_out_on_both_servers_within_a_second(
    two_servers: tuple[Server, Server], testbed: Testbed, shop: dict[str, str]
) -> None:
    one, two = two_servers
    in_odoo(
        testbed,
        one.database,
        "env['res.users'].create({'name': 'Leaver', 'login': 'leaver', 'password': 'leaver', 'group_ids': "
        "[(6, 0, [env.ref('base.group_user').id])]})",
    )
    made = one.flask("client", "create", "Leaving", "--api", "Partners", "--user", "leaver", "--json")
    credentials = json.loads(made.stdout.splitlines()[-1])
    time.sleep(1)
    session = two.session("leaver")
    form = {"client_id": credentials["client_id"], "client_secret": credentials["client_secret"]}
    token = requests.post(f"{one.url}/api/oauth2/token", data=form, timeout=10).json()["access_token"]

    def statuses() -> set[int]:
        found = set()
        for server in two_servers:
            for options in ({"headers": {"Authorization": f"Bearer {token}"}}, {"cookies": session.cookies}):
                for _ in range(4):
                    found.add(requests.get(f"{server.url}{API}?limit=1", timeout=10, **options).status_code)
        return found

    assert statuses() == {200}
    in_odoo(testbed, one.database, "env['res.users'].search([('login', '=', 'leaver')]).active = False")
    time.sleep(0.5)
    assert statuses() == {401}


def test_a_session_opens_and_ends_on_both(two_servers: tuple[Server, Server]) -> None:
    one, two = two_servers
    session = requests.Session()
    params = {"db": one.database, "login": "demo", "password": "demo"}
    answer = session.post(f"{one.url}/web/session/authenticate", json={"jsonrpc": "2.0", "params": params}, timeout=30)
    assert answer.json()["result"]["username"] == "demo"
    assert session.get(f"{two.url}{API}?limit=1", timeout=30).status_code == 200
    sid = session.cookies["session_id"]
    session.post(f"{two.url}/web/session/destroy", json={}, timeout=30)
    for host in two_servers:
        assert requests.get(f"{host.url}{API}", cookies={"session_id": sid}, timeout=30).status_code == 401


def test_a_key_that_came_to_one_does_nothing_at_the_other(two_servers: tuple[Server, Server]) -> None:
    headers = {"Idempotency-Key": "two-hosts-1"}
    answers = [
        host.session("demo").post(f"{host.url}{API}", json={"name": "once on two hosts"}, headers=headers, timeout=30)
        for host in two_servers
    ]
    assert answers[0].json()["result"]["id"] == answers[1].json()["result"]["id"]


def test_wrong_secrets_are_counted_together(two_servers: tuple[Server, Server]) -> None:
    def try_at(host: Server) -> int:
        form = {"client_id": "guessed", "client_secret": "wrong"}
        return requests.post(f"{host.url}/api/oauth2/token", data=form, timeout=30).status_code

    assert [try_at(host) for _ in range(5) for host in two_servers] == [401] * 10
    assert [try_at(host) for host in two_servers] == [429, 429]


def test_two_addresses_of_one_cluster_are_one_database_to_the_counters(
    server: Server, testbed: Testbed, tmp_path: Path
) -> None:
    conf = tmp_path / "odoo.conf"
    text = testbed.odoo_conf.read_text()
    assert text.count(f"db_host = {testbed.host}\n") == 1
    conf.write_text(text.replace(f"db_host = {testbed.host}\n", "db_host = localhost\n"))
    form = {"client_id": "guessed at two addresses", "client_secret": "wrong"}
    with gunicorn(testbed, server.database, tmp_path / "other.log", GATEHOUSE_ODOO_CONF=str(conf)) as other:

        def try_at(host: Server) -> int:
            return requests.post(f"{host.url}/api/oauth2/token", data=form, timeout=30).status_code

        assert [try_at(host) for _ in range(5) for host in (server, other)] == [401] * 10
        assert [try_at(host) for host in (server, other)] == [429, 429]


def _form(page: requests.Response, **values: str) -> dict[str, str]:
    (form,) = (form for form in html.fromstring(page.text).forms if form.method == "POST")
    return {name: value for name, value in form.form_values() if value is not None} | values


def test_a_form_of_the_panel_that_one_has_shown_is_taken_by_the_other(two_servers: tuple[Server, Server]) -> None:
    one, two = two_servers
    browser = requests.Session()
    form = _form(browser.get(f"{one.url}/admin/login", timeout=30), login="admin", password="admin")
    entered = browser.post(f"{two.url}/admin/login", data=form, allow_redirects=False, timeout=30)
    assert entered.status_code == 303, entered.text
    settings = browser.get(f"{one.url}/admin/settings/", timeout=30)
    (token,) = set(html.fromstring(settings.text).xpath("//input[@name='csrf_token']/@value"))
    left = browser.post(f"{two.url}/admin/logout", data={"csrf_token": token}, allow_redirects=False, timeout=30)
    assert left.headers["Location"].endswith("/admin/login")
    assert browser.get(f"{one.url}/admin/", allow_redirects=False, timeout=30).status_code == 303


def test_a_consent_that_one_has_asked_for_is_given_at_the_other(
    two_servers: tuple[Server, Server], shop: dict[str, str]
) -> None:
    one, two = two_servers
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {"response_type": "code", "client_id": shop["client_id"], "scope": "search", "state": "s"}
    asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    browser = one.session("demo")
    page = browser.get(f"{one.url}/api/oauth2/authorize", params=asked, timeout=30)
    form = _form(page, allow="Allow")
    form.pop("refuse", None)
    given = browser.post(f"{two.url}/api/oauth2/authorize", params=asked, data=form, allow_redirects=False, timeout=30)
    assert given.status_code == 303, given.text
    (code,) = parse_qs(urlsplit(given.headers["Location"]).query)["code"]
    client = {name: shop[name] for name in ("client_id", "client_secret")}
    exchange = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, **client}
    token = requests.post(f"{one.url}/api/oauth2/token", data=exchange, timeout=30).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"], **client}
    renewed = requests.post(f"{two.url}/api/oauth2/token", data=refresh, timeout=30).json()
    for host, found in ((two, token), (one, renewed)):
        headers = {"Authorization": f"Bearer {found['access_token']}"}
        assert requests.get(f"{host.url}{API}?limit=1", headers=headers, timeout=30).status_code == 200
    assert requests.post(f"{one.url}/api/oauth2/token", data=exchange, timeout=30).status_code == 400
