"""Charts: bars and lines where they belong, and axes with round numbers and times."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from app.analytics.queries import Period, Statistics
from app.blueprints.admin import charts


def _period(length: timedelta) -> Period:
    # Of today: an older one is told by a coarser rollup.
    now = datetime.now(timezone.utc).replace(hour=12, minute=3, second=0, microsecond=0)
    return Period(now - length, now)


def _each(at: datetime, calls: int, failures: int = 0, p50: float = 1.0, p95: float = 2.0) -> Statistics:
    return Statistics(at, calls, failures, p50, p50, p95, p95)


@pytest.mark.parametrize(
    ("calls", "marks"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (7, ["0", "2", "4", "6", "8"]),
        (20, ["0", "5", "10", "15", "20"]),
        (87, ["0", "50", "100"]),
        (1_234, ["0", "500", "1k", "1.5k"]),
        (4_000_000, ["0", "1M", "2M", "3M", "4M"]),
    ],
)
def test_an_axis_of_calls_has_round_whole_numbers(calls: int, marks: list[str]) -> None:
    period = _period(timedelta(hours=1))
    chart = charts.calls([_each(period.start, calls)], period)
    assert [tick.text for tick in chart.values] == marks
    assert (chart.values[0].at, chart.values[-1].at) == (100, 0)


@pytest.mark.parametrize(
    ("slowest", "marks"),
    [
        (0.35, ["0 ms", "0.1 ms", "0.2 ms", "0.3 ms", "0.4 ms"]),
        (51.2, ["0 ms", "20 ms", "40 ms", "60 ms"]),
        (7_900, ["0 ms", "2 s", "4 s", "6 s", "8 s"]),
    ],
)
def test_an_axis_of_latencies_has_a_unit(slowest: float, marks: list[str]) -> None:
    period = _period(timedelta(hours=1))
    chart = charts.latency([_each(period.start, 1, p95=slowest)], period)
    assert [tick.text for tick in chart.values] == marks


@pytest.mark.parametrize("length", [timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=30)])
def test_an_axis_of_times_has_round_times_for_which_a_phone_has_room(length: timedelta) -> None:
    ticks = charts.calls([], _period(length)).times
    assert 2 <= len(ticks) <= 6
    assert all(0 <= tick.at <= 100 for tick in ticks)
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)
    for tick in ticks:
        assert (tick.time is not None) == (length <= timedelta(days=1))
        assert tick.time is None or f"{tick.time:%H:%M}" == tick.text
        assert tick.time is None or tick.time.minute % 15 == 0


def test_a_bar_stands_at_its_time_and_shows_what_failed() -> None:
    period = _period(timedelta(hours=1))
    chart = charts.calls(
        [_each(period.start + timedelta(minutes=30), 10, 5), _each(period.end - timedelta(minutes=1), 20)], period
    )
    first, last = chart.bars
    assert (first.x, first.height, first.failed) == (pytest.approx(500, abs=20), 50, 25)
    assert last.x + last.width <= charts.WIDTH
    assert "10 calls, 5 failed" in first.title
    assert chart.label.startswith("Calls: 30, of which 5 failed; at most 20 in one minute")


def test_errors_have_a_chart_of_their_own() -> None:
    period = _period(timedelta(hours=1))
    chart = charts.failures([_each(period.start, 1000, 2), _each(period.start + timedelta(minutes=1), 5)], period)
    (bar,) = chart.bars
    assert (bar.height, bar.failed) == (100, 100)
    assert charts.failures([], period).label == "Errors: 0; none in this period"


def test_a_line_is_broken_where_nothing_was_called() -> None:
    period = _period(timedelta(hours=1))
    minutes = [period.start + timedelta(minutes=number) for number in (1, 2, 3, 20, 40, 41)]
    lines = [line for line in charts.latency([_each(at, 1) for at in minutes], period).lines if line.name == "p50"]
    assert [len(line.points.split()) for line in lines] == [3, 2, 2]  # a single point is as wide as its minute


def test_an_old_period_is_told_by_the_rollups_that_still_have_it() -> None:
    now = datetime.now(timezone.utc)
    hour = timedelta(hours=1)
    found = [Period(now - age, now - age + hour).table.name for age in (hour, timedelta(days=5), timedelta(days=90))]
    assert found == ["rollup_minute", "rollup_hour", "rollup_day"]
