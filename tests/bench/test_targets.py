"""What a run has missed."""

from __future__ import annotations

from typing import Any

from bench import targets
from bench.processes import Memory

MB = 1024 * 1024
READY = {"gatehouse": 4.0, "odoo": 3.0}


def entry(json2: float = 4.5, jsonrpc: float = 2.5, p99: float = 9.0) -> dict[str, Any]:
    times = {"p99_ms": {"gatehouse": p99}, "p50_ms": {"json2": 20.0}}
    return {"workload": "search_80", "title": "search 80", "ratio_json2": json2, "ratio_jsonrpc": jsonrpc, **times}


def memory(gatehouse: int = 140) -> dict[str, list[Memory]]:
    return {
        "gatehouse": [Memory(size * MB, 0, 0) for size in (120, gatehouse)],
        "odoo": [Memory(size * MB, 0, 0) for size in (100, 110)],
    }


def test_a_run_that_reaches_all_targets() -> None:
    assert list(targets.missed([entry()], memory(), READY)) == []


def test_each_missed_target_is_named_with_its_figures() -> None:
    found = targets.missed([entry(3.9, 2.25, 25.0)], memory(gatehouse=151), READY | {"gatehouse": 5.5})
    assert list(found) == [
        "search 80: 3.90 times json2, not 4.",
        "search 80: 2.25 times jsonrpc, not 2.3.",
        "search 80: the 99th percentile is 25.0 ms, and the median of json2 20.0 ms.",
        "Memory: a worker is 41 MB larger than Odoo's, not at most 40.",
        "Start: ready after 5.5 s, not 5.",
    ]


def test_a_workload_without_a_target_misses_none() -> None:
    assert list(targets.missed([entry(0.5, 0.5, 99.0) | {"workload": "search_page_500"}], memory(), READY)) == []
