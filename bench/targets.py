"""Targets that Gatehouse sets itself, and those that a run has missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.processes import Memory

#: Requests per second against /json/2 and /jsonrpc, at least.
RATIOS = {
    "search_80": (4.0, 2.3),
    "read_1": (4.0, 2.3),
    "search_1000": (1.5, 1.3),
    "create_1": (1.5, 1.2),
    "update_1": (1.5, 1.2),
    "create_1000": (1.1, 1.1),
    "rpc_nothing": (4.0, 2.3),
}
#: Of Gatehouse's, the 99th percentile has to be below the median of /json/2.
CALM = "search_80"
#: Bytes that a worker may be larger than Odoo's own.
LARGER = 40 * 1024 * 1024
#: Seconds from the start to ready.
READY = 5.0


def missed(
    entries: list[dict[str, Any]], memory: Mapping[str, list[Memory]], ready: Mapping[str, float]
) -> Iterator[str]:
    """Yield a sentence for each target that the run has missed; what was not measured is not missed."""
    for entry in entries:
        for peer, wanted in zip(("json2", "jsonrpc"), RATIOS.get(entry["workload"], ()), strict=False):
            if entry[f"ratio_{peer}"] < wanted:
                yield f"{entry['title']}: {entry[f'ratio_{peer}']:.2f} times {peer}, not {wanted:g}."
        p99, median = entry["p99_ms"]["gatehouse"], entry["p50_ms"]["json2"]
        if entry["workload"] == CALM and p99 >= median:
            yield f"{entry['title']}: the 99th percentile is {p99:.1f} ms, and the median of json2 {median:.1f} ms."
    ours, theirs = (max(worker.rss for worker in memory[server]) for server in ("gatehouse", "odoo"))
    if ours - theirs > LARGER:
        yield f"Memory: a worker is {(ours - theirs) / 1024**2:.0f} MB larger than Odoo's, not at most 40."
    if ready["gatehouse"] > READY:
        yield f"Start: ready after {ready['gatehouse']:.1f} s, not {READY:g}."
