"""The period that a page of numbers is about, as its address says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

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
_MINUTES = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class PeriodChoice:
    """A period, and what the form shows for it: times in UTC, to the minute."""

    period: Period
    span: str
    first: str
    last: str

    @property
    def parameters(self) -> dict[str, str]:
        """Parameters of an address that asks for the same again."""
        return {"span": self.span} if self.span != "own" else {"span": "own", "first": self.first, "last": self.last}

    @property
    def words(self) -> str:
        """The period as a heading names it."""
        return SPANS[self.span] if self.span != "own" else f"{self.first} – {self.last} UTC".replace("T", " ")


def asked(default: str = "day") -> PeriodChoice:
    """Return the period of the request; what can't be read counts as not asked for.

    A day is one in UTC, and the last one is part of the period.
    """
    span = request.args.get("span", default)
    start, end = _moment("first"), _moment("last", timedelta(days=1))
    if span == "own" and start and end and start < end and end - start <= _LONGEST:
        return own(start, end)
    if span not in _LENGTHS:
        span = default
    period = Period.last(_LENGTHS[span])
    return PeriodChoice(period, span, period.start.strftime(_MINUTES), period.end.strftime(_MINUTES))


def own(start: datetime, end: datetime) -> PeriodChoice:
    """Return a period that somebody has chosen; the times are in UTC."""
    return PeriodChoice(Period(start, end), "own", start.strftime(_MINUTES), end.strftime(_MINUTES))


def _moment(name: str, of_a_day: timedelta = timedelta()) -> datetime | None:
    """Return a day's beginning, or ``of_a_day`` more; or a time, as it is."""
    text = request.args.get(name, "")
    try:
        found = datetime.strptime(text, _MINUTES) if "T" in text else None
        day = None if found else date.fromisoformat(text)
    except ValueError:
        return None
    moment = found or datetime.combine(day or date.min, datetime.min.time())
    if not 2000 <= moment.year < 3000:
        return None
    return moment.replace(tzinfo=timezone.utc) + (of_a_day if day else timedelta())
