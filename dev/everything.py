"""The commands `make ci` and `make everything`: targets side by side as far as there is room, and one table."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dev import paths, targets, tests
from dev.steps import end_group, say
from dev.targets import Target

#: Processes that tests keep busy at once: most of them wait for servers, and the machine has two cores or more.
ROOM = 4
#: Seconds between two lines that say how far all are.
PROGRESS = 60.0
#: Lines of the output of a target that failed.
TAIL = 300
_PERCENT = re.compile(r"\[ *(\d+)%\]")
_SUMMARY = re.compile(r"^=+ (.*\d+ (?:passed|failed|error).*) in [\d.]+s", re.MULTILINE)
_COUNT = re.compile(r"(\d+) (passed|failed|errors?)")


@dataclass
class Run:
    """A target that runs or has run; ``result`` is its exit code."""

    target: Target
    log: Path
    process: subprocess.Popen[bytes]
    began: float
    seconds: float = 0.0
    result: int | None = None

    @property
    def output(self) -> str:
        """Its whole output."""
        return self.log.read_text(errors="replace")

    @property
    def progress(self) -> str:
        """Its name and the per cent of its tests that are done, by pytest."""
        found = _PERCENT.findall(self.output)
        return f"{self.target.name} {found[-1]} %" if found else self.target.name

    @property
    def tests(self) -> int:
        """Number of its tests that have run."""
        return counted(self.output)


def counted(output: str) -> int:
    """Return the number of tests that the summaries of pytest in an output tell of."""
    return sum(int(number) for line in _SUMMARY.findall(output) for number, _ in _COUNT.findall(line))


def main(*, long: bool) -> int:
    """Run the targets of a change, or all in their long form; return 1 where one fails."""
    wanted = (*targets.CI, *targets.LONG) if long else targets.CI
    tests.prepare()  # PostgreSQL then runs for all that comes
    began = time.monotonic()
    runs = _run(wanted, long=long)
    say(f"\n{table(runs)}\n\n{(time.monotonic() - began) / 60:.1f} minutes in all.")
    return 1 if any(run.result for run in runs) else 0


def table(runs: Sequence[Run]) -> str:
    """Return a table of the runs: target, tests, minutes, result."""
    rows = [("target", "tests", "minutes", "result")]
    rows += [
        (run.target.name, str(run.tests or ""), f"{run.seconds / 60:.1f}", "failed" if run.result else "passed")
        for run in runs
    ]
    return "\n".join(f"{name:14}{number:>7}{minutes:>9}  {result}" for name, number, minutes, result in rows)


def _run(wanted: Sequence[Target], *, long: bool) -> list[Run]:
    """Run targets in their order, each as soon as there is room for it, to the end of all."""
    waiting, going, over = list(wanted), list[Run](), list[Run]()
    told = time.monotonic()
    try:
        while waiting or going:
            for target in list(waiting):
                if sum(run.target.processes for run in going) + target.processes <= ROOM:
                    waiting.remove(target)
                    going.append(_start(target, long=long))
            time.sleep(0.5)
            for run in [run for run in going if run.process.poll() is not None]:
                going.remove(run)
                over.append(run)
                _end(run)
            if time.monotonic() > told + PROGRESS:
                told = time.monotonic()
                say(f"{time.strftime('%H:%M:%S')}  {', '.join(run.progress for run in going)}")
    finally:
        for run in going:
            end_group(run.process)
    return over


def _start(target: Target, *, long: bool) -> Run:
    log = paths.LOGS / f"make-{target.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    variables = [f"{name}={value}" for name, value in target.long.items()] if long else []
    environment = {**os.environ, **({"LONG": "1", "HYPOTHESIS_PROFILE": "long"} if long else {})}
    # Make's own variables of the make that runs this would lead the inner ones to its job server.
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        environment.pop(name, None)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", target.name, *variables],
            cwd=paths.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    say(f"{time.strftime('%H:%M:%S')}  {target.name} begins")
    return Run(target, log, process, time.monotonic())


def _end(run: Run) -> None:
    run.result, run.seconds = run.process.returncode, time.monotonic() - run.began
    how = "failed" if run.result else "passed"
    say(f"{time.strftime('%H:%M:%S')}  {run.target.name} {how} after {run.seconds / 60:.1f} minutes")
    if run.result:
        say("\n".join([f"--- the end of {run.log}:", *run.output.splitlines()[-TAIL:], "---"]))
