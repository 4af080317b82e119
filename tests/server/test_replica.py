"""Reads on a streaming replica: used where it is as new as the primary, and never where it is not."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from dev.testbed import Testbed
from tests.server.commands import run_flask
from tests.server.conftest import Server, environment_of, gunicorn, wait_until
from tests.server.replication import Pair, replicated
from tests.server.workers import wait_for_api

pytestmark = pytest.mark.live
TOKEN = "an ops person's token"
API = "/api/partner/rest"
_EXPORTED = """
apis:
- name: Exported
  route: /api/exported
  published: true
  endpoints: {export: true}
  models: [{model: test.record, fields: [name, notes]}]
"""


@pytest.fixture(scope="module")
def pair(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A primary and its replica."""
    with replicated(testbed, tmp_path_factory.mktemp("replication")) as pair:
        yield pair


@pytest.fixture(scope="module")
def beside(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows both."""
    environment = environment_of(pair.testbed, pair.database)
    run_flask(["db", "upgrade"], environment)
    run_flask(["api", "import", "dev/demo.yaml"], environment)
    log = tmp_path_factory.mktemp("beside") / "gunicorn.log"
    settings = {"GATEHOUSE_METRICS_TOKEN": TOKEN, "GATEHOUSE_LOG_FORMAT": "json"}
    with gunicorn(pair.testbed, pair.database, log, **settings) as server:
        yield server


@pytest.fixture
def reads(beside: Server) -> Callable[[str], float]:
    """Return how many reads the replica or the primary has done since there is a replica."""

    def count(where: str) -> float:
        text = requests.get(f"{beside.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10).text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        wanted = ("gatehouse_replica_reads_total", {"server": where})
        return sum(sample.value for sample in samples if (sample.name, sample.labels) == wanted)

    return count


def test_reads_go_to_the_replica_and_see_what_was_just_written(
    beside: Server, pair: Pair, reads: Callable[[str], float]
) -> None:
    session = beside.session()
    record = session.post(f"{beside.url}{API}", json={"name": "replicated"}).json()["result"]
    before = reads("replica")
    for turn in range(20):
        changed = session.patch(f"{beside.url}{API}/{record['id']}", json={"phone": str(turn)}).json()["result"]
        # A connection of its own, so that the other worker may be asked.
        read = requests.get(f"{beside.url}{API}/{record['id']}", cookies=session.cookies, timeout=10)
        assert read.json()["result"] == changed
    assert reads("replica") > before
    with pair.on_standby() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'gatehouse-%'")
        assert cursor.fetchone()
    connection.close()


def test_an_export_is_read_from_the_replica_and_cut_where_that_gives_up(
    beside: Server, pair: Pair, reads: Callable[[str], float], tmp_path: Path
) -> None:
    (tmp_path / "apis.yaml").write_text(_EXPORTED)
    beside.flask("api", "import", str(tmp_path / "apis.yaml"))
    with contextlib.closing(psycopg2.connect(pair.testbed.dsn(pair.database))) as connection, connection:
        connection.cursor().execute(
            "INSERT INTO test_record (name, active, notes) SELECT n::text, true, repeat('x', 1500) "
            "FROM generate_series(1, 60000) n"  # 90 MB: more than the sockets between us hold
        )
    wait_for_api(beside, "/api/exported")
    session = beside.session()
    cookie = {"Cookie": f"session_id={session.cookies['session_id']}"}
    begun: list[requests.Response] = []

    def is_read_there() -> bool:
        before = reads("replica")
        answer = requests.get(f"{beside.url}/api/exported/export", headers=cookie, stream=True, timeout=60)
        if answer.status_code == 200 and reads("replica") > before:
            begun.append(answer)
            return True
        answer.close()  # the replica was behind, and not asked
        return False

    wait_until(is_read_there, 30)
    with begun.pop() as answer, contextlib.closing(pair.on_standby()) as connection, connection.cursor() as cursor:
        lines = answer.iter_lines()
        assert json.loads(next(lines))["name"] == "1"
        # By its transaction: its state is another while it reads than while it waits for us.
        found = "FROM pg_stat_activity WHERE application_name LIKE 'gatehouse-%' AND xact_start IS NOT NULL"
        cursor.execute(f"SELECT pg_terminate_backend(pid) {found}")
        assert cursor.rowcount
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            list(lines)


def test_a_replica_that_is_behind_is_not_asked(beside: Server, pair: Pair, reads: Callable[[str], float]) -> None:
    session = beside.session()
    with pair.on_standby() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_wal_replay_pause()")
        before = reads("replica")
        record = session.post(f"{beside.url}{API}", json={"name": "not yet there"}).json()["result"]
        for _ in range(4):
            found = requests.get(f"{beside.url}{API}/{record['id']}", cookies=session.cookies, timeout=10)
            assert found.json()["result"] == record
        assert reads("replica") == before
        cursor.execute("SELECT pg_wal_replay_resume()")
    connection.close()

    def is_asked_again() -> bool:
        session.get(f"{beside.url}{API}?limit=1")
        return reads("replica") > before

    wait_until(is_asked_again, 30)


def test_a_replica_that_is_away_is_not_missed(beside: Server, pair: Pair, reads: Callable[[str], float]) -> None:
    before = reads("primary")
    pair.standby.stop()
    session = beside.session()

    def is_done_by_the_primary() -> bool:
        # A worker that has just found the replica behind leaves it alone for a second, and counts nothing.
        answer = requests.get(f"{beside.url}{API}?limit=1", cookies=session.cookies, timeout=10)
        assert answer.status_code == 200
        return reads("primary") >= before + 4 and _odoo_says(beside, "readonly cursor")

    wait_until(is_done_by_the_primary, 30)


def _odoo_says(server: Server, words: str) -> bool:
    whole, _, _ = server.log.read_text().rpartition("\n")
    lines = map(json.loads, whole.splitlines())
    return any(words in line["message"] for line in lines if line["logger"].startswith("odoo"))
