"""Gatehouse beside Odoo's own HTTP APIs and the floor."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import access, oca, rounds, servers, workloads
from bench.access import Access
from bench.database import Database
from bench.processes import Memory
from bench.rounds import Line, Samples
from bench.servers import Server
from bench.workloads import Workload
from dev.errors import SetupError
from dev.steps import step

#: The lines of the table, and the server behind each. Further peers are there where a run asks for them.
LINES = {"gatehouse": "gatehouse", "json2": "odoo", "jsonrpc": "odoo", "floor": "floor"}
PEERS = {"fastapi": "fastapi"}


@dataclass(frozen=True)
class Results:
    """All samples; by server the memory of each worker after all the load, and the seconds from its start to ready."""

    samples: Samples
    memory: dict[str, list[Memory]]
    ready: dict[str, float]


@dataclass(frozen=True)
class Running:
    """Servers that are ready, the lines of the table on them, the workloads for these lines, and the credentials."""

    servers: dict[str, Server]
    lines: dict[str, Line]
    jobs: list[Workload]
    access: Access


def run(
    database: Database, wrk: str, *, number: int, seconds: int, only: Sequence[str], peers: bool = False
) -> Results:
    """Measure so many rounds and return what was found. Raises SetupError and WrongAnswer."""
    with started(database, only, peers=peers) as running:
        samples = rounds.measure(wrk, running.lines, running.jobs, rounds=number, seconds=seconds)
        return Results(
            samples,
            {name: server.memory() for name, server in running.servers.items()},
            {name: server.ready_after for name, server in running.servers.items()},
        )


@contextlib.contextmanager
def started(database: Database, only: Sequence[str], *, peers: bool) -> Iterator[Running]:
    """Run all servers, with two workers each; ``only`` names workloads, none of them for all. Raises SetupError."""
    if unknown := set(only) - set(workloads.names()):
        raise SetupError(f"There is no workload {min(unknown)!r}.", f"There are: {', '.join(workloads.names())}.")
    database.ensure()
    with contextlib.ExitStack() as stack:
        with step("Defining the APIs"):
            configured = access.configure(database)
        # Before anybody is connected to the database that is copied.
        copy = stack.enter_context(oca.copied(database)) if peers else None
        with step("Starting the servers"):
            starting = [servers.floor(database), servers.odoo(database), servers.gatehouse(database)]
            starting += [oca.server(copy)] if copy else []
            running = {server.name: server for server in map(stack.enter_context, starting)}
        cursor = stack.enter_context(database.connected())
        lines = {line: Line(running[name], cursor) for line, name in LINES.items()}
        if copy:
            of_copy = stack.enter_context(copy.connected())
            lines.update({line: Line(running[name], of_copy) for line, name in PEERS.items()})
        credentials = access.obtain(database, running["gatehouse"], configured)
        jobs = workloads.every(credentials)
        wanted = [job.on(lines) for job in jobs if not only or job.name in only]
        yield Running(running, lines, wanted, credentials)
