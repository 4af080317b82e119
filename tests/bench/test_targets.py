"""What a run has missed."""

from __future__ import annotations

from typing import Any

import pytest

from bench import report, targets, workloads
from bench.processes import Memory
from tests.bench.test_curve import points
from tests.bench.test_distance import point
from tests.pages import ROOT

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


@pytest.mark.parametrize(("p99", "sentences"), [(9.9, 0), (10.0, 1)])
def test_a_busy_server_is_calm_beside_half_the_median_of_one_that_is_as_busy(p99: float, sentences: int) -> None:
    busy = points("gatehouse", p99=p99)["open"] + points("json2", p50=20.0)["open"]
    found = list(targets.missed_under_load({"open": busy}))
    assert len(found) == sentences
    if found:
        assert found == [
            "At 80% of what each can do, the 99th percentile is 10.0 ms, and half the median of json2 10.0 ms."
        ]


@pytest.mark.parametrize(
    ("far", "sentences"),
    [
        (point(json2=8.0), []),
        (point(json2=7.9), ["title of read_1, 2 ms from PostgreSQL: 7.90 times json2, not 8."]),
        (point(json2=7.9, distance_ms=0.5), []),
        (point(json2=7.9, workers=8), []),
        (point("rpc_nothing", json2=7.9), []),
    ],
)
def test_reads_far_away_have_a_target(far: dict[str, Any], sentences: list[str]) -> None:
    assert list(targets.missed_far_away([far])) == sentences


def test_the_page_tells_the_targets() -> None:
    titles = {job.name: job.title for job in workloads.every(workloads.NOBODY)}
    peers = ("json2", "jsonrpc", "floor")
    rows = [
        [titles[name], *(f"{ratios[peer]:g}" if peer in ratios else "" for peer in peers)]
        for name, ratios in targets.RATIOS.items()
    ]
    heads = ["workload", *(report.TITLES[peer] for peer in peers)]
    assert report.table(heads, rows) in (ROOT / "docs" / "performance.md").read_text()
