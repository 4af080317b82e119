"""What is old is deleted by itself, once an hour, by one process of all."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from sqlalchemy import Engine, text

from app.analytics import partitions, rollup

#: Setting that says how many days the request log is kept.
SETTING = "log_retention_days"
DEFAULT_DAYS = 90
#: Seconds between two times.
INTERVAL = 3600.0


def clean_up(engine: Engine) -> list[str]:
    """Drop old days of the log and old rows of the finer rollups; returns the partitions that were dropped."""
    with engine.begin() as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext('gatehouse.retention'))")):
            return []  # another process is at it
        days = connection.scalar(text("SELECT value FROM gatehouse.setting WHERE key = :key"), {"key": SETTING})
        rollup.forget(connection)
        first = datetime.now(timezone.utc).date() - timedelta(days=days or DEFAULT_DAYS)
        return partitions.drop_before(connection, first)
