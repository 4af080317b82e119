"""Rollups: calls added up per minute, hour and day, in each dimension that the statistics ask for.

A dimension has rows of its own (a call counts in several), so that a query reads no more than it shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from app.analytics import batches
from app.analytics.latency import bucket_of
from app.database import Cursor

_COLUMNS = ("dimension", "at", "api_id", "key", "failed", "bucket")


@dataclass(frozen=True, slots=True)
class RollupTable:
    """One rollup: the seconds that a row stands for, and how long rows are kept (None: for good)."""

    name: str
    seconds: int
    keep: timedelta | None


MINUTE = RollupTable("rollup_minute", 60, timedelta(days=2))
HOUR = RollupTable("rollup_hour", 3600, timedelta(days=62))
DAY = RollupTable("rollup_day", 86400, None)
TABLES = (MINUTE, HOUR, DAY)


class CountedCall(Protocol):
    """A call, as far as a rollup has to know it."""

    @property
    def at(self) -> datetime:
        """Time of the call."""

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
    def tool(self) -> str | None:
        """The tool that an AI agent has called, if one has."""

    @property
    def error(self) -> str | None:
        """The name of the error, if any."""

    @property
    def milliseconds(self) -> float:
        """Duration."""


@dataclass(frozen=True, slots=True)
class _Alike:
    """Calls of one minute that are alike in all dimensions: how many, and their milliseconds together.

    ``second`` is when the minute began, as a UNIX time.
    """

    second: int
    api_id: int
    endpoint: str
    client: str | None
    tool: str | None
    error: str | None
    bucket: int
    calls: int
    milliseconds: float


def add(cr: Cursor, calls: Iterable[CountedCall]) -> None:
    """Add calls to all rollups."""
    alike = _alike(calls)
    for table in TABLES:
        _add(cr, table, alike)


def forget(cr: Cursor) -> None:
    """Delete rows that a coarser rollup has as well."""
    for table in TABLES:
        if table.keep is not None:
            before = datetime.now(timezone.utc) - table.keep
            cr.execute(f"DELETE FROM gatehouse.{table.name} WHERE at < %s", (before,))


def _alike(calls: Iterable[CountedCall]) -> list[_Alike]:
    """Return the calls added up by minute: each is looked at once, and not in each rollup and dimension again."""
    sums: dict[tuple[int, int, str, str | None, str | None, str | None, int], list[Any]] = defaultdict(lambda: [0, 0.0])
    for call in calls:
        milliseconds = call.milliseconds
        minute = int(call.at.timestamp()) // MINUTE.seconds * MINUTE.seconds
        alike = (call.api_id, call.endpoint, call.client, call.tool, call.error)
        total = sums[(minute, *alike, bucket_of(milliseconds))]
        total[0] += 1
        total[1] += milliseconds
    return [_Alike(*key, *total) for key, total in sums.items()]


def _add(cr: Cursor, table: RollupTable, alike: Sequence[_Alike]) -> None:
    sums: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0, 0.0])
    for each in alike:
        at = datetime.fromtimestamp(each.second // table.seconds * table.seconds, timezone.utc)
        for dimension, key in _dimensions(each):
            total = sums[dimension, at, each.api_id, key, each.error is not None, each.bucket]
            total[0] += each.calls
            total[1] += each.milliseconds
    # In one order in all processes, so that no two wait for each other.
    values = [
        {**dict(zip(_COLUMNS, key, strict=True)), "calls": sums[key][0], "milliseconds": sums[key][1]}
        for key in sorted(sums)
    ]
    batches.insert(
        cr,
        table.name,
        (*_COLUMNS, "calls", "milliseconds"),
        values,
        f"ON CONFLICT ({', '.join(_COLUMNS)}) DO UPDATE SET calls = {table.name}.calls + EXCLUDED.calls, "
        f"milliseconds = {table.name}.milliseconds + EXCLUDED.milliseconds",
    )


def _dimensions(alike: _Alike) -> Iterator[tuple[str, str]]:
    yield "api", ""
    yield "endpoint", alike.endpoint
    if alike.client is not None:
        yield "client", alike.client
    if alike.tool is not None:
        yield "tool", alike.tool
    if alike.error is not None:
        yield "error", alike.error
