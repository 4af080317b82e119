"""Samples into numbers."""

from __future__ import annotations

from bench import growth, report
from bench.load import Outcome
from bench.rounds import Sample, Samples, per_second


def sample(requests: int, *, cpu: float = 0.002) -> Sample:
    return Sample(Outcome(requests, seconds=2, p50=0.004, p99=0.0091), cpu)


def samples() -> Samples:
    """Two calls of every line in three rounds; the second round's machine was slow."""
    by_line = {
        "gatehouse": [sample(800), sample(400), sample(840)],
        "json2": [sample(200, cpu=0.008), sample(90, cpu=0.009), sample(205, cpu=0.008)],
        "jsonrpc": [sample(400), sample(200), sample(420)],
        "floor": [sample(4000), sample(2000), sample(4200)],
    }
    return Samples({("read_1", line): rounds for line, rounds in by_line.items()}, {"read_1": "read one record"})


def test_an_entry_holds_medians_and_ratios() -> None:
    (entry,) = report.summary(samples())
    assert {name: entry[name] for name in ("workload", "gatehouse", "json2", "jsonrpc", "floor")} == {
        "workload": "read_1",
        "gatehouse": 400.0,
        "json2": 100.0,
        "jsonrpc": 200.0,
        "floor": 2000.0,
    }
    assert (entry["p99_ms"]["gatehouse"], entry["cpu_ms"]["json2"]) == (9.1, 8.0)


def test_a_ratio_is_taken_within_each_round() -> None:
    assert samples().ratio("read_1", "gatehouse", "json2", per_second) == 840 / 205


def test_the_table_is_markdown_with_a_row_for_each_workload() -> None:
    head, line, row = report.markdown(report.summary(samples())).splitlines()
    figures = "400 | 100 | 200 | 2,000 | **4.1** | **2.0** | **0.20** | 4.0 | 9.1 | 4.0 | 2.0 | 8.0"
    assert row == f"| read one record | {figures} |"
    assert head.count("|") == line.count("|") == row.count("|")


def test_a_peer_that_does_not_do_all_has_empty_cells_and_one_that_does_nothing_no_column() -> None:
    found = samples()
    found.by_job["create_1", "fastapi"] = [sample(100)] * 3
    found.by_job.update({("create_1", line): rounds for (_, line), rounds in samples().by_job.items()})
    found.titles["create_1"] = "create one"
    head, _, read, create = report.markdown(report.summary(found)).splitlines()
    assert "OCA `fastapi`" in head
    assert "OCA" not in report.markdown(report.summary(samples()))
    assert [row.split("|")[6].strip() for row in (read, create)] == ["", "50.0"]


def test_growth_shows_each_line_beside_the_first_state_and_marks_what_is_not_flat() -> None:
    found = Samples(
        {("read_1", "at first"): [sample(400)], ("read_1", "grown"): [sample(380, cpu=0.003)]}, {"read_1": "read"}
    )
    *_, first, grown = growth.table(found, "at first").splitlines()
    assert first == "| read | at first | 200 | +0% | 2.00 | +0% |"
    assert grown == "| read | grown | 190 | -5% | 3.00 | **+50%** |"
