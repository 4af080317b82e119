"""Retention: old days of the log, old rollups and approvals are deleted, once an hour, by one process of all."""

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
        # Nobody may use them any more; a page says for a while what has become of one.
        cr.execute("DELETE FROM gatehouse.approval WHERE expires_at < now() - interval '1 hour'")
        first = datetime.now(timezone.utc).date() - timedelta(days=days)
        return partitions.drop_before(cr, "request_log", first)
