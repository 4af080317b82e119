"""Partitions of our own tables, one per day (UTC): made when they are needed, dropped when they are old."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from app.database import Cursor


def ensure(cr: Cursor, table: str, day: date) -> None:
    """Make the partition of a day where it is missing; several processes may do so at once."""
    cr.execute("SELECT pg_advisory_xact_lock(hashtext('gatehouse.partitions'))")
    cr.execute(
        f"CREATE TABLE IF NOT EXISTS gatehouse.{table}_{day:%Y%m%d} PARTITION OF gatehouse.{table} "
        f"FOR VALUES FROM ('{day} 00:00:00+00') TO ('{day + timedelta(days=1)} 00:00:00+00')"
    )


def before(cr: Cursor, table: str, day: date) -> list[str]:
    """Return the names of the partitions of all days before ``day``, the oldest first."""
    cr.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
        "WHERE inhparent = %s::regclass AND pg_get_expr(relpartbound, inhrelid) <> 'DEFAULT'",
        (f"gatehouse.{table}",),
    )
    return sorted(name for (name,) in cr.fetchall() if _day_of(name) < day)


def drop_before(cr: Cursor, table: str, day: date) -> list[str]:
    """Drop the partitions of all days before ``day`` and return their names."""
    old = before(cr, table, day)
    for name in old:
        cr.execute(f"DROP TABLE {name}")
    return old


def _day_of(name: str) -> date:
    return datetime.strptime(name.rpartition("_")[2], "%Y%m%d").replace(tzinfo=timezone.utc).date()
