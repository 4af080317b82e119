"""Days of the changes: a partition each (UTC), made ahead, and dropped with what is older than the retention.

What no partition is there for is in a default one: no write waits for a day to be made.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import psycopg2.errors

from app import partitions
from app.capture.triggers import LOCK_TIMEOUT
from app.database import Cursor, Database

TABLE = "changes"
#: Days that are made ahead.
_AHEAD = 3


def make(database: Database) -> None:
    """Make the partitions of the next days. Raises psycopg2.Error."""
    today = datetime.now(timezone.utc).date()
    for number in range(_AHEAD):
        try:
            with database.transaction() as cr:
                cr.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}")
                partitions.ensure(cr, TABLE, today + timedelta(days=number))
        except (psycopg2.errors.CheckViolation, psycopg2.errors.LockNotAvailable):
            continue  # the default partition holds rows of that day, or is being written to: so it takes the rest too


def mark(cr: Cursor) -> None:
    """Note the next transaction of this moment, unless that was done a moment ago."""
    cr.execute(
        "INSERT INTO gatehouse.mark (at, ahead) SELECT clock_timestamp(), pg_snapshot_xmax(now_seen)::text::bigint "
        "FROM (SELECT pg_current_snapshot() AS now_seen) AS point "
        "WHERE NOT EXISTS (SELECT FROM gatehouse.mark WHERE at > clock_timestamp() - interval '10 seconds') "
        "ON CONFLICT DO NOTHING"
    )
    cr.execute("DELETE FROM gatehouse.mark WHERE at < now() - interval '7 days'")


def drop(database: Database, days: int) -> list[str]:
    """Drop changes that are older than so many days; returns the partitions that are gone. Raises psycopg2.Error.

    A partition is dropped under a lock that all who write wait behind. So it is emptied first, which needs none; and a
    day before that nobody may go on from it any more, so that no answer is under way that reads it.
    """
    first = datetime.now(timezone.utc).date() - timedelta(days=days)
    with database.transaction() as cr:
        for name in partitions.before(cr, TABLE, first):
            _raise_floor(cr, name)
        old = partitions.before(cr, TABLE, first - timedelta(days=1))
    gone = []
    for name in old:
        try:
            with database.transaction() as cr:
                cr.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}")
                cr.execute(f"TRUNCATE {name}")
            with database.transaction() as cr:
                cr.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}")
                cr.execute(f"DROP TABLE {name}")
        except psycopg2.errors.LockNotAvailable:
            continue  # another time
        gone.append(name)
    with database.transaction() as cr:
        _drop_from_default(cr, first)
    return gone


def _drop_from_default(cr: Cursor, first: date) -> None:
    cr.execute("DELETE FROM gatehouse.changes_default WHERE at < %s RETURNING xid::text::bigint", (first,))
    _raise_to(cr, max((xid for (xid,) in cr.fetchall()), default=0))


def _raise_floor(cr: Cursor, name: str) -> None:
    cr.execute(f"SELECT coalesce(max(xid::text::bigint), 0) FROM {name}")
    (last,) = cr.fetchone() or (0,)
    _raise_to(cr, last)


def _raise_to(cr: Cursor, last: int) -> None:
    """Have nobody go on from a transaction whose changes are gone."""
    cr.execute("UPDATE gatehouse.captured SET since = greatest(since, %s + 1)", (last,))
