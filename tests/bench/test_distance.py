"""Points of distances into a table."""

from __future__ import annotations

from typing import Any

from bench import distance


def point(workload: str = "read_1", distance_ms: float = 2.0, workers: int = 2, json2: float = 9.0) -> dict[str, Any]:
    return {
        "distance_ms": distance_ms,
        "round_trip_ms": distance_ms + 0.06,
        "workers": workers,
        "workload": workload,
        "title": f"title of {workload}",
        "per_second": {"gatehouse": 900.0, "json2": 100.0, "jsonrpc": 150.0},
        "p50_ms": {"gatehouse": 8.0, "json2": 79.0, "jsonrpc": 50.0},
        "ratios": {"json2": json2, "jsonrpc": 6.0},
    }


def test_the_table_has_the_calls_together_and_tells_the_round_trips() -> None:
    points = [point(name, far) for far in (0.0, 2.0) for name in ("search_80", "read_1")]
    head, line, *rows, _, trips = distance.markdown(points).splitlines()
    assert [row.split(" | ")[:2] for row in rows] == [
        [f"| title of {name}", far] for name in ("search_80", "read_1") for far in ("0", "2")
    ]
    assert rows[0] == "| title of search_80 | 0 | 2 | 900 | 100 | 150 | **9.0** | **6.0** | 8.0 | 79.0 |"
    assert head.count("|") == line.count("|") == rows[0].count("|")
    assert trips == "A round trip of `SELECT 1`: 0.06 ms at 0 ms, 2.06 ms at 2 ms."
