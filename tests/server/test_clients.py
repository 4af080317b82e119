"""Client apps as they are: requests-oauthlib, curl, and a person's browser; and two servers on one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

from dev.testbed import Testbed
from tests.server.conftest import Server, free_port, wait_until
from tests.server.workers import wait_for_api, wait_for_client

pytestmark = pytest.mark.live
API = "/api/partner/rest"


@pytest.fixture(scope="module")
def shop(server: Server) -> dict[str, str]:
    """A client app that is connected to the demo's API and acts as `demo`."""
    made = server.flask("client", "create", "Shop", "--api", "Partners", "--user", "demo", "--json")
    credentials: dict[str, str] = json.loads(made.stdout.splitlines()[-1])
    wait_for_client(server, f"{API}?limit=1", credentials)
    return credentials


@pytest.fixture(autouse=True)
def insecure_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client library insists on https, which a proxy would bring."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def test_requests_oauthlib_gets_a_token_and_uses_it(server: Server, shop: dict[str, str]) -> None:
    session = OAuth2Session(client=BackendApplicationClient(client_id=shop["client_id"]))
    token = session.fetch_token(f"{server.url}/api/oauth2/token", client_secret=shop["client_secret"])
    assert token["token_type"] == "Bearer"
    found = session.get(f"{server.url}{API}", params={"limit": 3}).json()["result"]
    assert len(found["records"]) == 3
    created = session.post(f"{server.url}{API}", json={"name": "by requests-oauthlib"}).json()["result"]
    assert session.delete(f"{server.url}{API}/{created['id']}").json()["result"] == [created["id"]]


def test_curl_gets_a_token_with_a_multipart_form(server: Server, shop: dict[str, str]) -> None:
    form = ["-F", f"client_id={shop['client_id']}", "-F", f"client_secret={shop['client_secret']}"]
    done = subprocess.run(["curl", "-s", f"{server.url}/api/oauth2/token", *form], capture_output=True, check=True)
    token = json.loads(done.stdout)
    assert token["expires_in"] == 1800
    bearer = ["-H", f"Authorization: Bearer {token['access_token']}"]
    done = subprocess.run(["curl", "-s", f"{server.url}{API}?limit=1", *bearer], capture_output=True, check=True)
    assert json.loads(done.stdout)["result"]["length"] > 1


def test_a_rate_limit_is_exact_across_all_workers(server: Server, tmp_path: Path) -> None:
    document = tmp_path / "limited.yaml"
    document.write_text(
        "apis: [{name: Limited, route: /api/limited, published: true, authentication: public, run_as: demo, "
        "rate_limit: 20/minute, models: [{model: res.partner, fields: [name]}]}, "
        "{name: Beside it, route: /api/beside, published: true, models: [{model: res.partner, fields: [name]}]}]"
    )
    server.flask("api", "import", str(document))
    wait_for_api(server, "/api/beside")  # and so the other one too, without a call that counts
    statuses: list[int] = []

    def call() -> None:
        # A connection for each call, so that both workers are asked.
        statuses.extend(requests.get(f"{server.url}/api/limited?limit=1", timeout=10).status_code for _ in range(10))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(statuses) == {200: 20, 429: 20}


@pytest.fixture
def odoo(server: Server, testbed: Testbed, tmp_path: Path) -> Iterator[str]:
    """The address of Odoo's own server on the same database and data folder."""
    port = free_port()
    command = [sys.executable, "-m", "odoo", "-c", str(testbed.odoo_conf)]
    command += ["-d", server.database, "--http-port", str(port), "--http-interface", "127.0.0.1"]
    command += ["--max-cron-threads", "0"]
    path = {"PYTHONPATH": str(testbed.odoo_source)} if testbed.odoo_source else {}
    with (tmp_path / "odoo.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **path}, cwd=tmp_path, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert process.poll() is None, (tmp_path / "odoo.log").read_text()[-2000:]
            try:
                return requests.get(f"{address}/web/health", timeout=5).ok
            except requests.ConnectionError:
                return False

        try:
            wait_until(answers, 60, lambda: (tmp_path / "odoo.log").read_text()[-2000:])
            yield address
        finally:
            process.terminate()
            process.wait(30)


def _session_info(odoo: str, session: requests.Session) -> Any:
    return session.post(f"{odoo}/web/session/get_session_info", json={"params": {}}, timeout=30).json()


def test_a_session_of_odoo_is_good_here_and_one_made_here_is_good_in_odoo(server: Server, odoo: str) -> None:
    made_in_odoo = requests.Session()
    params = {"db": server.database, "login": "demo", "password": "demo"}
    answer = made_in_odoo.post(f"{odoo}/web/session/authenticate", json={"params": params}, timeout=30)
    assert answer.json()["result"]["username"] == "demo"
    assert made_in_odoo.get(f"{server.url}{API}?limit=1").status_code == 200

    made_here = server.session("demo")
    assert _session_info(odoo, made_here)["result"]["username"] == "demo"

    made_in_odoo.post(f"{server.url}/web/session/destroy", json={})
    assert "error" in _session_info(odoo, made_in_odoo)
    made_here.get(f"{odoo}/web/session/logout", allow_redirects=False, timeout=30)
    fresh = requests.Session()
    fresh.cookies = made_here.cookies
    assert fresh.get(f"{server.url}{API}?limit=1").status_code == 401
    server._cookies.pop("demo")


def test_the_log_holds_no_secret(server: Server, shop: dict[str, str]) -> None:
    answer = requests.post(f"{server.url}/api/oauth2/token", data=shop, timeout=10)
    token = answer.json()["access_token"]
    requests.get(f"{server.url}{API}", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    log = server.log.read_text()
    for secret in (token, token.split("_", 2)[2], shop["client_secret"], '"password"'):
        assert secret not in log


def test_no_call_of_a_renamed_client_app_is_refused_and_all_of_a_deleted_one_are(server: Server) -> None:
    made = server.flask("client", "create", "Traveller", "--api", "Partners", "--user", "demo", "--json")
    credentials = json.loads(made.stdout.splitlines()[-1])
    wait_for_client(server, f"{API}?limit=1", credentials)
    form = {name: credentials[name] for name in ("client_id", "client_secret")}
    token = requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=10).json()["access_token"]
    statuses: Counter[int] = Counter()
    ended = threading.Event()

    def status() -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{server.url}{API}?limit=1", headers=headers, timeout=30).status_code

    def call() -> None:
        while not ended.is_set():
            statuses[status()] += 1

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    for old, new in (("Traveller", "Settler"), ("Settler", "Traveller"), ("Traveller", "Citizen")):
        server.flask("client", "rename", old, new)
    ended.set()
    for caller in callers:
        caller.join()
    assert set(statuses) == {200}
    assert statuses[200] > 10
    server.flask("client", "delete", "Citizen", "--yes")
    wait_until(lambda: {status() for _ in range(8)} == {401}, 30)
