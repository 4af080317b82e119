"""Samples into tables and bench.json. All numbers are medians over the rounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.comparison import LINES, Results
from bench.rounds import Sample, Samples, cpu, per_second

PEERS = ("json2", "jsonrpc")
_MB = 1024 * 1024
_MILLISECONDS: dict[str, Callable[[Sample], float]] = {
    "p50_ms": lambda sample: sample.outcome.p50,
    "p99_ms": lambda sample: sample.outcome.p99,
    "cpu_ms": cpu,
}


def summary(samples: Samples) -> list[dict[str, Any]]:
    """Return one entry per workload: requests a second by line, ratios, and milliseconds by line."""
    return [_entry(samples, job) for job in samples.titles]


def _entry(samples: Samples, job: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"workload": job, "title": samples.titles[job]}
    entry.update({line: round(samples.median(job, line, per_second), 1) for line in LINES})
    entry.update({f"ratio_{peer}": round(samples.ratio(job, "gatehouse", peer, per_second), 2) for peer in PEERS})
    for key, take in _MILLISECONDS.items():
        entry[key] = {line: round(samples.median(job, line, take) * 1000, 2) for line in LINES}
    return entry


def markdown(entries: list[dict[str, Any]]) -> str:
    """Return the table of docs/performance.md."""
    heads = ["workload", "Gatehouse", "`/json/2`", "`/jsonrpc`", "floor", "× `/json/2`", "× `/jsonrpc`"]
    heads += ["p50", "p99", "`/json/2` p50", "CPU", "`/json/2` CPU"]
    rows = [_row(heads), _row(["---", *["---:"] * (len(heads) - 1)])]
    for entry in entries:
        p50, p99, used = entry["p50_ms"], entry["p99_ms"], entry["cpu_ms"]
        cells = [entry["title"], *(_number(entry[line]) for line in LINES)]
        cells += [f"**{entry[f'ratio_{peer}']:.1f}**" for peer in PEERS]
        cells += map(_number, (p50["gatehouse"], p99["gatehouse"], p50["json2"], used["gatehouse"], used["json2"]))
        rows.append(_row(cells))
    return "\n".join(rows)


def processes(results: Results) -> str:
    """Return the table of memory and time to ready."""
    heads = ["server", "RSS of a worker, MB", "of that its own, MB", "PSS, MB", "ready after, s"]
    rows = [_row(heads), _row(["---", *["---:"] * (len(heads) - 1)])]
    for server, workers in results.memory.items():
        sizes = [max(getattr(worker, kind) for worker in workers) / _MB for kind in ("rss", "private", "pss")]
        rows.append(_row([server, *(f"{size:.0f}" for size in sizes), f"{results.ready[server]:.1f}"]))
    return "\n".join(rows)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
