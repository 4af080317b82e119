"""Servers far from PostgreSQL, with more and fewer workers: ``python -m bench distance``.

Without distance they are connected to PostgreSQL itself, else to a proxy that delays (``distance_proxy``).
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench import access, distance_proxy, report, rounds, servers, workloads
from bench.database import Database
from bench.rounds import Line, Samples, per_second
from dev.cluster import write_private
from dev.postgres import PostgresServer
from dev.steps import say, step

#: Seconds there and back.
DISTANCES = (0.0, 0.0005, 0.002)
WORKERS = (1, 2, 4, 8)
CALLS = ("search_80", "read_1", "rpc_nothing")
LINES = {"gatehouse": "gatehouse", "json2": "odoo", "jsonrpc": "odoo"}
#: Round trips that a distance is measured by.
_TRIPS = 200


@dataclass(frozen=True)
class Point:
    """Medians of one call at one distance with so many workers.

    ``round_trip_ms`` is the measured one of SELECT 1, ``per_second`` and ``p50_ms`` are by line, ``ratios`` by peer.
    """

    distance_ms: float
    round_trip_ms: float
    workers: int
    workload: str
    title: str
    per_second: dict[str, float]
    p50_ms: dict[str, float]
    ratios: dict[str, float]


def run(
    database: Database,
    wrk: str,
    *,
    number: int,
    seconds: int,
    distances: Sequence[float] = DISTANCES,
    workers: Sequence[int] = WORKERS,
) -> list[dict[str, Any]]:
    """Measure so many rounds for each distance and number of workers. Raises SetupError and WrongAnswer."""
    database.ensure()
    with step("Defining the APIs"):
        configured = access.configure(database)
    points: list[Point] = []
    for distance in distances:
        with far(database, distance) as (there, trip):
            for count in workers:
                say(f"{distance * 1000:g} ms to PostgreSQL (SELECT 1 takes {trip * 1000:.2f} ms), workers: {count}")
                with _lines(database, there, count) as lines:
                    every = workloads.every(access.obtain(database, lines["gatehouse"].server, configured))
                    jobs = [job.on(lines) for job in every if job.name in CALLS]
                    # As many connections as Gatehouse has threads: Odoo's workers never lack one either.
                    at_once = servers.THREADS * count
                    samples = rounds.measure(wrk, lines, jobs, rounds=number, seconds=seconds, connections=at_once)
                points += _points(samples, distance, trip, count)
    return [asdict(point) for point in points]


def _points(samples: Samples, distance: float, trip: float, workers: int) -> Iterator[Point]:
    for job, title in samples.titles.items():
        yield Point(
            distance * 1000,
            round(trip * 1000, 2),
            workers,
            job,
            title,
            {line: round(samples.median(job, line, per_second), 1) for line in LINES},
            {line: round(samples.median(job, line, lambda each: each.outcome.p50) * 1000, 2) for line in LINES},
            {
                peer: round(samples.ratio(job, "gatehouse", peer, per_second), 2)
                for peer in LINES
                if peer != "gatehouse"
            },
        )


def markdown(points: Sequence[dict[str, Any]]) -> str:
    """Return a table with a row for each call, distance and number of workers."""
    peers = [line for line in LINES if line != "gatehouse"]
    heads = ["call", "distance, ms", "workers", *(report.TITLES[line] for line in LINES)]
    heads += [*(f"× {report.TITLES[peer]}" for peer in peers), "p50", "`/json/2` p50"]
    rows = []
    for point in sorted(points, key=lambda point: CALLS.index(point["workload"])):
        cells = [point["title"], f"{point['distance_ms']:g}", str(point["workers"])]
        cells += [report.number(point["per_second"][line]) for line in LINES]
        cells += [f"**{point['ratios'][peer]:.1f}**" for peer in peers]
        rows.append([*cells, *(report.number(point["p50_ms"][line]) for line in ("gatehouse", "json2"))])
    trips = {point["distance_ms"]: point["round_trip_ms"] for point in points}
    measured = ", ".join(f"{trip:.2f} ms at {distance:g} ms" for distance, trip in trips.items())
    return f"{report.table(heads, rows)}\n\nA round trip of `SELECT 1`: {measured}."


@contextlib.contextmanager
def _lines(near: Database, there: Database, workers: int) -> Iterator[dict[str, Line]]:
    """Run Odoo and Gatehouse so far from PostgreSQL; what looks after the rounds is near it."""
    with contextlib.ExitStack() as stack:
        starting = [servers.odoo(there, workers=workers), servers.gatehouse(there, workers=workers)]
        running = {server.name: server for server in map(stack.enter_context, starting)}
        cursor = stack.enter_context(near.connected())
        yield {line: Line(running[name], cursor) for line, name in LINES.items()}


@contextlib.contextmanager
def far(database: Database, seconds: float) -> Iterator[tuple[Database, float]]:
    """Put the database so many seconds away, there and back; yield it with the round trip that was measured.

    What the proxy itself takes is measured first, and taken off its delay.
    """
    testbed = database.testbed
    near = round_trip(testbed.server)
    if not seconds:
        yield database, near
        return
    with distance_proxy.away(testbed.host, testbed.port, seconds) as port:
        surplus = round_trip(replace(testbed.server, port=port)) - near - seconds
    with contextlib.ExitStack() as stack:
        away = distance_proxy.away(testbed.host, testbed.port, max(0.0, seconds - surplus))
        port = stack.enter_context(away)
        conf = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "odoo.conf"
        write_private(conf, re.sub(r"(?m)^db_port = .*$", f"db_port = {port}", testbed.odoo_conf.read_text()))
        there = replace(database, testbed=replace(testbed, port=port, odoo_conf=conf))
        yield there, round_trip(there.testbed.server)


def round_trip(server: PostgresServer) -> float:
    """Return the median of the seconds that a statement takes which does nothing."""
    times = []
    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        for _ in range(_TRIPS):
            started = time.perf_counter()
            cursor.execute("SELECT 1")
            times.append(time.perf_counter() - started)
    return median(times)
