"""Retention: old days of the log and old rollups are deleted, once an hour, by one process of all."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from app import partitions
from app.analytics import rollup
from app.database import Database

#: Seconds between two times.
INTERVAL = 3600.0


def clean_up(database: Database, days: int) -> list[str]:
    """Drop days of the log older than ``days``, and old rows of the finer rollups; returns the dropped partitions."""
    with database.transaction() as cr:
        cr.execute("SELECT pg_try_advisory_xact_lock(hashtext('gatehouse.retention'))")
        if cr.fetchone() == (False,):
            return []  # another process is at it
        rollup.forget(cr)
        first = datetime.now(timezone.utc).date() - timedelta(days=days)
        return partitions.drop_before(cr, "request_log", first)
