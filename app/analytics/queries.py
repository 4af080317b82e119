"""Statistics over a period, from the rollups: their cost grows with time and endpoints, never with calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from app.analytics import rollup
from app.analytics.latency import percentile
from app.analytics.rollup import RollupTable
from app.database import Database

Dimension = Literal["api", "endpoint", "client", "tool", "error"]


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` up to, and without, ``end``."""

    start: datetime
    end: datetime

    @classmethod
    def last(cls, span: timedelta) -> Period:
        """Return the period that ends now."""
        now = datetime.now(timezone.utc)
        return cls(now - span, now + timedelta(seconds=1))

    @property
    def table(self) -> RollupTable:
        """The rollup that tells this period finely enough, of those that still have it."""
        span, age = self.end - self.start, datetime.now(timezone.utc) - self.start
        for table, longest in ((rollup.MINUTE, timedelta(hours=7)), (rollup.HOUR, timedelta(days=8))):
            if span <= longest and (table.keep is None or age <= table.keep):
                return table
        return rollup.DAY


@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers over a period; latencies in milliseconds, None where nothing was called."""

    key: Any
    calls: int
    failures: int
    average: float | None
    p50: float | None
    p95: float | None
    p99: float | None

    @property
    def success_rate(self) -> float | None:
        """The share of calls that succeeded, from 0 to 1."""
        return (self.calls - self.failures) / self.calls if self.calls else None


def totals(database: Database, period: Period, *, api_id: int | None = None) -> Statistics:
    """Return the numbers of all calls, or of one API's."""
    return _statistics("total", _buckets(database, period, "api", "''", api_id).get("", []))


def by(database: Database, period: Period, dimension: Dimension, *, api_id: int | None = None) -> list[Statistics]:
    """Return the numbers per API (by id), endpoint, client app or error, the most called first."""
    column = "api_id" if dimension == "api" else "key"
    found = [_statistics(key, rows) for key, rows in _buckets(database, period, dimension, column, api_id).items()]
    return sorted(found, key=lambda each: -each.calls)


def series(database: Database, period: Period, *, api_id: int | None = None) -> list[Statistics]:
    """Return the numbers per minute, hour or day, in order; times without calls are left out."""
    found = [_statistics(key, rows) for key, rows in _buckets(database, period, "api", "at", api_id).items()]
    return sorted(found, key=lambda each: each.key)


def _buckets(
    database: Database, period: Period, dimension: Dimension, column: str, api_id: int | None
) -> dict[Any, list[Any]]:
    """Return, for each value of a column, rows of (failed, bucket, calls, milliseconds)."""
    condition = "AND api_id = %(api_id)s" if api_id is not None else ""
    seconds = period.table.seconds
    start = datetime.fromtimestamp(period.start.timestamp() // seconds * seconds, timezone.utc)
    rows = defaultdict(list)
    with database.transaction() as cr:
        cr.execute(
            f"SELECT {column}, failed, bucket, sum(calls)::bigint, sum(milliseconds) "
            f"FROM gatehouse.{period.table.name} "
            f"WHERE dimension = %(dimension)s AND at >= %(start)s AND at < %(end)s {condition} GROUP BY 1, 2, 3",
            {"dimension": dimension, "start": start, "end": period.end, "api_id": api_id},
        )
        for key, *row in cr.fetchall():
            rows[key].append(row)
    return rows


def _statistics(key: Any, rows: Sequence[Any]) -> Statistics:
    counts: dict[int, int] = defaultdict(int)
    failures, milliseconds = 0, 0.0
    for failed, bucket, calls, spent in rows:
        counts[bucket] += calls
        milliseconds += spent
        failures += calls if failed else 0
    calls = sum(counts.values())
    return Statistics(
        key=key,
        calls=calls,
        failures=failures,
        average=milliseconds / calls if calls else None,
        p50=percentile(counts, 0.5),
        p95=percentile(counts, 0.95),
        p99=percentile(counts, 0.99),
    )
