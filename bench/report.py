"""Samples into tables and bench.json. All numbers are medians over the rounds."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from bench.http_run import LINES, Results, Sample

_MB = 1024 * 1024


def summary(results: Results) -> list[dict[str, Any]]:
    """Return one entry per workload: requests a second by line, and what else was measured."""
    return [_entry(results, workload) for workload in results.titles]


def _entry(results: Results, workload: str) -> dict[str, Any]:
    lines = [line for line in LINES if (workload, line) in results.samples]
    entry: dict[str, Any] = {"workload": workload, "title": results.titles[workload]}
    entry.update({line: round(_median(results, workload, line, lambda s: s.outcome.per_second), 1) for line in lines})
    for peer in ("json2", "jsonrpc"):
        if peer in lines:
            entry[f"ratio_{peer}"] = round(_ratio(results, workload, peer), 2)
    for key, take in _DETAILS.items():
        entry[key] = {line: round(_median(results, workload, line, take) * 1000, 2) for line in lines}
    return entry


_DETAILS: dict[str, Callable[[Sample], float]] = {
    "p50_ms": lambda sample: sample.outcome.p50,
    "p99_ms": lambda sample: sample.outcome.p99,
    "cpu_ms": lambda sample: sample.cpu,
}


def _median(results: Results, workload: str, line: str, take: Callable[[Sample], float]) -> float:
    return median(map(take, results.samples[workload, line]))


def _ratio(results: Results, workload: str, peer: str) -> float:
    """Return the median of the rounds' ratios: a slow minute of the machine hits both sides of one round."""
    ours, theirs = results.samples[workload, "gatehouse"], results.samples[workload, peer]
    return median(a.outcome.per_second / b.outcome.per_second for a, b in zip(ours, theirs, strict=True))


def markdown(entries: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    rows = [
        "| workload | requests/s | `/json/2` | `/jsonrpc` | floor | × `/json/2` | × `/jsonrpc` | p50, p99 ms | "
        "`/json/2` p50 ms | CPU ms | `/json/2` CPU ms |",
        "| --- |" + " ---: |" * 10,
    ]
    for entry in entries:
        p50, p99, cpu = entry["p50_ms"], entry["p99_ms"], entry["cpu_ms"]
        cells = [entry["title"], *(_number(entry.get(line)) for line in LINES)]
        cells += [f"**{entry[f'ratio_{peer}']:.1f}**" for peer in ("json2", "jsonrpc")]
        cells += [f"{_number(p50['gatehouse'])}, {_number(p99['gatehouse'])}", _number(p50["json2"])]
        cells += [_number(cpu["gatehouse"]), _number(cpu["json2"])]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def processes(results: Results) -> str:
    """Return the table of memory and time to ready."""
    rows = ["| server | worker RSS, MB | PSS, MB | ready after, s |", "| --- | ---: | ---: | ---: |"]
    for line, server in LINES.items():
        if line == "jsonrpc":
            continue
        workers = results.memory[line]
        rss, pss = (max(getattr(worker, kind) for worker in workers) / _MB for kind in ("rss", "pss"))
        rows.append(f"| {server} | {rss:.0f} | {pss:.0f} | {results.ready[server]:.1f} |")
    return "\n".join(rows)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
