"""The version that tells workers that a token or a client app is no longer what they remember of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest

from app.web.routing import Gatehouse
from dev.testbed import Testbed

Sql = Callable[..., list[tuple[Any, ...]]]
_NEW_TOKEN = (
    "INSERT INTO gatehouse.token (lookup, hash, kind, client_id, scopes, expires_at) "
    "SELECT %s, 'hash', %s, id, '{read}', now() + %s::interval FROM gatehouse.client WHERE name = 'Versioned'"
)


@pytest.fixture(autouse=True)
def client(app: Gatehouse, sql: Sql) -> Iterator[None]:
    """A client app with a token that is good, one that is over, and a refresh token."""
    sql("INSERT INTO gatehouse.client (name, public_id, scopes) VALUES ('Versioned', 'versioned', '{read}')")
    for lookup, kind, left in (("good", "access", "1 hour"), ("over", "access", "-1 s"), ("again", "refresh", "1 day")):
        sql(_NEW_TOKEN, lookup, kind, left)
    yield
    sql("DELETE FROM gatehouse.client WHERE name = 'Versioned'")


def version(sql: Sql) -> int:
    """Return the number that workers look at."""
    ((found,),) = sql("SELECT sum(version)::bigint FROM gatehouse.credential_version")
    return int(found)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM gatehouse.token WHERE lookup = 'good'",
        "DELETE FROM gatehouse.token",
        "DELETE FROM gatehouse.client WHERE name = 'Versioned'",
        "TRUNCATE gatehouse.token",
        "TRUNCATE gatehouse.client CASCADE",
        "UPDATE gatehouse.token SET scopes = '{}' WHERE lookup = 'good'",
        "UPDATE gatehouse.token SET expires_at = now() WHERE lookup = 'good'",
        "UPDATE gatehouse.token SET lookup = 'other' WHERE lookup = 'good'",
        "UPDATE gatehouse.token SET hash = 'other' WHERE lookup = 'good'",
        "UPDATE gatehouse.token SET uid = 7 WHERE lookup = 'good'",
        "UPDATE gatehouse.client SET active = false WHERE name = 'Versioned'",
        "UPDATE gatehouse.client SET scopes = '{}' WHERE name = 'Versioned'",
        "UPDATE gatehouse.client SET uid = 7 WHERE name = 'Versioned'",
        "UPDATE gatehouse.client SET name = name WHERE name = 'Versioned'",
        "INSERT INTO gatehouse.client (name, public_id, scopes) VALUES ('Versioned', 'again', '{}') "
        "ON CONFLICT (name) DO UPDATE SET scopes = excluded.scopes",
    ],
)
def test_what_takes_something_away_raises_it(sql: Sql, statement: str) -> None:
    before = version(sql)
    sql(statement)
    assert version(sql) > before


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM gatehouse.token WHERE lookup IN ('over', 'again')",
        "DELETE FROM gatehouse.token WHERE lookup = 'unknown'",
        "UPDATE gatehouse.token SET last_used_at = now()",
        "UPDATE gatehouse.token SET replaced = true WHERE lookup = 'again'",
        "UPDATE gatehouse.client SET lifetime = 60, redirect_uris = '{https://a.example}'",
        "INSERT INTO gatehouse.token SELECT 'new', hash, kind, client_id, uid, scopes, family, replaced, created_at, "
        "expires_at FROM gatehouse.token WHERE lookup = 'good'",
    ],
)
def test_what_is_new_or_only_used_does_not(sql: Sql, statement: str) -> None:
    before = version(sql)
    sql(statement)
    assert version(sql) == before


def test_nobody_sees_it_raised_before_the_change_is_committed(sql: Sql, testbed: Testbed, database: str) -> None:
    before = version(sql)
    outside = psycopg2.connect(testbed.dsn(database))
    with outside.cursor() as cursor:
        cursor.execute("DELETE FROM gatehouse.token WHERE lookup = 'good'")
        assert version(sql) == before
        outside.commit()
    outside.close()
    assert version(sql) == before + 1


def test_who_revokes_all_the_time_keeps_nobody_else_from_it(
    app: Gatehouse, sql: Sql, testbed: Testbed, database: str
) -> None:
    before, tries = version(sql), []
    outside = psycopg2.connect(testbed.dsn(database))

    def work(root: Any) -> None:
        root.cr.execute("SELECT 1")  # the snapshot is from before the others' commits
        tries.append(root)
        for _ in range(10):
            with outside, outside.cursor() as cursor:
                cursor.execute("UPDATE gatehouse.token SET scopes = scopes WHERE lookup = 'good'")
        root.cr.execute("UPDATE gatehouse.client SET active = false WHERE name = 'Versioned'")

    app.services.transactions.run(work)  # with ten tries: one in seven fails
    outside.close()
    assert version(sql) - before == 10 * len(tries) + 1


def test_a_reader_is_never_kept_waiting(sql: Sql, testbed: Testbed, database: str) -> None:
    outside = psycopg2.connect(testbed.dsn(database))
    with outside.cursor() as cursor:
        cursor.execute("DELETE FROM gatehouse.token WHERE lookup = 'good'")
        sql("SET statement_timeout = '5s'")
        assert version(sql)
    outside.close()
