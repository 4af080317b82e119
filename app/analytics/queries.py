"""Statistics over a period, from the rollups: their cost grows with time and endpoints, never with calls."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from app.analytics import callers, rollup
from app.analytics.latency import percentile
from app.analytics.rollup import Table
from app.database import Database
from app.literals import to_number

#: What lists and files show of a row of the log: all but bodies, which can be long.
LOG_COLUMNS = (
    "at, request_id, api_id, endpoint, path, status, error, message, caller, client, uid, address, milliseconds, "
    "call_id"
)
_PLACE = re.compile(r"\(\d{1,10},\d{1,5}\)", re.ASCII)
Dimension = Literal["api", "endpoint", "client", "error"]


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
    def table(self) -> Table:
        """The rollup that tells this period finely enough."""
        span = self.end - self.start
        if span <= timedelta(hours=7):
            return rollup.MINUTE
        return rollup.HOUR if span <= timedelta(days=8) else rollup.DAY


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


@dataclass(frozen=True, slots=True)
class Cursor:
    """The end of a page of the request log: the time of its last row, and the row's place in its partition.

    Rows are written once and stay where they are, so a place tells apart what happened in one microsecond.
    """

    at: datetime
    place: str

    @classmethod
    def after(cls, row: Mapping[str, Any]) -> Cursor:
        """Return the cursor of the page that begins after a row of ``log_page``."""
        return cls(row["at"], row["place"])

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Return what ``str`` has written; None for anything else."""
        at, _, place = text.partition("~")
        microseconds = to_number(at, digits=17)  # until the year 5138, which a datetime can hold
        if microseconds is None or not _PLACE.fullmatch(place):
            return None
        return cls(datetime.fromtimestamp(microseconds / 1_000_000, timezone.utc), place)

    def __str__(self) -> str:
        microseconds = (self.at - datetime.fromtimestamp(0, timezone.utc)) // timedelta(microseconds=1)
        return f"{microseconds}~{self.place}"


def log_page(
    database: Database,
    period: Period,
    *,
    api_id: int | None = None,
    failed: bool | None = None,
    status: tuple[int, int] | None = None,
    search: str = "",
    person: int | None = None,
    limit: int = 50,
    before: Cursor | None = None,
) -> list[dict[str, Any]]:
    """Return rows of the request log, the newest first, without bodies and with their ``place``.

    ``status`` is the lowest and the highest; ``search`` a request id, caller, client app, endpoint, error or address,
    or the beginning of a path; ``person`` the Odoo user whom it names, if any. A page goes on where the one before
    ended, so that what is called meanwhile moves nothing, and its cost does not grow with its number.
    """
    conditions = ["at >= %(start)s", "at < %(end)s"]
    values: dict[str, Any] = {"start": period.start, "end": period.end, "limit": limit}
    if api_id is not None:
        conditions.append("api_id = %(api_id)s")
        values["api_id"] = api_id
    if failed is not None:
        conditions.append("error IS NOT NULL" if failed else "error IS NULL")
    if status is not None:
        conditions.append("status BETWEEN %(lowest)s AND %(highest)s")
        values.update(lowest=status[0], highest=status[1])
    if search:
        conditions.append(
            "(%(search)s IN (request_id, caller, client, endpoint, error, address) "
            f"OR (%(search)s LIKE '/%%' AND starts_with(path, %(search)s)) OR {_BY_PERSON})"
        )
        values.update(search=search, **_person(person))
    if before is not None:
        conditions.append("at <= %(at)s AND (at, ctid) < (%(at)s, CAST(%(place)s AS tid))")
        values.update(at=before.at, place=before.place)
    return database.rows(
        f"SELECT {LOG_COLUMNS}, ctid::text AS place FROM gatehouse.request_log WHERE {' AND '.join(conditions)} "
        "ORDER BY at DESC, ctid DESC LIMIT %(limit)s",
        values,
    )


#: Which of the calls of one request id is meant where nothing more is said: the one that got it from this server, else
#: the newest.
_MEANT = """
SELECT call_id FROM (
  SELECT call_id, at FROM gatehouse.request_log WHERE request_id = %(id)s
  UNION ALL SELECT call_id, at FROM gatehouse.audit WHERE request_id = %(id)s
) AS calls ORDER BY call_id IS NOT DISTINCT FROM %(id)s DESC, at DESC LIMIT 1
"""
_OTHERS = """
SELECT EXISTS (SELECT FROM gatehouse.request_log WHERE request_id = %(id)s AND call_id IS DISTINCT FROM %(call)s)
  OR EXISTS (SELECT FROM gatehouse.audit WHERE request_id = %(id)s AND call_id IS DISTINCT FROM %(call)s) AS others
"""


def request(
    database: Database, request_id: str, call_id: str | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what the log and the audit know of a call.

    A client may send an id that was used before, by others too: ``call_id`` says which call is meant, "" one from
    before there were such ids. What the others did is no part of the answer.
    """
    if call_id is None:
        meant = database.rows(_MEANT, {"id": request_id})
        call_id = meant[0]["call_id"] if meant else None
    values = {"id": request_id, "call": call_id or None}
    condition = "request_id = %(id)s AND call_id IS NOT DISTINCT FROM %(call)s"
    return (
        database.rows(f"SELECT * FROM gatehouse.request_log WHERE {condition} ORDER BY at", values),
        database.rows(f"SELECT * FROM gatehouse.audit WHERE {condition} ORDER BY id", values),
    )


def is_shared(database: Database, request_id: str, call_id: str | None) -> bool:
    """True if other calls came with the request id of this one."""
    (row,) = database.rows(_OTHERS, {"id": request_id, "call": call_id})
    return bool(row["others"])


def audit_page(
    database: Database,
    *,
    model: str = "",
    record_id: int | None = None,
    search: str = "",
    person: int | None = None,
    limit: int = 50,
    offset: int = 0,
    before: int | None = None,
) -> list[dict[str, Any]]:
    """Return rows of the audit, the newest first; of one model, or of one record, or those ``before`` an id.

    ``search`` is a request id, caller, client app, API, action or address; ``person`` as in ``log_page``.
    """
    conditions = ["true"]
    if search:
        conditions.append(f"(%(search)s IN (request_id, caller, client, api, action, address) OR {_BY_PERSON})")
    if before is not None:
        conditions.append("id < %(before)s")
    if model:
        conditions.append("model = %(model)s")
    if record_id is not None:
        conditions.append("record_ids @> ARRAY[%(record_id)s]")
    return database.rows(
        f"SELECT * FROM gatehouse.audit WHERE {' AND '.join(conditions)} "
        "ORDER BY id DESC LIMIT %(limit)s OFFSET %(offset)s",
        {"model": model, "record_id": record_id, "search": search, "limit": limit, "offset": offset, "before": before}
        | _person(person),
    )


def history_page(
    database: Database, *, limit: int = 50, offset: int = 0, before: int | None = None
) -> list[dict[str, Any]]:
    """Return changes of definitions, client apps and settings, the newest first, with before and after."""
    condition = "true" if before is None else "id < %(before)s"
    return database.rows(
        f"SELECT * FROM gatehouse.history WHERE {condition} ORDER BY id DESC LIMIT %(limit)s OFFSET %(offset)s",
        {"limit": limit, "offset": offset, "before": before},
    )


#: What a person did: by themselves, through a client app, or what was done with their rights.
_BY_PERSON = "uid = %(uid)s OR caller = %(user)s OR caller LIKE %(on_behalf)s"


def _person(uid: int | None) -> dict[str, Any]:
    """Return the values of ``_BY_PERSON``; nobody's where no person is asked for."""
    return {"uid": uid, "user": uid and callers.of_user(uid), "on_behalf": uid and callers.for_person(uid)}
