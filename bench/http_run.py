"""`python -m bench`: Gatehouse beside Odoo's own HTTP APIs and the floor, in turn, several rounds."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg2.extensions

from bench import access, answers, database, load, servers, workloads
from bench.load import Outcome, WrongAnswer
from bench.processes import Memory
from bench.request import Request
from bench.servers import Server
from bench.workloads import Workload
from dev.steps import step
from dev.testbed import Testbed

#: The lines of the table, and the server behind each.
LINES = {"gatehouse": "gatehouse", "json2": "odoo", "jsonrpc": "odoo", "floor": "floor"}
CONNECTIONS, FEW = 8, 2
#: A slow call gets so many times the seconds of the others, and at least so many.
LONGER, LEAST = 3, 6


@dataclass(frozen=True, slots=True)
class Sample:
    """One load on one server. ``cpu`` is the server's CPU seconds for a request."""

    outcome: Outcome
    cpu: float


@dataclass
class Results:
    """All samples by workload and line; memory of the workers and seconds to ready by server."""

    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    memory: dict[str, list[Memory]] = field(default_factory=dict)
    ready: dict[str, float] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)


def run(testbed: Testbed, wrk: str, *, rounds: int, seconds: int, only: Sequence[str]) -> Results:
    """Measure and return what was found. Raises SetupError and WrongAnswer."""
    database.ensure(testbed)
    results = Results()
    with contextlib.ExitStack() as stack:
        lines, jobs = _prepare(testbed, stack, results)
        jobs = [job for job in jobs if not only or job.name in only]
        cursor = stack.enter_context(database.connected(testbed))
        with step("Comparing the answers, and warming up"):
            for job in jobs:
                answers.verify(job, lines)
                for line, request in job.requests.items():
                    _load(wrk, lines[line], job, request, seconds=1)
                database.reset(cursor)
        for number in range(rounds):
            with step(f"Round {number + 1} of {rounds}"):
                for job in jobs:
                    _measure(wrk, lines, job, results, seconds, turn=number, cursor=cursor)
        for line, server in lines.items():
            results.memory[line] = server.memory()
    return results


def _prepare(
    testbed: Testbed, stack: contextlib.ExitStack, results: Results
) -> tuple[dict[str, Server], list[Workload]]:
    with step("Defining the APIs"):
        configured = access.configure(testbed)
    with step("Starting the servers"):
        running = {
            "floor": stack.enter_context(servers.floor(testbed)),
            "odoo": stack.enter_context(servers.odoo(testbed)),
            "gatehouse": stack.enter_context(servers.gatehouse(testbed)),
        }
    results.ready = {name: server.ready_after for name, server in running.items()}
    granted = access.obtain(testbed, running["gatehouse"], configured)
    return {line: running[name] for line, name in LINES.items()}, workloads.every(granted)


def _measure(
    wrk: str,
    lines: dict[str, Server],
    job: Workload,
    results: Results,
    seconds: int,
    *,
    turn: int,
    cursor: psycopg2.extensions.cursor,
) -> None:
    """Measure one workload on each server once; each round begins with another one."""
    results.titles[job.name] = job.title
    names = list(job.requests)
    for line in names[turn % len(names) :] + names[: turn % len(names)]:
        server = lines[line]
        database.settle(cursor)
        before = server.cpu_seconds()
        outcome = _load(wrk, server, job, job.requests[line], seconds)
        sample = Sample(outcome, (server.cpu_seconds() - before) / outcome.requests)
        results.samples.setdefault((job.name, line), []).append(sample)
        if job.writes:
            database.reset(cursor)


def _load(wrk: str, server: Server, job: Workload, request: Request, seconds: int) -> Outcome:
    try:
        if job.slow:
            return load.run(wrk, server.url, request, seconds=max(LEAST, LONGER * seconds), connections=FEW)
        return load.run(wrk, server.url, request, seconds=seconds, connections=CONNECTIONS)
    except WrongAnswer as error:
        raise WrongAnswer(f"{job.name}: {server.name}, {request.path}: {error}") from error
