"""Charts as plain shapes for an SVG in the page, with their axes: no script and no library.

A plot is ``WIDTH`` by ``HEIGHT`` whatever its size on the page, to which it is stretched; what stands beside its axes
is placed in percent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal

from app.analytics.queries import Period, Statistics

WIDTH, HEIGHT = 1000, 100
_DAY = 86_400
#: Seconds that may lie between two times on an axis.
_STEPS = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY,
          90 * _DAY, 365 * _DAY)  # fmt: skip
_MOST_TIMES = 5
#: From so many percent of the width on, a time's text would stick out.
_EDGE = 6


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark beside an axis, in percent of it. ``time`` is there where the text is a time of the day."""

    at: float
    text: str
    anchor: Literal["start", "middle", "end"] = "end"
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute, hour or day: a bar of which the lower part, ``failed`` high, failed; ``title`` says it in words."""

    x: float
    width: float
    height: float
    failed: float
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line over times that follow each other, as the points of an SVG polyline; ``name`` is what it shows."""

    name: str
    points: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars or lines with their axes; ``label`` says in words what there is to see."""

    label: str
    values: tuple[Tick, ...]
    times: tuple[Tick, ...]
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()


def calls(series: Sequence[Statistics], period: Period, marks: int = 4) -> Chart:
    """Return the chart of calls, and of those that failed; ``marks`` is the most numbers beside the axis."""
    total, failures = sum(each.calls for each in series), sum(each.failures for each in series)
    label = f"Calls: {total:,}, of which {failures:,} failed; {_peak(series, _calls, period)}"
    return _of_bars(series, period, marks, _calls, label)


def failures(series: Sequence[Statistics], period: Period, marks: int = 4) -> Chart:
    """Return the chart of the calls that failed."""
    total = sum(each.failures for each in series)
    return _of_bars(series, period, marks, _failures, f"Errors: {total:,}; {_peak(series, _failures, period)}")


def latency(series: Sequence[Statistics], period: Period, marks: int = 4) -> Chart:
    """Return the chart of latencies: half of the calls were faster than p50, 95 of 100 faster than p95."""
    frame = _Frame.of(period)
    most = max((each.p95 or 0.0 for each in series), default=0.0)
    top, values = _values(most, marks, milliseconds, whole=False)
    lines = [
        Line(name, points)
        for name, value in (("p95", _p95), ("p50", _p50))
        for points in _lines(frame, [(each.key, value(each)) for each in series], top)
    ]
    label = f"Latency: {_peak(series, _p95, period, milliseconds)} (p95)"
    return Chart(label, values, frame.times(), lines=tuple(lines))


def milliseconds(value: float) -> str:
    """Return a duration as people read it."""
    if value >= 1000:
        return f"{value / 1000:g} s" if value % 100 == 0 else f"{value / 1000:.1f} s"
    return f"{value:g} ms" if value in (int(value), round(value, 1)) else f"{value:.1f} ms"


def number(value: float) -> str:
    """Return a number as short as it has to be beside an axis: 950, 1.5k, 2M."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


@dataclass(frozen=True, slots=True)
class _Frame:
    """The width of a plot in time: UNIX times, and the seconds of one step."""

    start: float
    end: float
    step: int

    @classmethod
    def of(cls, period: Period) -> _Frame:
        step = period.table.seconds
        start = period.start.timestamp() // step * step
        return cls(start, start + max(1, math.ceil((period.end.timestamp() - start) / step)) * step, step)

    @property
    def width(self) -> float:
        """The width of one step."""
        return self.step / (self.end - self.start) * WIDTH

    def x(self, at: datetime) -> float:
        """Return the place where the step of a time begins."""
        return (at.timestamp() - self.start) / (self.end - self.start) * WIDTH

    def times(self) -> tuple[Tick, ...]:
        """Return the marks of the axis: round times, of which a phone has room for all."""
        span = self.end - self.start
        step = next((step for step in _STEPS if span / step <= _MOST_TIMES), _STEPS[-1])
        first = math.ceil(self.start / step) * step
        return tuple(self._tick(first + number * step, step) for number in range(int((self.end - first) // step) + 1))

    def _tick(self, at: float, step: int) -> Tick:
        moment, place = datetime.fromtimestamp(at, timezone.utc), (at - self.start) / (self.end - self.start) * 100
        anchor: Literal["start", "middle", "end"]
        anchor = "start" if place < _EDGE else "end" if place > 100 - _EDGE else "middle"
        if step >= _DAY:
            return Tick(round(place, 2), f"{moment.day} {moment:%b}", anchor)
        return Tick(round(place, 2), f"{moment:%H:%M}", anchor, moment)


def _of_bars(
    series: Sequence[Statistics], period: Period, marks: int, value: Callable[[Statistics], float], label: str
) -> Chart:
    frame = _Frame.of(period)
    top, values = _values(max(map(value, series), default=0), marks, number, whole=True)
    bars = tuple(
        Bar(
            x=round(frame.x(each.key), 2),
            width=round(max(0.8, frame.width * 0.85), 2),
            height=round(value(each) / top * HEIGHT, 2),
            failed=round(each.failures / top * HEIGHT, 2),
            title=_title(each),
        )
        for each in series
        if value(each)
    )
    return Chart(label, values, frame.times(), bars)


def _values(most: float, marks: int, text: Callable[[float], str], *, whole: bool) -> tuple[float, tuple[Tick, ...]]:
    """Return the upper end of an axis of values that reaches ``most``, and its round marks."""
    rough = max(most, 1 if whole else 0.1) / marks
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * 0.999)
    if whole:
        step = max(1, round(step))
    count = max(1, math.ceil(most / step * 0.999))
    ticks = (Tick(round(100 - index / count * 100, 2), text(round(index * step, 6))) for index in range(count + 1))
    return count * step, tuple(ticks)


def _lines(frame: _Frame, points: Sequence[tuple[datetime, float | None]], top: float) -> Iterator[str]:
    """Yield a line for each run of times that follow each other: where nothing was called there is nothing to draw."""
    run: list[str] = []
    before: datetime | None = None
    for at, value in points:
        if before is not None and (at - before).total_seconds() > frame.step * 1.5:
            yield _points(run, frame)
            run = []
        run.append(f"{frame.x(at) + frame.width / 2:.1f},{HEIGHT - (value or 0.0) / top * HEIGHT:.1f}")
        before = at
    if run:
        yield _points(run, frame)


def _points(run: Sequence[str], frame: _Frame) -> str:
    """Return the points of a line; a single one is as wide as its step, to be seen."""
    if len(run) > 1:
        return " ".join(run)
    x, _, y = run[0].partition(",")
    half = max(2.0, frame.width / 2)
    return f"{float(x) - half:.1f},{y} {float(x) + half:.1f},{y}"


def _peak(
    series: Sequence[Statistics],
    value: Callable[[Statistics], float],
    period: Period,
    text: Callable[[float], str] = "{:,}".format,
) -> str:
    highest = max(series, key=value, default=None)
    if highest is None or not value(highest):
        return "none in this period"
    unit = {60: "minute", 3600: "hour"}.get(period.table.seconds, "day")
    return f"at most {text(value(highest))} in one {unit}, {highest.key.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def _title(each: Statistics) -> str:
    failed = f", {each.failures:,} failed" if each.failures else ""
    return f"{each.key.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC: {each.calls:,} calls{failed}"


def _calls(each: Statistics) -> float:
    return each.calls


def _failures(each: Statistics) -> float:
    return each.failures


def _p50(each: Statistics) -> float:
    return each.p50 or 0.0


def _p95(each: Statistics) -> float:
    return each.p95 or 0.0
