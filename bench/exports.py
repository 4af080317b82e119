"""An export of all records beside the pages of a peer: ``python -m bench export``."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from typing import Any

from bench import comparison, report, workloads
from bench.access import TEN
from bench.clients import Gatehouse, Json2, result
from bench.database import Database
from bench.load import WrongAnswer
from bench.servers import Server
from bench.streams import MB, Fetched, connection, measured, sent
from dev.steps import step

#: Records of a peer's page, and how often an export is fetched while a peer's pages are fetched once.
PAGE, TIMES = 1000, 3
#: Files that are fetched, by their line of the table.
FORMATS = {"NDJSON": "application/x-ndjson", "CSV": "text/csv", "Parquet": "application/vnd.apache.parquet"}
_TITLE = "all partners, ten fields"
_PIECE = 256 * 1024


def run(database: Database, *, number: int) -> list[dict[str, Any]]:
    """Measure so many rounds; return an entry for each line of the table. Raises SetupError and WrongAnswer."""
    with comparison.started(database, [workloads.names()[0]], peers=False) as running:
        credentials, ours, theirs = running.access, running.servers["gatehouse"], running.servers["odoo"]
        gatehouse, json2 = Gatehouse(credentials.token), Json2(credentials.key)
        lines: dict[str, tuple[Server, Callable[[], int]]] = {
            name: (ours, lambda kind=kind: _export(ours, gatehouse, kind))  # type: ignore[misc]
            for name, kind in FORMATS.items()
        }
        lines["/json/2"] = theirs, lambda: _pages(theirs, json2)
        records: dict[str, int] = {}
        samples: dict[str, list[Fetched]] = {name: [] for name in lines}
        for each in range(number + 1):
            with step(f"Round {each} of {number}" if each else "Warming up"):
                for name, (server, fetch) in lines.items():
                    times = 1 if server is theirs else TIMES
                    found = sorted(measured(server, fetch) for _ in range(times))
                    records[name] = found[0].records
                    samples[name] += [found[times // 2]] if each else []
    counted = {records[name] for name in ("NDJSON", "CSV", "/json/2")}
    if len(counted) != 1:
        raise WrongAnswer(f"Not all have given the same records: {records}")
    return list(_entries(counted.pop(), samples))


def _entries(records: int, samples: dict[str, list[Fetched]]) -> Iterator[dict[str, Any]]:
    for name, found in samples.items():
        yield {
            "line": name,
            "records": records,
            "seconds": statistics.median(each.seconds for each in found),
            "grown_mb": max(each.grown for each in found) / MB,
            # Each round by itself: what is beside it disturbs both.
            "ratio": statistics.median(
                theirs.seconds / ours.seconds for ours, theirs in zip(found, samples["/json/2"], strict=True)
            ),
        }


def markdown(entries: list[dict[str, Any]]) -> str:
    """Return the table of entries."""
    rows = [
        [
            entry["line"],
            f"{entry['seconds']:.2f}",
            report.number(entry["records"] / entry["seconds"]),
            f"**{entry['ratio']:.1f}**",
            f"{entry['grown_mb']:.1f}",
        ]
        for entry in entries
    ]
    heads = [f"{entries[0]['records']:,} records, {_TITLE}", "s", "records/s", "× `/json/2`", "peak memory, MB more"]
    return report.table(heads, rows)


def _export(server: Server, client: Gatehouse, kind: str) -> int:
    """Fetch an export; return the number of its records, 0 where its lines do not tell."""
    call = client.get("/api/bench/partner/export", headers={"Accept": kind}, fields=",".join(TEN))
    fetching, lines = connection(server), 0
    try:
        fetching.request(call.method, call.path, headers=call.headers)
        answer = fetching.getresponse()
        while piece := answer.read(_PIECE):
            lines += piece.count(b"\n")
    finally:
        fetching.close()
    if answer.status != 200:
        raise WrongAnswer(f"The export was answered with {answer.status}.")
    return {"text/csv": lines - 1, "application/x-ndjson": lines}.get(kind, 0)


def _pages(server: Server, client: Json2) -> int:
    """Fetch all pages of a peer over one connection; return the number of records."""
    kept, records = connection(server), 0
    try:
        while True:
            call = client.call(
                workloads.PARTNER, "search_read", domain=[], fields=TEN, limit=PAGE, offset=records, order="id"
            )
            found = len(result(sent(kept, call)))
            records += found
            if found < PAGE:
                return records
    finally:
        kept.close()
