"""How long calls go on after what they rest on was taken away: on two workers under load, by the clock.

The delays are printed (``-s``).
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
import requests

from dev.testbed import Testbed
from tests.extent import extent
from tests.server.conftest import Server, serving, wait_until
from tests.server.load import Load
from tests.server.odoo_shell import OdooShell
from tests.server.workers import worker_of

pytestmark = [pytest.mark.alone, pytest.mark.live, pytest.mark.timeout(240)]

ROUNDS = extent(2, 10)
#: Seconds after which nobody is served any more, as the contract says.
PROMISED = 1.0
API, APP = "/api/partner/rest", "Delayed"


@dataclass
class Place:
    """A server, an Odoo and a database session beside it, and the header of a caller."""

    server: Server
    shell: OdooShell
    sql: Callable[..., Any]
    form: dict[str, str]
    key: str

    def token(self) -> str:
        """Return a new token of the client app."""
        answer = requests.post(f"{self.server.url}/api/oauth2/token", data=self.form, timeout=30)
        found: str = answer.json()["access_token"]
        return found


@pytest.fixture(scope="module")
def place(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Everything on a database of its own."""
    folder = tmp_path_factory.mktemp("delay")
    with ExitStack() as stack:
        server = stack.enter_context(serving(testbed, f"gatehouse_delay_{os.getpid()}", folder / "server.log"))
        shell = OdooShell(testbed, server.database, folder / "odoo.log")
        stack.callback(shell.end)
        key = shell.do(
            "groups = [(6, 0, [env.ref('base.group_user').id])]\n"
            "user = env['res.users'].create({'name': 'Leaver', 'login': 'leaver', 'group_ids': groups})\n"
            "found = env['res.users.apikeys'].with_user(user).sudo()._generate('rpc', 'delay', None)"
        )
        made = server.flask("client", "create", APP, "--api", "Partners", "--user", "leaver", "--json")
        told = json.loads(made.stdout.splitlines()[-1])
        connection = psycopg2.connect(testbed.dsn(server.database))
        connection.autocommit = True
        stack.callback(connection.close)

        def sql(statement: str) -> None:
            with connection.cursor() as cursor:
                cursor.execute(statement)

        yield Place(server, shell, sql, {name: told[name] for name in ("client_id", "client_secret")}, key)


@dataclass(frozen=True)
class Taken:
    """Something that is taken away and given back: a statement of SQL or, where ``by_odoo``, of Odoo's."""

    away: str
    back: str = "SELECT 1"
    by_odoo: bool = False
    by_key: bool = False


_USER = "env['res.users'].search([('login', '=', 'leaver')])"
_PUBLISHED = "UPDATE gatehouse.api SET document = document || '{\"published\": %s}' WHERE name = 'Partners'"
THINGS = {
    "a token is revoked": Taken("DELETE FROM gatehouse.token"),
    "a client app is switched off": Taken(
        "UPDATE gatehouse.client SET active = false", "UPDATE gatehouse.client SET active = true"
    ),
    "an API is unpublished": Taken(_PUBLISHED % "false", _PUBLISHED % "true"),
    "a user is switched off in Odoo": Taken(f"{_USER}.active = False", f"{_USER}.active = True", by_odoo=True),
    "a user is switched off by SQL": Taken(
        "UPDATE res_users SET active = false WHERE login = 'leaver'",
        "UPDATE res_users SET active = true WHERE login = 'leaver'",
    ),
    "an API key is switched off": Taken(
        "UPDATE res_users_apikeys SET scope = 'none'", "UPDATE res_users_apikeys SET scope = NULL", by_key=True
    ),
    "the user of an API key is switched off in Odoo": Taken(
        f"{_USER}.active = False", f"{_USER}.active = True", by_odoo=True, by_key=True
    ),
}


class Caller:
    """A caller on a connection that stays until a call is refused."""

    def __init__(self, server: Server, shown: str) -> None:
        address = urlsplit(server.url)
        self.client = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
        self._server, self._headers = server, {"Authorization": f"Bearer {shown}"}
        self._worker = 0

    def __call__(self) -> tuple[int, int]:
        """Return the status of a call, and the worker that has served it."""
        is_new = self.client.sock is None
        self.client.request("GET", f"{API}?limit=1", headers=self._headers)
        answer = self.client.getresponse()
        answer.read()
        if is_new:
            self._worker = worker_of(self._server, self.client.sock) if self.client.sock is not None else 0
        return answer.status, self._worker


def take_away(place: Place, thing: Taken) -> dict[int, float]:
    """Return the seconds from the change to the beginning of the last call that was served, by worker."""
    do = place.shell.do if thing.by_odoo else place.sql
    shown = place.key if thing.by_key else place.token()
    calls = [Caller(place.server, shown) for _ in range(6)]
    workers = set(place.server.worker_pids())

    def serve_all() -> bool:
        found = load.since(time.monotonic() - 0.2)
        return {status for status, _ in found} == {200} and {worker for _, worker in found} >= workers

    def refuse_all() -> bool:
        found = load.since(time.monotonic() - 0.3)
        return {status for status, _ in found} <= {401, 403, 404} and {worker for _, worker in found} >= workers

    try:
        with Load(calls) as load:
            wait_until(serve_all, 30, lambda: str(Counter(load.since(time.monotonic() - 1))))
            begins = time.monotonic()
            do(thing.away)
            changed = time.monotonic()
            wait_until(refuse_all, 30, lambda: str(Counter(load.since(time.monotonic() - 1))))
    finally:
        do(thing.back)
        for call in calls:
            call.client.close()
    served = [answer for answer in load.answers if answer.value[0] == 200 and answer.began >= begins]
    last = {pid: max((each.began for each in served if each.value[1] == pid), default=0.0) for pid in workers}
    return {pid: max(0.0, began - changed) for pid, began in last.items()}


@pytest.mark.parametrize("what", THINGS)
def test_whoever_is_shut_out_is_so_on_all_workers_within_a_second(place: Place, what: str) -> None:
    delays = [delay for _ in range(ROUNDS) for delay in take_away(place, THINGS[what]).values()]
    print(f"\n{what}: {' '.join(f'{1000 * delay:.0f}' for delay in delays)} ms")
    assert max(delays) < PROMISED
