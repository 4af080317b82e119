"""Gatehouse beside Odoo's own HTTP APIs and the floor."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from bench import access, rounds, servers, workloads
from bench.database import Database
from bench.processes import Memory
from bench.rounds import Line, Samples
from dev.errors import SetupError
from dev.steps import step

#: The lines of the table, and the server behind each.
LINES = {"gatehouse": "gatehouse", "json2": "odoo", "jsonrpc": "odoo", "floor": "floor"}


@dataclass(frozen=True)
class Results:
    """All samples; by server the memory of each worker after all the load, and the seconds from its start to ready."""

    samples: Samples
    memory: dict[str, list[Memory]]
    ready: dict[str, float]


def run(database: Database, wrk: str, *, number: int, seconds: int, only: Sequence[str]) -> Results:
    """Measure so many rounds and return what was found. Raises SetupError and WrongAnswer."""
    if unknown := set(only) - set(workloads.names()):
        raise SetupError(f"There is no workload {min(unknown)!r}.", f"There are: {', '.join(workloads.names())}.")
    database.ensure()
    with contextlib.ExitStack() as stack:
        with step("Defining the APIs"):
            configured = access.configure(database)
        with step("Starting the servers"):
            started = (servers.floor(database), servers.odoo(database), servers.gatehouse(database))
            running = {server.name: server for server in map(stack.enter_context, started)}
        jobs = workloads.every(access.obtain(database, running["gatehouse"], configured))
        cursor = stack.enter_context(database.connected())
        lines = {line: Line(running[name], cursor) for line, name in LINES.items()}
        wanted = [job for job in jobs if not only or job.name in only]
        samples = rounds.measure(wrk, lines, wanted, rounds=number, seconds=seconds)
        return Results(
            samples,
            {name: server.memory() for name, server in running.items()},
            {name: server.ready_after for name, server in running.items()},
        )
