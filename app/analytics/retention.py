"""What is old is deleted by itself, once an hour, by one process of all."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from sqlalchemy import Engine, text

from app.analytics import partitions, rollup
from app.definitions.system import SystemSettings

#: Setting that says how many days the request log is kept.
_SETTING = "log_retention_days"
#: Seconds between two times.
INTERVAL = 3600.0


def clean_up(engine: Engine) -> list[str]:
    """Drop old days of the log and old rows of the finer rollups; returns the partitions that were dropped."""
    with engine.begin() as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext('gatehouse.retention'))")):
            return []  # another process is at it
        rows = connection.execute(text("SELECT key, value FROM gatehouse.setting WHERE key = :key"), {"key": _SETTING})
        settings = SystemSettings.of({row.key: row.value for row in rows})
        rollup.forget(connection)
        first = datetime.now(timezone.utc).date() - timedelta(days=settings.log_retention_days)
        return partitions.drop_before(connection, first)
