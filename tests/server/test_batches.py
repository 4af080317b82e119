"""Batches whose worker is killed in the middle: all of it is there afterwards, or nothing, the audit included."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import Server, wait_until
from tests.server.workers import serving_apis

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

_APIS = """
apis:
- {name: Records, route: /api/killed, published: true, models: [{model: test.record, fields: [name, parent_id]}]}
- name: End
  route: /api/end
  published: true
  type: rpc
  method: end_process
  arguments: {moment: harmless}
  models: [{model: test.record}]
"""
STEPS = 4


@pytest.fixture(scope="module")
def server(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two workers whose processes may be killed."""
    folder = tmp_path_factory.mktemp("killed")
    with serving_apis(testbed, "killed", folder, _APIS, "/api/killed") as started:
        yield started


def _killed(server: Server, name: str, place: int, moment: str, *, atomic: bool) -> None:
    """Send a batch that makes records, and has its process killed at one step, or at the end of the transaction."""
    session = server.session()
    steps: list[dict[str, Any]] = [
        {"method": "POST", "path": "/api/killed", "body": {"name": f"{name} {number}"}} for number in range(STEPS)
    ]
    steps.insert(place, {"method": "POST", "path": "/api/end", "body": {"moment": moment}})
    with pytest.raises(requests.ConnectionError):
        session.post(f"{server.url}/api/batch", json={"atomic": atomic, "steps": steps}, timeout=60)
    wait_until(lambda: session.get(f"{server.url}/api/killed?limit=1", timeout=30).status_code == 200, 30)


def _found(testbed: Testbed, server: Server, name: str) -> tuple[int, int]:
    """Return the number of the records that there are, and of those that the audit says were made."""
    with (
        contextlib.closing(psycopg2.connect(testbed.dsn(server.database))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT array_agg(id) FROM test_record WHERE name LIKE %s", (f"{name} %",))
        ids = (cursor.fetchone() or (None,))[0] or []
        cursor.execute(
            "SELECT count(*) FROM gatehouse.audit WHERE action = 'create' AND record_ids <@ %s::int[]", (ids,)
        )
        return len(ids), (cursor.fetchone() or (0,))[0]


def _audited(testbed: Testbed, server: Server) -> int:
    with (
        contextlib.closing(psycopg2.connect(testbed.dsn(server.database))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM gatehouse.audit WHERE action = 'create'")
        return int((cursor.fetchone() or (0,))[0])


@pytest.mark.parametrize("place", range(STEPS + 1))
def test_an_atomic_batch_that_is_killed_at_a_step_leaves_nothing(server: Server, testbed: Testbed, place: int) -> None:
    before = _audited(testbed, server)
    _killed(server, f"step {place}", place, "now", atomic=True)
    assert _found(testbed, server, f"step {place}") == (0, 0)
    assert _audited(testbed, server) == before


@pytest.mark.parametrize(("moment", "kept"), [("precommit", 0), ("postcommit", STEPS)])
def test_one_that_is_killed_at_its_end_is_kept_as_a_whole_or_not_at_all(
    server: Server, testbed: Testbed, moment: str, kept: int
) -> None:
    before = _audited(testbed, server)
    _killed(server, moment, 0, moment, atomic=True)
    assert _found(testbed, server, moment) == (kept, kept)
    assert _audited(testbed, server) == before + kept


def test_of_one_that_is_not_atomic_the_steps_before_stay(server: Server, testbed: Testbed) -> None:
    _killed(server, "apart", 2, "now", atomic=False)
    assert _found(testbed, server, "apart") == (2, 2)
