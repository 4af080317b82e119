"""Rollups: calls added up per minute, hour and day, in each dimension that the statistics ask for.

A dimension has rows of its own (a call counts in several), so that a query reads no more than it shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from sqlalchemy import Connection, text

from app.analytics import batches
from app.analytics.latency import bucket_of

_COLUMNS = ("dimension", "at", "api_id", "key", "failed", "bucket")


@dataclass(frozen=True, slots=True)
class Table:
    """One rollup: the seconds that a row stands for, and how long rows are kept (None: for good)."""

    name: str
    seconds: int
    keep: timedelta | None


MINUTE = Table("rollup_minute", 60, timedelta(days=2))
HOUR = Table("rollup_hour", 3600, timedelta(days=62))
DAY = Table("rollup_day", 86400, None)
TABLES = (MINUTE, HOUR, DAY)


class Call(Protocol):
    """What a rollup has to know of a call."""

    @property
    def at(self) -> datetime:
        """When it was made."""

    @property
    def api_id(self) -> int:
        """The API that was called."""

    @property
    def endpoint(self) -> str:
        """Method and route."""

    @property
    def client(self) -> str | None:
        """The client app that called, if any."""

    @property
    def error(self) -> str | None:
        """The name of the error, if any."""

    @property
    def milliseconds(self) -> float:
        """How long it took."""


def add(connection: Connection, calls: Sequence[Call]) -> None:
    """Add calls to all rollups."""
    for table in TABLES:
        _add(connection, table, calls)


def forget(connection: Connection) -> None:
    """Delete what a coarser rollup remembers as well."""
    for table in TABLES:
        if table.keep is not None:
            connection.execute(
                text(f"DELETE FROM gatehouse.{table.name} WHERE at < :before"),
                {"before": datetime.now(timezone.utc) - table.keep},
            )


def _add(connection: Connection, table: Table, calls: Sequence[Call]) -> None:
    sums: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0, 0.0])
    for call in calls:
        at = datetime.fromtimestamp(call.at.timestamp() // table.seconds * table.seconds, timezone.utc)
        bucket = bucket_of(call.milliseconds)
        for dimension, key in _dimensions(call):
            total = sums[dimension, at, call.api_id, key, call.error is not None, bucket]
            total[0] += 1
            total[1] += call.milliseconds
    # In one order in all processes, so that no two wait for each other.
    values = [
        {**dict(zip(_COLUMNS, key, strict=True)), "calls": sums[key][0], "milliseconds": sums[key][1]}
        for key in sorted(sums)
    ]
    batches.insert(
        connection,
        table.name,
        (*_COLUMNS, "calls", "milliseconds"),
        values,
        f"ON CONFLICT ({', '.join(_COLUMNS)}) DO UPDATE SET calls = {table.name}.calls + EXCLUDED.calls, "
        f"milliseconds = {table.name}.milliseconds + EXCLUDED.milliseconds",
    )


def _dimensions(call: Call) -> Iterator[tuple[str, str]]:
    yield "api", ""
    yield "endpoint", call.endpoint
    if call.client is not None:
        yield "client", call.client
    if call.error is not None:
        yield "error", call.error
