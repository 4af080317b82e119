"""The benchmarks: ``python -m bench [http|overhead|growth] [--quick] [--rounds N] [--seconds S] [--only WORKLOAD]``."""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator

from bench import comparison, growth, report, servers, targets
from bench.database import Database
from bench.load import WrongAnswer
from bench.packages import program
from dev import command, paths, testbed
from dev.errors import SetupError
from dev.steps import say

RESULT = paths.LOCAL / "bench.json"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["http", "overhead", "growth"], default="http")
    parser.add_argument("--rounds", type=int, help="default: 5")
    parser.add_argument("--seconds", type=int, help="whole seconds for each workload, server and round; default: 3")
    parser.add_argument("--quick", action="store_true", help="two rounds of one second: a look, no measurement")
    parser.add_argument("--only", action="append", default=[], metavar="WORKLOAD", help="may be repeated")
    parser.add_argument("--peers", action="store_true", help="OCA's fastapi too; the first run installs it")
    return parser


def main(arguments: list[str]) -> int:
    """Run a benchmark; return the exit code."""
    options = parser().parse_args(arguments)
    if options.what == "overhead":
        return command.run(overhead)
    rounds, seconds = (2, 1) if options.quick else (5, 3)
    rounds, seconds = options.rounds or rounds, options.seconds or seconds
    if options.what == "growth":
        return command.run(lambda: grow(rounds, seconds))
    return command.run(lambda: compare(rounds, seconds, options.only, peers=options.peers))


def compare(rounds: int, seconds: int, only: list[str], *, peers: bool) -> None:
    """Compare Gatehouse with its peers; print the tables and write bench.json. Raises SetupError."""
    wrk = program("wrk", "wrk")
    with checked():
        database = Database(testbed.prepare())
        results = comparison.run(database, wrk, number=rounds, seconds=seconds, only=only, peers=peers)
    entries = report.summary(results.samples)
    RESULT.write_text(json.dumps(entries, indent=1) + "\n")
    say(f"\n{report.markdown(entries)}\n\n{report.processes(results)}\n\nAlso in {RESULT}.")
    for sentence in targets.missed(entries, results.memory, results.ready):
        say(f"Missed: {sentence}")


def grow(rounds: int, seconds: int) -> None:
    """Show the cost of calls in a database that has grown, and with more threads. Raises SetupError."""
    wrk = program("wrk", "wrk")
    with checked():
        say(f"\n{growth.run(Database(testbed.prepare()), wrk, number=rounds, seconds=seconds)}")


@contextlib.contextmanager
def checked() -> Iterator[None]:
    """Turn a wrong answer into a message."""
    try:
        yield
    except WrongAnswer as error:
        raise SetupError(str(error), "The servers must do the same job before their speed can be compared.") from error


def overhead() -> int:
    """Time the gateway beside the bare ORM, in a process that has Odoo; return its exit code. Raises SetupError."""
    database = Database(testbed.prepare())
    database.ensure()
    env = {**servers.without_settings(), **database.environment}
    with subprocess.Popen([sys.executable, "-m", "bench.overhead"], env=env, cwd=paths.ROOT) as process:
        return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
