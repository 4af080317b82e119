"""Interleaved rounds: each workload on each server in turn, again and again, so that a slow minute hits them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import psycopg2.extensions

from bench import answers, database, load, paced
from bench.load import NoAnswer, Outcome, WrongAnswer
from bench.request import Request
from bench.servers import Server
from bench.workloads import Workload
from dev.steps import step

CONNECTIONS, FEW = 8, 2
#: Seconds of the load that warms a server up for a workload: calls enough for each thread to have met it often.
WARM = 0.4
#: A slow call gets so many times the seconds of the others, and at least so many.
LONGER, LEAST = 2, 6
#: Where no answer comes in the time, it is doubled, up to about so many seconds.
LONGEST = 20


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: a server, and a cursor on its database."""

    server: Server
    cursor: psycopg2.extensions.cursor


@dataclass(frozen=True, slots=True)
class Sample:
    """One load on one server. ``cpu`` is the server's CPU seconds for a request, without the database's."""

    outcome: Outcome
    cpu: float


@dataclass
class Samples:
    """All samples, one a round, by workload and line; and the workloads' titles."""

    by_job: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def median(self, job: str, line: str, take: Callable[[Sample], float]) -> float:
        """Return the median over the rounds."""
        return median(map(take, self.by_job[job, line]))

    def ratio(self, job: str, line: str, other: str, take: Callable[[Sample], float]) -> float:
        """Return the median of the rounds' ratios: both sides of one round have had the same machine."""
        return median(take(a) / take(b) for a, b in zip(self.by_job[job, line], self.by_job[job, other], strict=True))


def per_second(sample: Sample) -> float:
    """Return the requests per second."""
    return sample.outcome.per_second


def cpu(sample: Sample) -> float:
    """Return the server's CPU seconds for a request."""
    return sample.cpu


def measure(
    wrk: str,
    lines: Mapping[str, Line],
    jobs: Sequence[Workload],
    *,
    rounds: int,
    seconds: int,
    connections: int = CONNECTIONS,
) -> Samples:
    """Compare the answers, warm up, and measure. Raises SetupError, WrongAnswer and TimeoutError."""
    samples = Samples(titles={job.name: job.title for job in jobs})
    with step("Comparing the answers, and warming up"):
        for job in jobs:
            answers.verify(job, {name: line.server for name, line in lines.items()})
            for name, request in job.requests.items():
                _warm(job, lines[name], request, connections)
    for number in range(rounds):
        with step(f"Round {number + 1} of {rounds}"):
            for job in jobs:
                for name in _turned(list(job.requests), number):
                    sample = _load(wrk, job, lines[name], job.requests[name], seconds, connections)
                    samples.by_job.setdefault((job.name, name), []).append(sample)
    return samples


def _turned(names: list[str], number: int) -> list[str]:
    """Let each round begin with another one."""
    start = number % len(names)
    return names[start:] + names[:start]


def _warm(job: Workload, line: Line, request: Request, connections: int) -> None:
    """Let a server meet a workload; of slow calls, each connection makes one."""
    seconds, connections = (0.0, FEW) if job.slow else (WARM, connections)
    try:
        paced.run(line.server.port, request, seconds=seconds, connections=connections)
    except WrongAnswer as error:
        raise WrongAnswer(f"{job.name}: {line.server.name}, {request.path}: {error}") from error
    if job.writes:
        database.reset(line.cursor)


def _load(wrk: str, job: Workload, line: Line, request: Request, seconds: int, connections: int) -> Sample:
    """Load a server that is at rest, and put the database back into its state."""
    if job.slow:
        connections, seconds = FEW, max(LEAST, LONGER * seconds)
    database.settle(line.cursor)
    before = line.server.cpu_seconds()
    try:
        outcome = load.run(wrk, line.server.url, request, seconds=seconds, connections=connections)
    except NoAnswer:
        if seconds > LONGEST:
            raise
        return _load(wrk, job, line, request, 2 * seconds, connections)
    except WrongAnswer as error:
        raise WrongAnswer(f"{job.name}: {line.server.name}, {request.path}: {error}") from error
    sample = Sample(outcome, (line.server.cpu_seconds() - before) / outcome.requests)
    if job.writes:
        database.reset(line.cursor)
    return sample
