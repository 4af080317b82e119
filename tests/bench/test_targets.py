"""What a run has missed."""

from __future__ import annotations

from typing import Any

from bench import targets, workloads
from bench.processes import Memory

MB = 1024 * 1024
READY = {"gatehouse": 4.0, "odoo": 3.0}


def entry(json2: float = 6.5, jsonrpc: float = 4.5, floor: float = 0.8) -> dict[str, Any]:
    ratios = {"ratio_json2": json2, "ratio_jsonrpc": jsonrpc, "ratio_floor": floor}
    return {"workload": "search_80", "title": "search 80", **ratios}


def memory(gatehouse: int = 140) -> dict[str, list[Memory]]:
    return {
        "gatehouse": [Memory(size * MB, 0, 0) for size in (120, gatehouse)],
        "odoo": [Memory(size * MB, 0, 0) for size in (100, 110)],
    }


def test_a_run_that_reaches_all_targets() -> None:
    assert list(targets.missed([entry()], memory(), READY)) == []


def test_each_missed_target_is_named_with_its_figures() -> None:
    found = targets.missed([entry(6.4, 4.25, 0.79)], memory(gatehouse=151), READY | {"gatehouse": 5.5})
    assert list(found) == [
        "search 80: 6.40 times json2, not 6.5.",
        "search 80: 4.25 times jsonrpc, not 4.5.",
        "search 80: 0.79 times floor, not 0.8.",
        "Memory: a worker is 41 MB larger than Odoo's, not at most 40.",
        "Start: ready after 5.5 s, not 5.",
    ]


def test_a_workload_without_a_target_misses_none() -> None:
    assert list(targets.missed([entry(0.5, 0.5, 0.1) | {"workload": "search_page_500"}], memory(), READY)) == []


def test_each_target_is_of_a_workload() -> None:
    assert set(targets.RATIOS) <= set(workloads.names())
