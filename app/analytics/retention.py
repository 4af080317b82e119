"""Retention: old days of the log and old rollups are deleted, once an hour, by one process of all."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from app.analytics import partitions, rollup
from app.database import Database
from app.definitions.system import SystemSettings

#: Setting that says how many days the request log is kept.
_SETTING = "log_retention_days"
#: Seconds between two times.
INTERVAL = 3600.0


def clean_up(database: Database) -> list[str]:
    """Drop old days of the log and old rows of the finer rollups; returns the partitions that were dropped."""
    with database.transaction() as cr:
        cr.execute("SELECT pg_try_advisory_xact_lock(hashtext('gatehouse.retention'))")
        if cr.fetchone() == (False,):
            return []  # another process is at it
        cr.execute("SELECT key, value FROM gatehouse.setting WHERE key = %s", (_SETTING,))
        settings = SystemSettings.of(dict(cr.fetchall()))
        rollup.forget(cr)
        first = datetime.now(timezone.utc).date() - timedelta(days=settings.log_retention_days)
        return partitions.drop_before(cr, first)
