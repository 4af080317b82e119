"""An export of all records beside the pages of a peer: ``python -m bench export``."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bench import comparison, report, workloads
from bench.access import TEN
from bench.clients import Gatehouse, Json2, result
from bench.database import Database
from bench.load import WrongAnswer
from bench.request import Request
from bench.servers import Server
from dev.steps import step

#: Records of a peer's page, and how often an export is fetched while a peer's pages are fetched once.
PAGE, TIMES = 1000, 3
#: Files that are fetched, by their line of the table.
FORMATS = {"NDJSON": "application/x-ndjson", "CSV": "text/csv", "Parquet": "application/vnd.apache.parquet"}
_TITLE = "all partners, ten fields"
_PIECE = 256 * 1024
_MB = 1024 * 1024


class Fetched(NamedTuple):
    """One fetch: seconds, bytes by which the workers have grown at most meanwhile, and records, 0 where unknown."""

    seconds: float
    grown: int
    records: int


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
                    found = sorted(_measured(server, fetch) for _ in range(times))
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
            "grown_mb": max(each.grown for each in found) / _MB,
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
    connection, lines = _connection(server), 0
    try:
        connection.request(call.method, call.path, headers=call.headers)
        answer = connection.getresponse()
        while piece := answer.read(_PIECE):
            lines += piece.count(b"\n")
    finally:
        connection.close()
    if answer.status != 200:
        raise WrongAnswer(f"The export was answered with {answer.status}.")
    return {"text/csv": lines - 1, "application/x-ndjson": lines}.get(kind, 0)


def _pages(server: Server, client: Json2) -> int:
    """Fetch all pages of a peer over one connection; return the number of records."""
    connection, records = _connection(server), 0
    try:
        while True:
            call = client.call(
                workloads.PARTNER, "search_read", domain=[], fields=TEN, limit=PAGE, offset=records, order="id"
            )
            found = len(result(_sent(connection, call)))
            records += found
            if found < PAGE:
                return records
    finally:
        connection.close()


def _sent(connection: http.client.HTTPConnection, call: Request) -> bytes:
    connection.request(call.method, call.path, call.body, call.headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise WrongAnswer(f"A page was answered with {answer.status}: {content[:500]!r}")
    return content


def _connection(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)


def _measured(server: Server, fetch: Callable[[], int]) -> Fetched:
    """Return the records of a fetch, its seconds, and the bytes by which the workers have grown at most meanwhile."""
    before = peak = _resident(server)
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.02):
            peak = max(peak, _resident(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    try:
        found = fetch()
        seconds = time.monotonic() - began
    finally:
        over.set()
        watcher.join()
    return Fetched(seconds, max(peak, _resident(server)) - before, found)


def _resident(server: Server) -> int:
    return sum(worker.rss for worker in server.memory())
