"""Targets that Gatehouse sets itself, and those that a run has missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.processes import Memory

_READS = {"json2": 7.0, "jsonrpc": 4.5}
_WRITES = {"json2": 2.0, "jsonrpc": 1.6}
#: Requests per second against those of a peer, at least.
RATIOS: dict[str, dict[str, float]] = {
    "search_80": {"json2": 6.5, "jsonrpc": 4.5, "floor": 0.8},
    "search_80_related": {"json2": 5.0, "jsonrpc": 3.5},
    "search_10_of_100000": _READS,
    "search_1000": {"json2": 5.0, "jsonrpc": 7.0, "floor": 2.0},
    "read_1": _READS,
    "read_304": _READS,
    "create_1": _WRITES,
    "update_1": _WRITES,
    "create_1000": {"json2": 1.0, "jsonrpc": 1.0},
    "rpc_nothing": {"json2": 6.0, "jsonrpc": 3.0},
}
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
