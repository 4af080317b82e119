"""``flask db``, and what other commands say of a schema that this version does not work on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest
from click.testing import Result

from app.catalog import migrating
from app.catalog.schema_version import KNOWN
from app.web.routing import Gatehouse
from dev.testbed import Testbed
from tests.server.conftest import wait_until

Sql = Callable[..., list[tuple[Any, ...]]]
Run = Callable[..., Result]
HEAD, BEFORE = KNOWN[-1], KNOWN[-2]
#: The revision before one that changes the request log.
BEFORE_REASONS = "0007"


@pytest.fixture
def run(app: Gatehouse, sql: Sql) -> Iterator[Run]:
    """Run a command; afterwards the schema is what it was."""
    ((oldest,),) = sql("SELECT oldest_code FROM gatehouse.compatibility")
    yield lambda *arguments, **options: app.test_cli_runner().invoke(args=arguments, **options)
    sql("UPDATE gatehouse.alembic_version SET version_num = %s WHERE version_num <> ALL(%s)", HEAD, list(KNOWN))
    migrating.upgrade(app.services.database)
    sql("UPDATE gatehouse.compatibility SET oldest_code = %s", oldest)


def _make_newer(sql: Sql, oldest_code: str) -> None:
    sql("UPDATE gatehouse.alembic_version SET version_num = '9999'")
    sql("UPDATE gatehouse.compatibility SET oldest_code = %s", oldest_code)


def _revision(sql: Sql) -> str:
    ((revision,),) = sql("SELECT version_num FROM gatehouse.alembic_version")
    return str(revision)


def test_an_upgrade_that_is_done_says_so(run: Run) -> None:
    done = run("db", "upgrade")
    assert (done.exit_code, done.output) == (0, f"The schema gatehouse is up to date: {HEAD}.\n")


def test_a_newer_schema_that_allows_this_version_stays_as_it_is(run: Run, sql: Sql) -> None:
    _make_newer(sql, HEAD)
    done = run("db", "upgrade")
    assert (done.exit_code, _revision(sql)) == (0, "9999")
    assert "at 9999, which is newer" in done.output
    assert "nothing was done" in done.output
    assert run("db", "current").exit_code == 0
    assert run("api", "list").exit_code == 0


def test_a_newer_schema_that_does_not_is_refused_with_a_sentence(run: Run, sql: Sql) -> None:
    _make_newer(sql, "9998")
    for command in (["db", "upgrade"], ["api", "list"], ["client", "list"], ["token", "list", "x"]):
        done = run(*command)
        assert done.exit_code == 2, command
        assert done.output.startswith("Error: The schema gatehouse is at 9999, which asks for code of revision 9998")
        assert done.output.count("\n") == 1
    assert _revision(sql) == "9999"


def test_current_tells_the_revisions_and_whether_this_version_works_on_them(run: Run, sql: Sql) -> None:
    fine = run("db", "current", "--json")
    assert fine.exit_code == 0
    assert json.loads(fine.output)["problem"] is None
    _make_newer(sql, "9998")
    found = run("db", "current", "--json")
    assert found.exit_code == 1
    facts = json.loads(found.output)
    assert "9998 or newer" in facts.pop("problem")
    assert facts == {"database": "9999", "code": HEAD, "oldest_code": "9998"}
    text = run("db", "current")
    assert text.exit_code == 1
    assert "9999" in text.output
    assert "9998 or newer" in text.output


def test_a_downgrade_says_what_is_lost_and_asks(run: Run, sql: Sql) -> None:
    declined = run("db", "downgrade", "0004", input="n\n")
    assert declined.exit_code == 1
    for lost in ("0006: the call ids", "0005: bodies in the request log"):
        assert lost in declined.output
    assert "0004:" not in declined.output
    assert _revision(sql) == HEAD


def test_a_downgrade_goes_back_and_an_upgrade_there_again(run: Run, sql: Sql) -> None:
    done = run("db", "downgrade", BEFORE, "--yes")
    assert done.exit_code == 0, done.output
    assert f"was at {HEAD}; now it is at {BEFORE}" in done.output
    assert _revision(sql) == BEFORE
    assert "run `flask db upgrade`" in run("db", "current").output
    refused = run("api", "list")
    assert (refused.exit_code, "run `flask db upgrade`" in refused.output) == (2, True)
    assert f"was at {BEFORE}; now it is at {HEAD}" in run("db", "upgrade").output


def test_neutralizing_asks_and_changes_nothing_where_the_answer_is_no(run: Run, sql: Sql) -> None:
    ((key,),) = sql("SELECT value FROM gatehouse.setting WHERE key = 'secret_key'")
    declined = run("db", "neutralize", input="n\n")
    assert (declined.exit_code, "client apps are switched off" in declined.output) == (1, True)
    assert sql("SELECT value FROM gatehouse.setting WHERE key = 'secret_key'") == [(key,)]


@pytest.mark.parametrize(
    ("target", "told"),
    [("", "There is no revision ''"), ("0099", "known are 0001"), (HEAD, "is not older"), ("-1", "No such option")],
)
def test_a_downgrade_needs_an_older_revision(run: Run, sql: Sql, target: str, told: str) -> None:
    done = run("db", "downgrade", target, "--yes")
    assert (done.exit_code, _revision(sql)) == (2, HEAD)
    assert told in done.output
    assert run("db", "downgrade", "--yes").exit_code == 2


def test_a_schema_of_a_newer_version_can_only_be_taken_back_by_that(run: Run, sql: Sql) -> None:
    _make_newer(sql, HEAD)
    done = run("db", "downgrade", BEFORE, "--yes")
    assert (done.exit_code, _revision(sql)) == (2, "9999")
    assert "with the version that made it" in done.output


def _waits(sql: Sql) -> bool:
    query = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'gatehouse.request_log'::regclass"
    return bool(sql(query))


def test_calls_do_not_queue_up_behind_a_migration_that_waits_for_a_table(
    run: Run, sql: Sql, testbed: Testbed, database: str
) -> None:
    holder = psycopg2.connect(testbed.dsn(database))
    with holder.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("SELECT 1 FROM gatehouse.request_log")  # a call that takes its time
        migration = pool.submit(run, "db", "downgrade", BEFORE_REASONS, "--yes")
        wait_until(lambda: _waits(sql), 60)
        sql("SET statement_timeout = '60s'")
        assert sql("SELECT count(*) >= 0 FROM gatehouse.request_log") == [(True,)]  # and one that comes later
        assert not migration.done()
        holder.rollback()
        assert migration.result(120).exit_code == 0
    holder.close()


def test_a_migration_that_gets_no_table_gives_up_and_changes_nothing(
    run: Run, sql: Sql, testbed: Testbed, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "PATIENCE", 0.2)
    monkeypatch.setattr(migrating, "_LOCK_TIMEOUT", 0.05)
    holder = psycopg2.connect(testbed.dsn(database))
    with holder.cursor() as cursor:
        cursor.execute("SELECT 1 FROM gatehouse.request_log")
        done = run("db", "downgrade", BEFORE_REASONS, "--yes")
    holder.close()
    assert (done.exit_code, _revision(sql)) == (2, HEAD)
    assert "nothing has been changed" in done.output
