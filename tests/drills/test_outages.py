"""What clients see when things fail beside a live server: the database, the disk, the sessions, Odoo's own changes."""

from __future__ import annotations

import base64
import io
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image

from dev.testbed import Testbed
from tests.server.conftest import in_odoo, wait_until
from tests.server.drill import Drill, drilling, no_room
from tests.server.load import Load

pytestmark = [pytest.mark.alone, pytest.mark.live, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def drill(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """The server that the drills share."""
    with drilling(testbed, tmp_path_factory.mktemp("drill")) as found:
        yield found


def readers(drill: Drill, path: str) -> Load[requests.Response]:
    """Return clients that read a path all the time."""
    return Load([lambda: drill.get(path)] * 4, pause=0.05)


def check(load: Load[requests.Response], expected: str) -> None:
    """Every answer is right, or says that the database is away and when to come again."""
    for answer in load.since(0):
        if answer.status_code == 200:
            assert answer.text == expected
        else:
            assert (answer.status_code, answer.json()["error"]["data"]["name"]) == (503, "database_unavailable")
            assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("failure", ["refuse", "hang"])
def test_postgresql_that_is_away_is_503_and_all_is_well_when_it_is_back(drill: Drill, failure: str) -> None:
    path = "/api/partner/rest?limit=3&order=id"
    expected = drill.get(path).text
    with readers(drill, path) as load:
        load.wait_for(9)
        # A restart ends all connections; then there is nobody, or a host that does not answer.
        getattr(drill.proxy, failure)()
        began = time.monotonic()
        wait_until(lambda: any(answer.status_code == 503 for answer in load.since(began)), 30)
        assert drill.get("/readyz").status_code == 503
        drill.proxy.forward()
        back = time.monotonic()
        wait_until(lambda: [answer.status_code for answer in load.since(back)][-8:] == [200] * 8, 60)
    check(load, expected)
    assert drill.get("/readyz").status_code == 200


def test_a_session_store_that_cannot_be_read_is_503_and_logs_nobody_out(drill: Drill) -> None:
    path = "/api/partner/rest?limit=1"
    assert drill.get(path).status_code == 200
    sessions = drill.data_dir / "sessions"
    sessions.rename(sessions.with_name("away"))
    sessions.touch()  # a file: rights would not keep root out
    try:
        params = {"db": drill.server.database, "login": "demo", "password": "demo"}
        envelope = {"jsonrpc": "2.0", "params": params}
        for answer in (
            drill.get(path),
            requests.post(f"{drill.server.url}/web/session/authenticate", json=envelope, timeout=60),
        ):
            assert (answer.status_code, answer.json()["error"]["data"]["name"]) == (503, "session_store_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            assert str(drill.data_dir) not in answer.text
        # Who needs no session is served.
        assert requests.post(f"{drill.server.url}/api/company/rpc/1", json={}, timeout=60).status_code == 200
    finally:
        sessions.unlink()
        sessions.with_name("away").rename(sessions)
    assert drill.get(path).status_code == 200


def _picture() -> str:
    """Return a picture of more than 2 MB, in base64."""
    file = io.BytesIO()
    Image.frombytes("RGB", (1000, 900), os.urandom(1000 * 900 * 3)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_a_full_disk_is_503_and_leaves_nothing_half_written(drill: Drill) -> None:
    before, values = drill.filestore(), {"name": "With a picture", "image_1920": _picture()}

    def create() -> requests.Response:
        cookies = drill.server.session().cookies
        return requests.post(f"{drill.server.url}/api/images", json=values, cookies=cookies, timeout=60)

    with no_room(drill.server, 2_000_000):
        answer = create()
    assert (answer.status_code, answer.json()["error"]["data"]["name"]) == (503, "storage_full")
    assert int(answer.headers["Retry-After"]) > 0
    assert drill.filestore() == before
    found = drill.get("/api/images?fields=name").json()["result"]["records"]
    assert "With a picture" not in [record["name"] for record in found]
    # With room again the very same file is saved.
    record: dict[str, Any] = create().json()["result"]
    picture = drill.get(record["image_1920"])
    assert base64.b64encode(picture.content).decode() == values["image_1920"]


def test_an_addon_that_odoo_installs_is_there_in_every_worker_and_no_call_fails(drill: Drill, testbed: Testbed) -> None:
    path = "/api/partner/rest?limit=3&order=id"
    record = drill.get(path).json()["result"]["records"][0]["id"]
    assert "street_name" not in drill.get(f"/api/everything/{record}").json()["result"]
    expected = drill.get(path).text
    with readers(drill, path) as load:
        install = "env['ir.module.module'].search([('name', '=', 'base_address_extended')]).button_immediate_install()"
        in_odoo(testbed, drill.server.database, install)
        time.sleep(1)  # the time that the contract gives
        for _ in range(12):  # a connection each, so that both workers are asked
            assert "street_name" in drill.get(f"/api/everything/{record}").json()["result"]
    assert {answer.status_code for answer in load.since(0)} == {200}
    check(load, expected)
