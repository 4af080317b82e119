"""The request log's partitions, one per day (UTC): made when they are needed, dropped when they are old."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from app.database import Cursor

_PREFIX = "request_log_"


def ensure(cr: Cursor, day: date) -> None:
    """Make the partition of a day where it is missing; several processes may do so at once."""
    name = f"{_PREFIX}{day:%Y%m%d}"
    cr.execute("SELECT pg_advisory_xact_lock(hashtext('gatehouse.partitions'))")
    cr.execute(
        f"CREATE TABLE IF NOT EXISTS gatehouse.{name} PARTITION OF gatehouse.request_log "
        f"FOR VALUES FROM ('{day} 00:00:00+00') TO ('{day + timedelta(days=1)} 00:00:00+00')"
    )


def drop_before(cr: Cursor, day: date) -> list[str]:
    """Drop the partitions of all days before ``day`` and return their names."""
    cr.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'gatehouse.request_log'::regclass")
    old = sorted(name for (name,) in cr.fetchall() if _day_of(name) < day)
    for name in old:
        cr.execute(f"DROP TABLE {name}")
    return old


def _day_of(name: str) -> date:
    return datetime.strptime(name.rpartition(_PREFIX)[2], "%Y%m%d").replace(tzinfo=timezone.utc).date()
