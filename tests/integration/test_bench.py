"""A very small benchmark, whole: servers, OCA's fastapi among them, wrk, answers compared, numbers."""

from __future__ import annotations

import pytest

from bench import comparison, report
from bench.database import Database
from dev.errors import SetupError
from dev.testbed import Testbed
from tests.packages import program


@pytest.mark.live
def test_all_servers_do_one_job_and_are_measured(testbed: Testbed) -> None:
    database = Database(testbed, "gatehouse_test_bench", partners=10_000)
    try:
        wrk = program("wrk", "wrk")
        results = comparison.run(database, wrk, number=1, seconds=1, only=["read_1"], peers=True)
    finally:
        testbed.drop(database.name)
    (entry,) = report.summary(results.samples)
    for line in (*comparison.LINES, *comparison.PEERS):
        assert entry[line] > 0
        assert 0 < entry["p50_ms"][line] <= entry["p99_ms"][line]
        assert entry["cpu_ms"][line] > 0
    servers = {"floor", "odoo", "gatehouse", "fastapi"}
    assert {name: len(workers) for name, workers in results.memory.items()} == dict.fromkeys(servers, 2)
    assert "| gatehouse |" in report.processes(results)


def test_an_unknown_workload_is_named(testbed: Testbed) -> None:
    with pytest.raises(SetupError, match="no workload 'serach'"):
        comparison.run(Database(testbed), "wrk", number=1, seconds=1, only=["serach"])
