"""Capture of changes: it makes no write fail, comes back by itself, and goes without a trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest

from app.capture import days, triggers
from app.capture.keeper import SWITCH, Keeper
from app.definitions.document import ApiDocument
from app.web.routing import Gatehouse
from odoo_bridge.changes.needs import TableNeed
from tests import stored_apis

Sql = Callable[..., list[tuple[Any, ...]]]
TABLE = "captured_by_a_test"
FOLLOWED = ApiDocument.model_validate(
    {
        "name": "Followed",
        "route": "/api/followed",
        "published": True,
        "endpoints": {"delta": True},
        "models": [{"model": "test.record", "fields": ["name", "line_ids"]}],
    }
)
NEED = TableNeed(("id",), frozenset({"kept"}), frozenset({"watched", "odd", "file"}))


@pytest.fixture
def captured(app: Gatehouse, sql: Sql) -> Iterator[Callable[[], list[tuple[Any, ...]]]]:
    """A table that is captured, and what was noted of it."""
    sql(
        f"CREATE TABLE {TABLE} (id serial PRIMARY KEY, kept numeric, watched text, odd json, other int, file bytea);"
        f"INSERT INTO {TABLE} (kept, watched, odd, other) VALUES (1, 'a', '{{}}', 1), ('NaN', NULL, NULL, 2)"
    )
    with app.services.database.transaction() as cr:
        triggers.install(cr, TABLE, NEED)
    relation = f"'{TABLE}'::regclass::oid"
    sql(f"DELETE FROM gatehouse.changes WHERE relation = {relation}")

    def noted() -> list[tuple[Any, ...]]:
        return sql(
            f"SELECT op::text, key, fields, old FROM gatehouse.changes WHERE relation = {relation} ORDER BY xid, key"
        )

    yield noted
    sql(f"DROP TABLE {TABLE} CASCADE; DELETE FROM gatehouse.captured WHERE name = '{TABLE}'")


def test_one_row_is_noted_for_each_that_is_changed(captured: Callable[[], Any], sql: Sql) -> None:
    sql(f"INSERT INTO {TABLE} (kept, watched) VALUES (5, 'new')")
    sql(f"UPDATE {TABLE} SET watched = 'b', other = 9 WHERE id = 1")
    sql(f"UPDATE {TABLE} SET kept = 7")
    sql(f"DELETE FROM {TABLE} WHERE id = 2")
    assert captured() == [
        ("I", 3, None, None),
        ("U", 1, ["watched"], {"kept": 1}),
        ("U", 1, ["kept"], {"kept": 1}),
        ("U", 2, ["kept"], {"kept": "NaN"}),
        ("U", 3, ["kept"], {"kept": 5}),
        ("D", 2, None, {"kept": 7}),
    ]


@pytest.mark.parametrize("where", ["", "WHERE id = 1"], ids=["many rows", "one row"])
def test_a_write_that_changes_nothing_that_matters_is_not_noted(
    where: str, captured: Callable[[], Any], sql: Sql
) -> None:
    sql(f"UPDATE {TABLE} SET kept = kept, watched = watched, odd = odd, other = other + 1 {where}")
    assert captured() == []


WRITES = [
    "INSERT INTO {t} (id, kept) VALUES (1, 8) ON CONFLICT (id) DO UPDATE SET kept = EXCLUDED.kept",
    "WITH gone AS (DELETE FROM {t} RETURNING id) UPDATE {t} SET kept = 0 WHERE id NOT IN (SELECT id FROM gone)",
    "UPDATE {t} SET id = id + 100",
    "UPDATE {t} SET odd = '{{\"a\": 1}}', kept = 'Infinity'",
    "UPDATE {t} SET file = decode(repeat('ff', 1000000), 'hex')",
    "TRUNCATE {t}",
    "INSERT INTO {t} (kept) SELECT n FROM generate_series(1, 5000) n",
    "DELETE FROM {t} WHERE false",
    "ALTER TABLE {t} DROP COLUMN watched; UPDATE {t} SET kept = 3; DELETE FROM {t}",
    "ALTER TABLE {t} DROP COLUMN kept; UPDATE {t} SET watched = 'x'; DELETE FROM {t}",
    "ALTER TABLE {t} RENAME COLUMN watched TO seen; UPDATE {t} SET seen = 'x' WHERE id = 1; UPDATE {t} SET seen = 'y'",
    "ALTER TABLE {t} DROP COLUMN id; INSERT INTO {t} (kept) VALUES (1); UPDATE {t} SET kept = 3; DELETE FROM {t}",
    "ALTER TABLE {t} ALTER COLUMN kept TYPE text; UPDATE {t} SET kept = 'text'",
    "ALTER TABLE {t} ALTER COLUMN watched TYPE point USING NULL; UPDATE {t} SET watched = '(1,2)'",
    "BEGIN; SAVEPOINT a; UPDATE {t} SET kept = 3; ROLLBACK TO a; UPDATE {t} SET kept = 4; COMMIT",
    "SET search_path = pg_temp; UPDATE public.{t} SET kept = 4; SET search_path = public",
    "ALTER TABLE {t} RENAME TO {t}_2; UPDATE {t}_2 SET kept = 9; ALTER TABLE {t}_2 RENAME TO {t}",
]


@pytest.mark.parametrize("statement", WRITES)
def test_no_write_and_no_upgrade_fails_for_it(statement: str, captured: Callable[[], Any], sql: Sql) -> None:
    sql(statement.format(t=TABLE))


def test_without_the_table_of_the_changes_nothing_is_noted_and_all_goes_on(
    captured: Callable[[], Any], sql: Sql
) -> None:
    sql("ALTER TABLE gatehouse.changes RENAME TO away")
    try:
        for statement in ("INSERT INTO {t} (kept) VALUES (1)", "UPDATE {t} SET kept = 4", "DELETE FROM {t}"):
            sql(statement.format(t=TABLE))
    finally:
        sql("ALTER TABLE gatehouse.away RENAME TO changes")


def test_what_no_day_is_made_for_is_in_the_default_partition(
    captured: Callable[[], Any], app: Gatehouse, sql: Sql
) -> None:
    inheriting = "FROM pg_inherits WHERE inhparent = 'gatehouse.changes'::regclass"
    for (name,) in sql(f"SELECT inhrelid::regclass::text {inheriting}"):
        if not name.endswith("_default"):
            sql(f"DROP TABLE {name}")
    sql(f"UPDATE {TABLE} SET kept = 4 WHERE id = 1")
    assert len(captured()) == 1
    days.make(app.services.database)  # today's rows are elsewhere: they stay there
    sql(f"UPDATE {TABLE} SET kept = 5 WHERE id = 1")
    assert len(captured()) == 2


def test_it_runs_with_the_rights_of_who_made_it_and_nobody_else_can_call_it(app: Gatehouse, sql: Sql) -> None:
    for name in ("note_insert", "note_update", "note_delete", "note_truncate"):
        ((is_definers, settings, others),) = sql(
            "SELECT prosecdef, proconfig, has_function_privilege('pg_monitor', oid, 'EXECUTE') FROM pg_proc "
            "WHERE oid = to_regproc('gatehouse.' || %s)",
            name,
        )
        assert (is_definers, settings, others) == (True, ["search_path=pg_catalog, pg_temp"], False)


def test_what_was_noted_before_stays_good_where_more_is_asked_for(
    captured: Callable[[], Any], app: Gatehouse, sql: Sql
) -> None:
    def since() -> tuple[int, dict[str, int]]:
        ((first, kept, watched),) = sql("SELECT since, kept, watched FROM gatehouse.captured WHERE name = %s", TABLE)
        return first, {**kept, **watched}

    first, columns = since()
    sql("SELECT pg_current_xact_id()")
    with app.services.database.transaction() as cr:
        more = NEED | TableNeed(("id",), frozenset({"other"}))
        triggers.install(cr, TABLE, more)
    then, now = since()
    assert then == first
    assert {name: now[name] for name in columns} == columns
    assert now["other"] > first


@pytest.fixture
def keeper(app: Gatehouse) -> Iterator[Keeper]:
    """The keeper of the app, and an API that is followed."""
    stored_apis.write(app, [FOLLOWED.model_dump(mode="json")])
    app.services.catalog.refresh()
    yield app.services.keeper
    stored_apis.delete(app, ["Followed"])
    app.services.catalog.refresh()
    until(lambda: not app.services.keeper.keep())


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_comes_with_the_definition_and_goes_with_it(keeper: Keeper, app: Gatehouse, sql: Sql) -> None:
    until(lambda: not keeper.keep())
    names = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'gatehouse%' ORDER BY 1"
    assert ("test_record",) in sql(names)
    stored_apis.delete(app, ["Followed"])
    app.services.catalog.refresh()
    until(lambda: not keeper.keep())
    assert sql(names) == []
    assert sql("SELECT name FROM gatehouse.captured") == []


def test_a_table_that_is_made_anew_has_its_triggers_again(keeper: Keeper, sql: Sql) -> None:
    until(lambda: not keeper.keep())
    sql("DROP TRIGGER gatehouse_insert ON test_record; DROP TRIGGER gatehouse_delete ON test_record")
    until(lambda: not keeper.keep())
    ours = "tgrelid = 'test_record'::regclass AND tgname LIKE 'gatehouse%'"
    assert sql(f"SELECT count(*) FROM pg_trigger WHERE {ours}") == [(4,)]


def test_a_table_in_use_is_waited_for_a_moment_alone(keeper: Keeper, app: Gatehouse, sql: Sql) -> None:
    until(lambda: not keeper.keep())
    sql("DROP TRIGGER gatehouse_insert ON test_record")
    connection = psycopg2.connect(**app.services.database.dsn)
    try:
        with connection.cursor() as cr:
            cr.execute("UPDATE test_record SET count = count")
            assert keeper.keep() == ["test_record"]
            connection.rollback()
    finally:
        connection.close()
    until(lambda: not keeper.keep())


def test_the_switch_takes_everything_away(keeper: Keeper, app: Gatehouse, sql: Sql) -> None:
    until(lambda: not keeper.keep())
    runner = app.test_cli_runner()
    try:
        assert "nothing" not in runner.invoke(args=["capture", "status"]).output
        off = runner.invoke(args=["capture", "off"])
        assert (off.exit_code, "off" in off.output) == (0, True)
        assert sql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'gatehouse%'") == [(0,)]
        assert sql("SELECT count(*) FROM gatehouse.changes") == [(0,)]
        until(lambda: not keeper.keep())
        assert runner.invoke(args=["capture", "status"]).output == "No table is captured.\n"
    finally:
        on = runner.invoke(args=["capture", "on"])
    assert on.exit_code == 0
    assert sql("SELECT value FROM gatehouse.setting WHERE key = %s", SWITCH) == [(True,)]
    assert sql("SELECT count(*) > 0 FROM pg_trigger WHERE tgname LIKE 'gatehouse%'") == [(True,)]
