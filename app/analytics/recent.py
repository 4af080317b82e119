"""The last day at a glance: its last failures, and who was limited. A bounded look at the log, led by the rollups."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from app.analytics.log_pages import Wanted, log_page
from app.analytics.queries import Period
from app.database import Database

SPAN = timedelta(days=1)
#: Most refused calls that are looked at; of a flood, the newest.
MOST_LIMITED = 10_000
#: Minutes of the last day in which calls failed, the newest first: each has at least one.
_FAILED = (
    "SELECT at FROM gatehouse.rollup_minute WHERE dimension = 'error' AND at >= %(start)s "
    "GROUP BY at ORDER BY at DESC LIMIT %(limit)s"
)
_LIMITED = """
SELECT caller, client, uid, count(*) AS calls, max(at) AS last FROM (
  SELECT caller, client, uid, at FROM gatehouse.request_log
  WHERE at >= %(start)s AND at <= now() AND status = 429 ORDER BY at DESC LIMIT %(most)s
) AS refused GROUP BY caller, client, uid ORDER BY calls DESC, last DESC LIMIT %(limit)s
"""


def failures(database: Database, limit: int) -> list[dict[str, Any]]:
    """Return the last failed calls of the last day, as ``log_page`` does."""
    now = datetime.now(timezone.utc)
    minutes = database.rows(_FAILED, {"start": now - SPAN, "limit": limit})
    if not minutes:
        return []
    period = Period(minutes[-1]["at"], now + timedelta(seconds=1))
    return log_page(database, period, Wanted(failed=True), limit=limit)


def limited(database: Database, limit: int) -> list[dict[str, Any]]:
    """Return the callers of the last day who got a 429, the most refused first: how often, and when last."""
    start = datetime.now(timezone.utc) - SPAN
    return database.rows(_LIMITED, {"start": start, "most": MOST_LIMITED, "limit": limit})


def was_called(database: Database) -> bool:
    """True if any API was ever called, as far as the statistics know."""
    (row,) = database.rows("SELECT EXISTS (SELECT FROM gatehouse.rollup_day) AS found", {})
    return bool(row["found"])
