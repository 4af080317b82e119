"""Points of a load into a table."""

from __future__ import annotations

from bench import curve
from bench.curve import AT_ONCE, SHARES, Curve


def points(*lines: str, p50: float = 4.0, p99: float = 9.0) -> Curve:
    """A curve on which each line answers all that it is offered, 500 a second at most."""
    latency = {"p50_ms": p50, "p99_ms": p99}
    return {
        "closed": [
            {"line": line, "load": number, "offered": None, "answered": 500.0, **latency}
            for line in lines
            for number in AT_ONCE
        ],
        "open": [
            {"line": line, "load": share, "offered": 500 * share, "answered": 500 * share, **latency}
            for line in lines
            for share in SHARES
        ],
    }


def test_the_table_has_a_row_for_each_server() -> None:
    head, line, *rows = curve.markdown(points("gatehouse", "json2")).splitlines()
    assert [row.split(" | ")[0] for row in rows] == ["| Gatehouse", "| `/json/2`"]
    assert {row.count("|") for row in (line, *rows)} == {head.count("|")}
    assert rows[0] == f"| Gatehouse |{' 500 |' * 5}{' 4.0 | 9.0 |' * 4}"


def test_the_target_and_the_table_are_of_loads_that_are_measured() -> None:
    assert {curve.BUSY, *curve.TOLD} <= set(SHARES)
