"""Targets that Gatehouse sets itself, and those that a run has missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench import curve, servers
from bench.curve import Curve
from bench.processes import Memory

_READS = {"json2": 7.0, "jsonrpc": 4.5}
_WRITES = {"json2": 2.0, "jsonrpc": 1.6}
#: Requests per second against those of a peer, at least.
RATIOS: dict[str, dict[str, float]] = {
    "search_80": {"json2": 6.5, "jsonrpc": 4.5, "floor": 0.8},
    "search_80_related": {"json2": 5.0, "jsonrpc": 3.5},
    "search_10_of_100000": _READS,
    "search_1000": {"json2": 5.0, "jsonrpc": 7.0, "floor": 2.0},
    "walk_page_500": {"json2": 15.0},
    "aggregate_100": {"json2": 2.0},
    "read_1": _READS,
    "read_304": _READS,
    "create_1": _WRITES,
    "create_1_quiet": _WRITES,
    "update_1": _WRITES,
    "update_1_quiet": _WRITES,
    "create_1000": {"json2": 1.0, "jsonrpc": 1.0},
    "rpc_nothing": {"json2": 6.0, "jsonrpc": 3.0},
}
#: Where PostgreSQL is so many milliseconds away, requests per second of a read against those of /json/2, at least.
FAR, FAR_READS, FAR_RATIO = 2.0, ("search_80", "read_1"), 8.0
#: Of a busy Gatehouse, the 99th percentile has to be below this part of the median of a /json/2 that is as busy.
CALM = 0.5
#: How much longer writes may take with the capture of changes, and milliseconds of a delta of 100 among a million.
CAPTURE, DELTA_MS = 1.1, 20
#: An export has to be so many times as quick as the pages of /json/2, and may take so many MB more memory.
EXPORT, EXPORT_MB = 10.0, 30.0
#: Bytes that a worker may be larger than Odoo's own.
LARGER = 40 * 1024 * 1024
#: Seconds from the start to ready.
READY = 5.0


def missed(
    entries: list[dict[str, Any]], memory: Mapping[str, list[Memory]], ready: Mapping[str, float]
) -> Iterator[str]:
    """Yield a sentence for each target that the run has missed; what was not measured is not missed."""
    for entry in entries:
        for peer, wanted in RATIOS.get(entry["workload"], {}).items():
            if entry[f"ratio_{peer}"] < wanted:
                yield f"{entry['title']}: {entry[f'ratio_{peer}']:.2f} times {peer}, not {wanted:g}."
    ours, theirs = (max(worker.rss for worker in memory[server]) for server in ("gatehouse", "odoo"))
    if ours - theirs > LARGER:
        yield f"Memory: a worker is {(ours - theirs) / 1024**2:.0f} MB larger than Odoo's, not at most 40."
    if ready["gatehouse"] > READY:
        yield f"Start: ready after {ready['gatehouse']:.1f} s, not {READY:g}."


def missed_by_export(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each target of exports that the run has missed."""
    for entry in entries:
        if entry["line"] == "NDJSON" and entry["ratio"] < EXPORT:
            yield f"Export as NDJSON: {entry['ratio']:.1f} times as quick as pages of json2, not {EXPORT:g}."
        if entry["line"] in ("NDJSON", "CSV") and entry["grown_mb"] > EXPORT_MB:
            yield f"Export as {entry['line']}: {entry['grown_mb']:.0f} MB more memory, not at most {EXPORT_MB:g}."


def missed_by_changes(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each target of the capture and of deltas that the run has missed."""
    for entry in entries:
        if entry["without"] and entry["ratio"] > CAPTURE:
            yield f"{entry['line']}: {entry['ratio']:.2f} times as long with the capture of changes, not {CAPTURE:g}."
        if not entry["without"] and entry["milliseconds"] > DELTA_MS:
            yield f"{entry['line']}: {entry['milliseconds']:.1f} ms, not at most {DELTA_MS:g}."


def missed_under_load(found: Curve) -> Iterator[str]:
    """Yield a sentence if busy servers miss the target of their latency."""
    ours, theirs = (curve.at(found["open"], line, curve.BUSY) for line in ("gatehouse", "json2"))
    p99, median = ours["p99_ms"], theirs["p50_ms"]
    if p99 >= CALM * median:
        yield (
            f"At {curve.BUSY:.0%} of what each can do, the 99th percentile is {p99:.1f} ms, "
            f"and half the median of json2 {CALM * median:.1f} ms."
        )


def missed_far_away(points: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each read that misses its target where PostgreSQL is far away."""
    for point in points:
        there = (point["distance_ms"], point["workers"]) == (FAR, servers.WORKERS)
        ratio = point["ratios"]["json2"]
        if there and point["workload"] in FAR_READS and ratio < FAR_RATIO:
            yield f"{point['title']}, {FAR:g} ms from PostgreSQL: {ratio:.2f} times json2, not {FAR_RATIO:g}."
