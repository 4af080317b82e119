"""Eight writers with one key, through the workers of two hosts: one record."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import Server, gunicorn, serving
from tests.server.workers import wait_for_api

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

_APIS = """
apis:
- name: Keyed
  route: /api/keyed
  published: true
  models: [{model: test.record, fields: [name, count, notes], upsert_keys: [name, external_id]}]
"""
WRITERS, ROUNDS = 8, 12


@pytest.fixture(scope="module")
def hosts(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Two servers of two workers on one database."""
    folder = tmp_path_factory.mktemp("keyed")
    with serving(testbed, f"gatehouse_keyed_{os.getpid()}", folder / "one") as one:
        (folder / "apis.yaml").write_text(_APIS)
        one.flask("api", "import", str(folder / "apis.yaml"))
        with gunicorn(testbed, one.database, folder / "two") as two:
            for host in (one, two):
                wait_for_api(host, "/api/keyed")
            yield one, two


def _at_once(hosts: tuple[Server, Server], method: str, path: str, bodies: list[Any]) -> list[requests.Response]:
    """Send one body from each of the writers, all at the same moment, half of them to each host."""
    sessions = [hosts[number % 2].session() for number in range(WRITERS)]
    together = threading.Barrier(WRITERS)

    def write(number: int) -> requests.Response:
        url = f"{hosts[number % 2].url}/api/keyed{path}"
        with requests.Session() as own:
            own.cookies = sessions[number].cookies
            together.wait()
            return own.request(method, url, json=bodies[number], timeout=60)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(write, range(WRITERS)))


def _count(testbed: Testbed, server: Server, query: str, value: str) -> int:
    with contextlib.closing(psycopg2.connect(testbed.dsn(server.database))) as connection:
        cursor = connection.cursor()
        cursor.execute(query, (value,))
        (found,) = cursor.fetchone() or (0,)
        return int(found)


@pytest.mark.parametrize("key", ["name", "external_id"])
def test_one_of_them_makes_the_record_and_all_others_update_it(
    hosts: tuple[Server, Server], testbed: Testbed, key: str
) -> None:
    for number in range(ROUNDS):
        value = f"one {key} {number}"
        bodies = [{"name": value, "count": writer} for writer in range(WRITERS)]
        answers = _at_once(hosts, "PUT", f"/by/{key}/{value}", bodies)
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: WRITERS - 1}
        assert len({answer.json()["result"]["id"] for answer in answers}) == 1
        assert _count(testbed, hosts[0], "SELECT count(*) FROM test_record WHERE name = %s", value) == 1


def test_many_at_once_in_any_order_make_one_record_of_each_key(hosts: tuple[Server, Server], testbed: Testbed) -> None:
    for number in range(ROUNDS):
        items = [{"name": f"many {number} {item}", "notes": "x"} for item in range(WRITERS)]
        bodies = [items[writer:] + items[:writer] for writer in range(WRITERS)]
        answers = _at_once(hosts, "POST", "?on_conflict=name", bodies)
        outcomes = Counter(each["outcome"] for answer in answers for each in answer.json()["result"])
        assert outcomes == {"created": WRITERS, "updated": WRITERS * (WRITERS - 1)}
        assert _count(testbed, hosts[0], "SELECT count(*) FROM test_record WHERE name LIKE %s", f"many {number} %") == (
            WRITERS
        )
