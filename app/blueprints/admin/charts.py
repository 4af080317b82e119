"""Charts as plain shapes for an SVG in the page: no script and no library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.analytics.queries import Period, Statistics

WIDTH, HEIGHT = 720, 160


@dataclass(frozen=True, slots=True)
class Bar:
    """The calls of one minute, hour or day: a bar, of which the lower part failed; ``title`` says it in words."""

    x: float
    width: float
    height: float
    failed: float
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of calls, and lines of latencies as the points of SVG polylines; with the largest value of each."""

    bars: tuple[Bar, ...]
    lines: dict[str, str]
    most_calls: int
    slowest: float


def chart(series: Sequence[Statistics], period: Period) -> Chart:
    """Return the chart of a series over its period; times without calls stay empty."""
    start, seconds = period.start.timestamp(), period.table.seconds
    start = start // seconds * seconds
    steps = max(1.0, (period.end.timestamp() - start) / seconds)
    width = WIDTH / steps
    most = max((each.calls for each in series), default=0)
    slowest = max((each.p95 or 0.0 for each in series), default=0.0)
    bars: list[Bar] = []
    lines: dict[str, list[str]] = {"p50": [], "p95": []}
    for each in series:
        x = (each.key.timestamp() - start) / seconds * width
        failed = f", {each.failures} failed" if each.failures else ""
        bars.append(
            Bar(
                x=round(x, 2),
                width=round(max(0.8, width * 0.85), 2),
                height=round(each.calls / most * HEIGHT, 2),
                failed=round(each.failures / most * HEIGHT, 2),
                title=f"{each.key:%Y-%m-%d %H:%M}: {each.calls} calls{failed}",
            )
        )
        for name, points in lines.items():
            value = getattr(each, name) or 0.0
            y = HEIGHT - (value / slowest * HEIGHT if slowest else 0)
            if len(series) == 1:  # a line of one point would not be seen
                points.append(f"{x:.1f},{y:.1f}")
            points.append(f"{x + width / 2:.1f},{y:.1f}")
    return Chart(tuple(bars), {name: " ".join(points) for name, points in lines.items()}, most, slowest)
