"""Throughput and latency of a search against the load: ``python -m bench load``.

First each connection asks as soon as it has its answer, over more and more of them: a closed loop. Then each server is
offered parts of what it has answered so, at so many requests a second whatever it answers: an open one (``paced``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, TypeAlias

from bench import answers, database, paced, report
from bench.comparison import Running
from bench.load import Outcome
from bench.rounds import CONNECTIONS, WARM
from dev.steps import step

CALL = "search_80"
#: Connections of the closed loop. What a server can do is what it answers over those that the other tables are of.
AT_ONCE = (1, 2, 4, CONNECTIONS, 16)
#: Parts of what a server can do.
SHARES = (0.1, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0)
#: The parts in the table; all of them are in the picture.
TOLD = (0.1, 0.4, 0.8, 1.0)
#: The part at which the 99th percentile has a target.
BUSY = 0.8
#: Connections of the open loop, at most. A request that finds none free waits in the client, and its time counts.
MOST = 16
#: Points by kind of loop, "closed" and "open".
Curve: TypeAlias = dict[str, list[dict[str, Any]]]
_Send: TypeAlias = Callable[..., Outcome]


@dataclass(frozen=True)
class Point:
    """Medians of one server at one load, by requests a second and milliseconds.

    ``load`` is the number of connections of a closed loop, the part of what the server can do of an open one.
    """

    line: str
    load: float
    offered: float | None
    answered: float
    p50_ms: float
    p99_ms: float


def measure(running: Running, *, number: int, seconds: int) -> Curve:
    """Measure so many rounds, each load on each server in turn. Raises SetupError and WrongAnswer."""
    (job,) = running.jobs

    def send(name: str, seconds: float, connections: int, rate: float | None = None) -> Outcome:
        line = running.lines[name]
        database.settle(line.cursor)
        return paced.run(line.server.port, job.requests[name], seconds=seconds, connections=connections, rate=rate)

    with step("Comparing the answers, and warming up"):
        answers.verify(job, {name: running.lines[name].server for name in job.requests})
        for name in job.requests:
            send(name, WARM, CONNECTIONS)
    closed = _closed(send, list(job.requests), number, seconds)
    most = {point.line: point.answered for point in closed if point.load == CONNECTIONS}
    return {
        "closed": [asdict(point) for point in closed],
        "open": [asdict(point) for point in _open(send, most, number, seconds)],
    }


def _closed(send: _Send, names: Sequence[str], number: int, seconds: int) -> list[Point]:
    found: dict[tuple[str, float], list[Outcome]] = {}
    for turn in range(number):
        with step(f"As fast as they answer: round {turn + 1} of {number}"):
            for connections in AT_ONCE:
                for name in names:
                    found.setdefault((name, connections), []).append(send(name, seconds, connections))
    return [_point(*of, None, outcomes) for of, outcomes in found.items()]


def _open(send: _Send, most: Mapping[str, float], number: int, seconds: int) -> list[Point]:
    found: dict[tuple[str, float], list[Outcome]] = {}
    for turn in range(number):
        with step(f"So many requests a second: round {turn + 1} of {number}"):
            for share in SHARES:
                for name, rate in most.items():
                    found.setdefault((name, share), []).append(send(name, seconds, MOST, share * rate))
    return [_point(*of, round(of[1] * most[of[0]], 1), outcomes) for of, outcomes in found.items()]


def _point(line: str, load: float, offered: float | None, outcomes: Sequence[Outcome]) -> Point:
    found = ((each.per_second, each.p50 * 1000, each.p99 * 1000) for each in outcomes)
    answered, p50, p99 = (round(median(values), 2) for values in zip(*found, strict=True))
    return Point(line, load, offered, answered, p50, p99)


def markdown(curve: Curve) -> str:
    """Return a table with a row for each server: requests a second, and milliseconds at some loads."""
    heads = ["server", *(f"over {connections}" for connections in AT_ONCE)]
    heads += [f"{key} at {share:.0%}" for share in TOLD for key in ("p50", "p99")]
    rows = []
    for line in dict.fromkeys(point["line"] for point in curve["closed"]):
        answered = [at(curve["closed"], line, connections)["answered"] for connections in AT_ONCE]
        told = [at(curve["open"], line, share) for share in TOLD]
        figures = [*answered, *(point[key] for point in told for key in ("p50_ms", "p99_ms"))]
        rows.append([report.TITLES[line], *map(report.number, figures)])
    return report.table(heads, rows)


def at(points: Sequence[Mapping[str, Any]], line: str, load: float) -> Mapping[str, Any]:
    """Return the point of a server at a load."""
    return next(point for point in points if (point["line"], point["load"]) == (line, load))
