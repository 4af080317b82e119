"""A PostgreSQL whose processes are killed: it cuts off all sessions, recovers, and no client sees a 500."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
import requests

from dev import databases, paths
from dev.cluster import Cluster
from dev.testbed import Testbed
from tests.server.commands import run_flask
from tests.server.conftest import Server, environment_of, gunicorn, wait_until
from tests.server.load import Load
from tests.server.replication import copy_template

pytestmark = [pytest.mark.alone, pytest.mark.live, pytest.mark.timeout(400)]

_APIS = """
apis:
- {name: Records, route: /api/records, published: true, models: [{model: test.record, fields: [name, notes, length]}]}
- name: Limited
  route: /api/limited
  published: true
  rate_limit: 100000/minute
  models: [{model: res.partner, fields: [name, email]}]
"""
#: Crashes that calls have to meet, and how many there may be: PostgreSQL can be back before a call asks it anything.
_MET, _CRASHES = 4, 20


@dataclasses.dataclass
class Fragile:
    """A server on a PostgreSQL of its own."""

    server: Server
    testbed: Testbed

    def backends(self) -> list[int]:
        """Return the processes that serve the server's connections; none while PostgreSQL recovers."""
        with contextlib.suppress(psycopg2.OperationalError), contextlib.closing(self._connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend' "
                "AND pid <> pg_backend_pid() ORDER BY state = 'active' DESC, random()",
                (self.server.database,),
            )
            return [pid for (pid,) in cursor.fetchall()]
        return []

    def crash(self) -> None:
        """Kill a process that serves a connection: PostgreSQL ends all the others and recovers."""
        wait_until(self._kill, 60)

    def _kill(self) -> bool:
        for pid in self.backends():
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def _connect(self) -> psycopg2.extensions.connection:
        return psycopg2.connect(self.testbed.dsn(self.server.database))


@pytest.fixture(scope="module")
def fragile(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fragile]:
    """A server whose PostgreSQL may be killed."""
    folder, base = tmp_path_factory.mktemp("crash"), paths.LOCAL / "test" / f"crash_{os.getpid()}"
    base.mkdir(mode=0o711)
    place = Cluster(base / "postgres")
    try:
        place.create()
        port = place.start()
        conf, data_dir, database = folder / "odoo.conf", folder / "data", f"gatehouse_crash_{os.getpid()}"
        here = dataclasses.replace(testbed, port=port, password=place.password, odoo_conf=conf)
        copy_template(testbed, here, database, folder / "template.dump", place.binaries())
        filestore = databases.filestore(data_dir, database)
        filestore.parent.mkdir(parents=True)
        filestore.symlink_to(databases.filestore(testbed.data_dir, testbed.template))
        ours = {"db_port": port, "db_password": place.password, "data_dir": data_dir}
        text = testbed.odoo_conf.read_text()
        for name, value in ours.items():
            text = re.sub(rf"(?m)^{name} = .*", f"{name} = {value}", text)
        conf.write_text(text)
        (folder / "apis.yaml").write_text(_APIS)
        environment = environment_of(here, database)
        run_flask(["db", "upgrade"], environment)
        for file in ("dev/demo.yaml", str(folder / "apis.yaml")):
            run_flask(["api", "import", file], environment)
        # Its clients are one caller, and calls take long while PostgreSQL is away.
        with gunicorn(here, database, folder / "log", GATEHOUSE_CALLS_PER_CALLER="8") as server:
            yield Fragile(server, here)
    finally:
        if place.complete:
            place.stop()
        shutil.rmtree(base)


def _calls(number: int) -> list[tuple[str, str, Any]]:
    """Return one call of each kind: method, path, JSON."""
    rows = [{"name": f"{number}.{index}", "notes": "x" * 50} for index in range(20)]
    return [
        ("GET", "/api/partner/rest?limit=20", None),
        ("POST", "/api/records", {"name": f"{number}"}),
        ("GET", "/api/records?limit=50&order=name", None),
        ("POST", "/api/records", rows),
        ("POST", "/api/records?atomic=false", rows),
        ("GET", "/api/limited?limit=3", None),
        ("POST", "/api/company/rpc/1", {}),
        ("GET", "/admin/analytics/", None),
        ("GET", "/admin/apis/", None),
        ("GET", "/admin/log/", None),
        ("GET", "/admin/audit/", None),
        ("GET", "/api/openapi.json", None),
        ("GET", "/api/oauth2/consents", None),
        ("GET", "/readyz", None),
    ]


@dataclasses.dataclass
class Client:
    """A client that makes one kind of call after the other."""

    server: Server
    number: int

    def __post_init__(self) -> None:
        self._session = self.server.session()
        self._calls = itertools.cycle(_calls(self.number)[self.number % 3 :: 1 + self.number % 2])

    def __call__(self) -> tuple[str, requests.Response]:
        """Make the next call; return what it is, and its answer."""
        method, path, body = next(self._calls)
        url = f"{self.server.url}{path}"
        return f"{method} {path}", self._session.request(method, url, json=body, timeout=120, allow_redirects=False)


def _are_good(answers: list[tuple[str, requests.Response]]) -> bool:
    """Whether the last answers are all as if nothing had been: so many that each kind of call is among them."""
    return [answer.status_code for _, answer in answers][-80:] == [200] * 80


def test_a_postgresql_that_crashes_is_503_and_all_is_well_by_itself(fragile: Fragile) -> None:
    with Load([Client(fragile.server, number) for number in range(6)]) as load:
        met = 0
        for _ in range(_CRASHES):
            load.wait_for(30)
            answered, began = len(load.answers), time.monotonic()
            fragile.crash()
            wait_until(lambda began=began: _are_good(load.since(began)), 120)  # type: ignore[misc]
            met += 503 in {answer.value[1].status_code for answer in load.answers[answered:]}
            if met == _MET:
                break
        assert met == _MET
    seen = Counter((call.partition("?")[0], answer.status_code) for call, answer in load.since(0))
    wrong = {key: count for key, count in seen.items() if key[1] not in (200, 503)}
    assert not wrong, f"{wrong}\n{fragile.server.log.read_text()[-20000:]}"
    for call, answer in load.since(0):
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0, call
