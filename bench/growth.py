"""Cost of a call when much is there, and with more threads: ``python -m bench growth``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace

from bench import access, rounds, servers, workloads
from bench.database import Database
from bench.rounds import Line, Samples, cpu, per_second
from bench.servers import Server
from bench.workloads import Workload
from dev import paths
from dev.steps import run as run_program
from dev.steps import step

CALLS = ("search_80", "read_1", "update_1", "rpc_nothing")
THREADS = (1, 2, 4, 8, 16)
#: What a call may cost more or less than at first.
LIMIT = 0.10
SMALL, LARGE = "at first", "grown"


def run(database: Database, wrk: str, *, number: int, seconds: int) -> str:
    """Measure so many rounds; return two tables. Raises SetupError and WrongAnswer."""
    database.ensure()
    with step("Defining the APIs"):
        configured = access.configure(database)
    with _grown(database) as grown, contextlib.ExitStack() as stack:
        with step("Starting the servers"):
            small, large = (stack.enter_context(servers.gatehouse(each, each.name)) for each in (database, grown))
        lines = {
            SMALL: Line(small, stack.enter_context(database.connected())),
            LARGE: Line(large, stack.enter_context(grown.connected())),
        }
        calls = {
            SMALL: workloads.every(access.obtain(database, small, configured)),
            LARGE: workloads.every(access.obtain(grown, large, configured)),
        }
        jobs = _merged(calls, CALLS)
        size = table(rounds.measure(wrk, lines, jobs, rounds=number, seconds=seconds), SMALL)
    with contextlib.ExitStack() as stack:
        lines = {}
        for threads in THREADS:
            server = _with_threads(database, threads)
            lines[_threads(threads)] = Line(stack.enter_context(server), stack.enter_context(database.connected()))
        first = next(iter(lines.values())).server
        every = workloads.every(access.obtain(database, first, configured))
        jobs = _merged(dict.fromkeys(lines, every), ("read_1", "rpc_nothing"))
        # As many connections as the most threads can serve at once.
        samples = rounds.measure(
            wrk, lines, jobs, rounds=number, seconds=seconds, connections=servers.WORKERS * max(THREADS)
        )
    return f"{size}\n\n{table(samples, _threads(servers.THREADS))}"


def table(samples: Samples, base: str) -> str:
    """Return a table of what calls cost, each beside the same call on the line ``base``."""
    rows = ["| call | | requests/s | | CPU ms | |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for job, title in samples.titles.items():
        for name in [line for call, line in samples.by_job if call == job]:
            speed, cost = (samples.median(job, name, take) for take in (per_second, cpu))
            faster, dearer = (samples.ratio(job, name, base, take) - 1 for take in (per_second, cpu))
            rows.append(
                f"| {title} | {name} | {speed:,.0f} | {_change(faster)} | {cost * 1000:.2f} | {_change(dearer)} |"
            )
    return "\n".join(rows)


def _change(value: float) -> str:
    return f"{value:+.0%}" if abs(value) <= LIMIT else f"**{value:+.0%}**"


def _threads(number: int) -> str:
    return f"{number} threads" if number > 1 else "1 thread"


def _with_threads(database: Database, number: int) -> contextlib.AbstractContextManager[Server]:
    return servers.gatehouse(database, f"threads-{number}", GATEHOUSE_THREADS=str(number))


def _merged(calls: dict[str, list[Workload]], wanted: tuple[str, ...]) -> list[Workload]:
    """Return workloads whose lines are the keys of ``calls``, each with Gatehouse's request of its own list."""
    columns = ({job.name: job for job in jobs} for jobs in calls.values())
    first, *_ = by_line = list(columns)
    return [
        replace(
            first[name],
            requests={line: column[name].requests["gatehouse"] for line, column in zip(calls, by_line, strict=True)},
        )
        for name in wanted
    ]


@contextlib.contextmanager
def _grown(database: Database) -> Iterator[Database]:
    """Make a grown copy of the database, and drop it afterwards."""
    with database.copied("grown") as grown:
        with step("Filling a copy of the database (a minute or two)"):
            dsn = database.testbed.dsn(grown.name)
            env = {**servers.without_settings(), **grown.environment, "GROWN_DSN": dsn}
            command = [sys.executable, "-m", "bench.grown"]
            run_program(command, log=None, what="Filling the database", env=env, cwd=paths.ROOT)
        yield grown
