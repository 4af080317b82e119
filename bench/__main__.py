"""The benchmarks: ``python -m bench [http|export|import|load|distance|growth|overhead|plots] [--quick] …``."""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Iterator

from bench import changes, comparison, curve, distance, exports, growth, imports, report, results, servers, targets
from bench.database import Database, reset
from bench.load import WrongAnswer
from bench.packages import program
from bench.pieces import CALLS_OF, CREATED
from dev import command, paths, testbed
from dev.errors import SetupError
from dev.steps import say

#: Rounds, and seconds of each load in them.
DEFAULTS = {"http": (5, 2), "export": (5, 0), "changes": (5, 0), "load": (3, 3), "distance": (2, 2), "growth": (5, 3)}
QUICK = 2, 1
#: Lines of an import.
LINES = 100_000


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    choices = ["http", "export", "import", "changes", "load", "distance", "growth", "overhead", "plots"]
    parser.add_argument("what", nargs="?", choices=choices, default="http")
    parser.add_argument("--rounds", type=int, help="default: 5; of load 3, of distance 2")
    parser.add_argument("--seconds", type=int, help="whole seconds of each load; default: 2; of load and growth 3")
    parser.add_argument("--lines", type=int, default=LINES, help=f"of import; default: {LINES}")
    parser.add_argument("--quick", action="store_true", help="two rounds of one second: a look, no measurement")
    only = "a workload of http, or a piece of overhead; may be repeated"
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=only)
    parser.add_argument("--peers", action="store_true", help="of http and load: OCA's fastapi too, installed at first")
    return parser


def main(arguments: list[str]) -> int:
    """Run a benchmark; return the exit code."""
    options = parser().parse_args(arguments)
    if options.what == "overhead":
        return command.run(lambda: overhead(options.only))
    if options.what == "plots":
        return command.run(results.draw)
    if options.what == "import":
        return command.run(lambda: import_(options.lines))
    rounds, seconds = QUICK if options.quick else DEFAULTS[options.what]
    rounds, seconds = options.rounds or rounds, options.seconds or seconds
    if options.what == "http":
        return command.run(lambda: compare(rounds, seconds, options.only, peers=options.peers))
    if options.what == "export":
        return command.run(lambda: export(rounds))
    if options.what == "changes":
        return command.run(lambda: follow(rounds))
    if options.what == "load":
        return command.run(lambda: load(rounds, seconds, peers=options.peers))
    return command.run(lambda: {"distance": away, "growth": grow}[options.what](rounds, seconds))


def compare(rounds: int, seconds: int, only: list[str], *, peers: bool) -> None:
    """Compare Gatehouse with its peers; print and keep the tables. Raises SetupError."""
    wrk = program("wrk", "wrk")
    with checked():
        database = Database(testbed.prepare())
        found = comparison.run(database, wrk, number=rounds, seconds=seconds, only=only, peers=peers)
    entries = report.summary(found.samples)
    results.write("", entries, f"{report.markdown(entries)}\n\n{report.processes(found)}")
    tell(targets.missed(entries, found.memory, found.ready))


def export(rounds: int) -> None:
    """Show an export beside the pages of a peer; print and keep the table. Raises SetupError."""
    with checked():
        entries = exports.run(Database(testbed.prepare()), number=rounds)
    results.write("export", entries, exports.markdown(entries))
    tell(targets.missed_by_export(entries))


def import_(lines: int) -> None:
    """Show an import beside Odoo's own ways; print and keep the table. Raises SetupError."""
    with checked():
        entries = imports.run(Database(testbed.prepare()), lines=lines)
    results.write("import", entries, imports.markdown(entries))


def follow(rounds: int) -> None:
    """Show the cost of the capture of changes and of deltas; print and keep the table. Raises SetupError."""
    with checked():
        entries = changes.run(Database(testbed.prepare()), number=rounds)
    results.write("changes", entries, changes.markdown(entries))
    tell(targets.missed_by_changes(entries))


def load(rounds: int, seconds: int, *, peers: bool) -> None:
    """Show throughput and latency against the load; print and keep the table. Raises SetupError."""
    with checked(), comparison.started(Database(testbed.prepare()), [curve.CALL], peers=peers) as running:
        found = curve.measure(running, number=rounds, seconds=seconds)
    results.write("load", found, curve.markdown(found))
    tell(targets.missed_under_load(found))


def away(rounds: int, seconds: int) -> None:
    """Show calls where PostgreSQL is far away; print and keep the table. Raises SetupError."""
    wrk = program("wrk", "wrk")
    with checked():
        points = distance.run(Database(testbed.prepare()), wrk, number=rounds, seconds=seconds)
    results.write("distance", points, distance.markdown(points))
    tell(targets.missed_far_away(points))


def grow(rounds: int, seconds: int) -> None:
    """Show the cost of calls in a database that has grown, and with more threads. Raises SetupError."""
    wrk = program("wrk", "wrk")
    with checked():
        say(f"\n{growth.run(Database(testbed.prepare()), wrk, number=rounds, seconds=seconds)}")


def tell(missed: Iterator[str]) -> None:
    """Print the sentences of targets that a run has missed."""
    for sentence in missed:
        say(f"Missed: {sentence}")


@contextlib.contextmanager
def checked() -> Iterator[None]:
    """Turn a wrong answer into a message."""
    try:
        yield
    except WrongAnswer as error:
        raise SetupError(str(error), "The servers must do the same job before their speed can be compared.") from error


def overhead(only: list[str]) -> int:
    """Time the gateway beside the bare ORM, in a process that has Odoo; return its exit code. Raises SetupError."""
    unknown = set(only) - set(CALLS_OF)
    if unknown:
        raise SetupError(f"There is no piece {unknown.pop()}.", f"There are {', '.join(CALLS_OF)}.")
    database = Database(testbed.prepare())
    database.ensure()
    env = {**servers.without_settings(), **database.environment}
    try:
        with subprocess.Popen([sys.executable, "-m", "bench.overhead", *only], env=env, cwd=paths.ROOT) as process:
            return process.wait()
    finally:
        with database.connected() as cursor:
            reset(cursor, CREATED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
