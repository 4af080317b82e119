"""Rights that are given and taken while calls run, from inside and from outside: no call is answered by the old ones.

By default each right changes ten times in each way; ``make rights`` does it a hundred times.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg2
import pytest
import requests
import yaml

from dev.testbed import Testbed
from tests.extent import extent
from tests.server.conftest import Server, serving, wait_until
from tests.server.load import Load
from tests.server.odoo_shell import OdooShell

pytestmark = [pytest.mark.alone, pytest.mark.live]

ROUNDS = extent(4, 100)
#: Seconds after which a change that was signalled is known to every call that begins: a look each 0.1 s, and no less.
SETTLED = 0.15


@dataclass
class Place:
    """A server, an Odoo beside it, and a user whose rights change."""

    server: Server
    shell: OdooShell
    testbed: Testbed
    uid: int
    company: int
    settings: int
    admin: requests.Session = field(init=False)
    cookies: Any = field(init=False)

    def __post_init__(self) -> None:
        self.admin = self.server.session("admin")
        self.cookies = self.server.session("subject").cookies

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call as the user, on a connection of its own, so by any worker."""
        return requests.request(method, self.server.url + path, cookies=self.cookies, timeout=60, **options)

    def by_admin(self, method: str, path: str, body: object) -> None:
        """Change something through Gatehouse."""
        answer = self.admin.request(method, self.server.url + path, json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        assert "error" not in answer.json(), answer.text


@dataclass(frozen=True)
class Right:
    """A right that can be given and taken: by Gatehouse, by another Odoo, and how the user notices."""

    inside: Callable[[Place, bool], None]
    outside: Callable[[Place, bool], str]
    has: Callable[[Place], bool]


def _patch_user(values: Callable[[Place, bool], dict[str, Any]]) -> Callable[[Place, bool], None]:
    return lambda place, on: place.by_admin("PATCH", f"/api/users/{place.uid}", values(place, on))


def _write_user(field_name: str, value: Callable[[Place, bool], Any]) -> Callable[[Place, bool], str]:
    return lambda place, on: f'env["res.users"].browse({place.uid}).write({{"{field_name}": {value(place, on)!r}}})'


def _command(place: Place, on: bool, record_id: int) -> list[tuple[int, int]]:
    return [(4 if on else 3, record_id)]


RIGHTS = {
    "active": Right(
        inside=_patch_user(lambda place, on: {"active": on}),
        outside=_write_user("active", lambda place, on: on),
        has=lambda place: place.call("GET", "/api/records?limit=1").status_code == 200,
    ),
    "group_ids": Right(
        inside=_patch_user(lambda place, on: {"group_ids": _command(place, on, place.settings)}),
        outside=_write_user("group_ids", lambda place, on: _command(place, on, place.settings)),
        has=lambda place: place.call("GET", "/admin/settings/", allow_redirects=False).status_code == 200,
    ),
    "company_ids": Right(
        inside=_patch_user(lambda place, on: {"company_ids": _command(place, on, place.company)}),
        outside=_write_user("company_ids", lambda place, on: _command(place, on, place.company)),
        has=lambda place: (
            place.call("GET", "/api/records?limit=1", headers={"X-Company-Id": str(place.company)}).status_code == 200
        ),
    ),
    "rule": Right(
        inside=lambda place, on: place.by_admin("POST", "/api/switch-rule", {"on": not on}),
        outside=lambda place, on: f'env["ir.rule"].search([("name", "=", "Hides what is hidden")]).active = {not on}',
        has=lambda place: (
            place.call("GET", '/api/records?domain=[["name","=","hidden"]]').json()["result"]["length"] == 1
        ),
    ),
    "access": Right(
        inside=lambda place, on: place.by_admin("POST", "/api/switch-access", {"on": on}),
        outside=lambda place, on: f'env.ref("gatehouse_test.record_user").perm_create = {on}',
        has=lambda place: place.call("POST", "/api/records", json={"name": "tried"}).status_code == 200,
    ),
}

_DEFINITIONS = [
    {"name": "Records", "route": "/api/records", "models": [{"model": "test.record", "fields": ["name", "code"]}]},
    {
        "name": "Users",
        "route": "/api/users",
        "models": [
            {
                "model": "res.users",
                "fields": ["active", "group_ids", "company_ids"],
                "writable_fields": ["active", "group_ids", "company_ids"],
            }
        ],
    },
    *(
        {
            "name": method,
            "route": f"/api/{method.replace('_', '-')}",
            "type": "rpc",
            "method": method,
            "arguments": {"on": "harmless"},
            "models": [{"model": "test.record"}],
        }
        for method in ("switch_rule", "switch_access")
    ),
]

_PREPARE = """
company = env["res.company"].create({"name": "Other Company"})
settings = env.ref("base.group_system")
subject = env["res.users"].create({
    "name": "Subject", "login": "subject", "password": "subject",
    "group_ids": [(6, 0, [env.ref("base.group_user").id, settings.id])],
    "company_ids": [(6, 0, [env.ref("base.main_company").id, company.id])],
})
env["test.record"].create({"name": "hidden"})
env["ir.rule"].create({
    "name": "Hides what is hidden", "model_id": env["ir.model"]._get("test.record").id,
    "domain_force": "[('name', '!=', 'hidden')]", "active": False,
})
found = [subject.id, company.id, settings.id]
"""


@pytest.fixture(scope="module", params=[1, 2], ids=["one worker", "two workers"])
def place(
    request: pytest.FixtureRequest, testbed: Testbed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("rights")
    workers = str(request.param)
    with serving(testbed, f"gatehouse_rights_{os.getpid()}", folder / "log", GATEHOUSE_WORKERS=workers) as server:
        shell = OdooShell(testbed, server.database, folder / "shell.log")
        try:
            uid, company, settings = shell.do(_PREPARE)
            definitions = [{"published": True, "id_obfuscation": False, **each} for each in _DEFINITIONS]
            (folder / "apis.yaml").write_text(yaml.safe_dump({"apis": definitions}))
            server.flask("api", "import", str(folder / "apis.yaml"))
            place = Place(server, shell, testbed, uid, company, settings)
            wait_until(lambda: all(right.has(place) for right in RIGHTS.values() for _ in range(10)), 60)
            yield place
        finally:
            shell.end()


def change(place: Place, right: Right, side: str, on: bool) -> None:
    """Give or take a right; it is committed and signalled afterwards."""
    if side == "inside":
        right.inside(place, on)
    else:
        place.shell.do(right.outside(place, on))


@pytest.mark.parametrize("side", ["inside", "outside"])
@pytest.mark.parametrize("name", RIGHTS)
def test_no_call_is_answered_by_rights_of_before_a_change(place: Place, name: str, side: str) -> None:
    right = RIGHTS[name]
    settled: list[tuple[float, float, bool]] = []
    with Load([lambda: right.has(place)] * 3) as load:
        for on in itertools.islice(itertools.cycle((False, True)), 2 * ((ROUNDS + 1) // 2)):
            change(place, right, side, on)
            time.sleep(SETTLED)
            began = time.monotonic()
            load.wait_for(8)
            settled.append((began, time.monotonic(), on))
    wrong = [
        (round(has.began - since, 3), has.value)
        for since, until, on in settled
        for has in load.answers
        if since <= has.began and has.ended <= until and has.value is not on
    ]
    assert wrong == []


@pytest.mark.parametrize("side", ["inside", "outside"])
@pytest.mark.parametrize("name", RIGHTS)
def test_a_call_that_was_held_up_does_not_bring_old_rights_back(place: Place, name: str, side: str) -> None:
    right = RIGHTS[name]
    for _ in range(max(2, ROUNDS // 5)):
        with held_up(place, f"h{next(_codes)}") as release:
            change(place, right, side, False)
            time.sleep(SETTLED)
            assert not any(right.has(place) for _ in range(6))  # the caches are filled anew
            release()
        assert not any(right.has(place) for _ in range(12))
        change(place, right, side, True)
        time.sleep(SETTLED)
        assert all(right.has(place) for _ in range(6))


_codes = itertools.count()


class held_up:  # noqa: N801  a context manager, used as a function
    """A bulk call of the user's, item by item, that waits in its middle for somebody else's row until ``release``."""

    def __init__(self, place: Place, code: str) -> None:
        self._place, self._code = place, code
        self._answers: list[requests.Response] = []
        self._thread = threading.Thread(target=self._call, daemon=True)

    def __enter__(self) -> Callable[[], None]:
        self._other = psycopg2.connect(self._place.testbed.dsn(self._place.server.database))
        with self._other.cursor() as cursor:
            cursor.execute("INSERT INTO test_record (name, code) VALUES ('held', %s)", (self._code,))
        self._thread.start()
        wait_until(self._is_waiting, 30)
        return self._release

    def __exit__(self, *error: object) -> None:
        self._other.close()
        self._thread.join(60)

    def _call(self) -> None:
        items = [{"name": f"item {number}"} for number in range(30)]
        items[3]["code"] = self._code
        self._answers.append(self._place.call("POST", "/api/records?atomic=false", json=items))

    def _is_waiting(self) -> bool:
        assert not self._answers, self._answers[0].text
        with self._other.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction looks once, and keeps what it saw
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock' AND query LIKE '%test_record%'"
            )
            return bool(cursor.fetchone() != (0,))

    def _release(self) -> None:
        self._other.rollback()
        self._thread.join(60)
        (answer,) = self._answers
        assert {item["status"] for item in answer.json()["result"]} == {200}, answer.text
