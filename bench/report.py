"""Samples into tables and bench.json. All numbers are medians over the rounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.comparison import LINES, PEERS, Results
from bench.rounds import Sample, Samples, cpu, per_second

#: Names of the lines for people.
TITLES = {
    "gatehouse": "Gatehouse",
    "json2": "`/json/2`",
    "jsonrpc": "`/jsonrpc`",
    "floor": "floor",
    "fastapi": "OCA `fastapi`",
}
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
    lines = [line for line in (*LINES, *PEERS) if (job, line) in samples.by_job]
    entry: dict[str, Any] = {"workload": job, "title": samples.titles[job]}
    entry.update({line: round(samples.median(job, line, per_second), 1) for line in lines})
    for peer in lines[1:]:
        entry[f"ratio_{peer}"] = round(samples.ratio(job, "gatehouse", peer, per_second), 2)
    for key, take in _MILLISECONDS.items():
        entry[key] = {line: round(samples.median(job, line, take) * 1000, 2) for line in lines}
    return entry


def markdown(entries: list[dict[str, Any]]) -> str:
    """Return the table of docs/performance.md; peers that no entry has are left out."""
    further = [peer for peer in PEERS if any(peer in entry for entry in entries)]
    lines = [*LINES, *further]
    peers = ["json2", "jsonrpc", "floor", *further]
    heads = ["workload", *(TITLES[line] for line in lines), *(f"× {TITLES[peer]}" for peer in peers)]
    heads += ["p50", "p99", "`/json/2` p50", "CPU", "`/json/2` CPU"]
    rows = []
    for entry in entries:
        p50, p99, used = entry["p50_ms"], entry["p99_ms"], entry["cpu_ms"]
        cells = [entry["title"], *(number(entry[line]) if line in entry else "" for line in lines)]
        cells += [f"**{_ratio(entry[f'ratio_{peer}'])}**" if peer in entry else "" for peer in peers]
        cells += map(number, (p50["gatehouse"], p99["gatehouse"], p50["json2"], used["gatehouse"], used["json2"]))
        rows.append(cells)
    return table(heads, rows)


def processes(results: Results) -> str:
    """Return the table of memory and time to ready."""
    rows = []
    for server, workers in results.memory.items():
        sizes = [max(getattr(worker, kind) for worker in workers) / _MB for kind in ("rss", "private", "pss")]
        rows.append([server, *(f"{size:.0f}" for size in sizes), f"{results.ready[server]:.1f}"])
    return table(["server", "RSS of a worker, MB", "of that its own, MB", "PSS, MB", "ready after, s"], rows)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown; its first column is a name, and all others are numbers."""
    line = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(" ".join(["|", *(f"{cell} |".lstrip() for cell in cells)]) for cells in (heads, line, *rows))


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def number(value: float) -> str:
    """Return a number as the tables have it."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
