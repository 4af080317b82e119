"""The period that a page of numbers is about, as its address says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from flask import request

from app.analytics.queries import Period

SPANS = {
    "hour": "Last hour",
    "day": "Last 24 hours",
    "week": "Last 7 days",
    "month": "Last 30 days",
    "own": "From … to",
}
_LENGTHS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}
#: Longest period, so that a slip of the pen asks for no century.
_LONGEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class PeriodChoice:
    """A period, and what the form shows for it; days are in UTC, and the last one is part of it."""

    period: Period
    span: str
    first: str
    last: str

    @property
    def parameters(self) -> dict[str, str]:
        """Parameters of an address that asks for the same again."""
        return {"span": self.span} if self.span != "own" else {"span": "own", "first": self.first, "last": self.last}


def asked(default: str = "day") -> PeriodChoice:
    """Return the period of the request; what can't be read counts as not asked for."""
    span = request.args.get("span", default)
    first, last = _day("first"), _day("last")
    if span == "own" and first and last and first <= last and last - first <= _LONGEST:
        start = datetime.combine(first, time(), timezone.utc)
        end = datetime.combine(last, time(), timezone.utc) + timedelta(days=1)
        return PeriodChoice(Period(start, end), "own", first.isoformat(), last.isoformat())
    if span not in _LENGTHS:
        span = default
    period = Period.last(_LENGTHS[span])
    return PeriodChoice(period, span, period.start.date().isoformat(), period.end.date().isoformat())


def _day(name: str) -> date | None:
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return found if 2000 <= found.year < 3000 else None
