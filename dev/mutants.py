"""`make mutants`: faults by hand in product code, one at a time, and whether the tests that are named for each find it.

The faults are rows of ``tests/mutants.toml``. Each is made in a copy of the checkout below ``.local/mutants``: the
working tree is never changed.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from dev import paths, tests
from dev.errors import SetupError
from dev.steps import end_group, say
from dev.testbed import prepare

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROWS = paths.ROOT / "tests" / "mutants.toml"
#: Copies of the checkout, and so faults that are tried at once.
AT_ONCE = 2
#: Seconds that the tests of a fault may take: one that has a test wait for ever is found as well.
PATIENCE = 300
#: Folders whose tests start servers: these make a template of the database for the code that is there, one at a time.
SERVED = ("tests/server/", "tests/drills/", "tests/browser/", "tests/upgrades/")
_FAILED = re.compile(r"^FAILED \S+?::(\w+)", re.MULTILINE)
_LATE = "There was no end"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault: ``find``, which is in ``file`` once, becomes ``replace``, and ``tests`` have to find it.

    ``target`` is the one of the Makefile that runs these.
    """

    name: str
    file: str
    find: str
    replace: str
    tests: tuple[str, ...]
    target: str

    def applied(self, source: str) -> str:
        """Return the text of its file with the fault in it. Raises SetupError where the file has changed."""
        if source.count(self.find) != 1:
            raise SetupError(
                f"{self.file} holds the text of the fault {self.name!r} {source.count(self.find)} times.",
                f"Look at its row in {ROWS.relative_to(paths.ROOT)}: `find` has to be there once.",
            )
        return source.replace(self.find, self.replace)

    @property
    def is_served(self) -> bool:
        """True if its tests start servers."""
        return any(test.startswith(SERVED) for test in self.tests)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of the tests of a fault: the word for it, seconds, the test that has found it, and what pytest has said.

    BROKEN is a fault for which no test fails: nothing can be collected, or the app can't be made.
    """

    word: str
    seconds: float
    by: str = ""
    output: str = ""


def read(path: Path = ROWS) -> list[Mutant]:
    """Return the rows of a file."""
    rows = tomllib.loads(path.read_text())["mutant"]
    return [Mutant(**{**row, "tests": tuple(row["tests"])}) for row in rows]


def main(parts: Sequence[str]) -> int:
    """Try the faults whose names hold one of the parts, or all; return 1 unless each is found."""
    chosen = [each for each in read() if not parts or any(part in each.name for part in parts)]
    if not chosen:
        raise SetupError(f"No fault has a name with {' or '.join(parts)} in it.", f"The names stand in {ROWS}.")
    tests.forget_surroundings()
    prepare()
    began = time.monotonic()
    copies = [paths.LOCAL / "mutants" / str(number) for number in range(1, AT_ONCE + 1)]
    for copy in copies:
        copy_to(copy)
    _check_sound(chosen, copies[0])
    missed = [name for name, outcome in _tried(chosen, copies) if outcome.word != "found"]
    minutes = (time.monotonic() - began) / 60
    say(f"{len(chosen) - len(missed)} of {len(chosen)} faults are found, in {minutes:.1f} minutes.")
    for name in missed:
        say(f"  not found: {name}")
    return 1 if missed else 0


def _check_sound(chosen: Sequence[Mutant], copy: Path) -> None:
    """Run the tests of all faults on the sound code. Raises SetupError unless they pass."""
    for served, at_once in ((False, ["-n", str(AT_ONCE), "--dist", "loadscope"]), (True, [])):
        named = list(dict.fromkeys(test for each in chosen if each.is_served is served for test in each.tests))
        if not named:
            continue
        say(f"The sound code first: {len(named)} files or tests{' that start servers' if served else ''}.")
        done = _pytest(copy, ["-q", *at_once, *named], patience=PATIENCE * 6)
        if done.returncode:
            raise SetupError(
                f"These tests fail without any fault (pytest's exit code is {done.returncode}):\n{_tail(done.stdout)}",
                "Mend them first: make test.",
            )
        say(f"They pass: {_tail(done.stdout, 1).strip('= ')}")


def _tried(chosen: Sequence[Mutant], copies: Sequence[Path]) -> Iterator[tuple[str, Outcome]]:
    """Try the faults, each in a copy that is free, and tell of each what has come of it."""
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def attempt(mutant: Mutant) -> Outcome:
        copy = free.get()
        try:
            return tried(mutant, copy)
        finally:
            free.put(copy)

    count = 0
    for some, at_once in (
        ([each for each in chosen if not each.is_served], AT_ONCE),
        ([each for each in chosen if each.is_served], 1),
    ):
        with ThreadPoolExecutor(at_once) as pool:
            tasks = {pool.submit(attempt, mutant): mutant for mutant in some}
            try:
                for task in as_completed(tasks):
                    count += 1
                    outcome, name = task.result(), tasks[task].name
                    by = f" ({outcome.by})" if outcome.by else ""
                    say(f"[{count:2}/{len(chosen)}] {outcome.word} in {outcome.seconds:.1f} s: {name}{by}")
                    if outcome.word != "found":
                        say(_tail(outcome.output))
                    yield name, outcome
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def tried(mutant: Mutant, copy: Path) -> Outcome:
    """Make the fault in a copy of the checkout, run its tests, and mend the copy."""
    file, sound = copy / mutant.file, paths.ROOT / mutant.file
    began = time.monotonic()
    file.write_text(mutant.applied(sound.read_text()))
    try:
        done = _pytest(copy, ["-q", "-x", *mutant.tests], patience=PATIENCE)
    finally:
        shutil.copy2(sound, file)
    seconds = time.monotonic() - began
    if done.returncode == 0:
        return Outcome("MISSED", seconds, output=done.stdout)
    if done.stdout.endswith(f"{_LATE}\n"):
        return Outcome("found", seconds, "without an end")
    failed = _FAILED.search(done.stdout)
    if done.returncode != 1 or failed is None:
        return Outcome("BROKEN", seconds, output=done.stdout)
    return Outcome("found", seconds, failed[1])


def _tail(output: str, lines: int = 12) -> str:
    """Return the last lines of what pytest has said."""
    return "\n".join(line[:300] for line in output.splitlines()[-lines:])


def copy_to(copy: Path) -> None:
    """Make a folder like the checkout: what is older there goes.

    It stays when all is done: an ``odoo.conf`` names its addons until the tests write that anew.
    """
    shutil.rmtree(copy, ignore_errors=True)
    left_out = {".git", ".local", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}

    def ignored(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if name in left_out or Path(folder, name) == paths.LOCAL}

    shutil.copytree(paths.ROOT, copy, symlinks=True, ignore=ignored)
    if paths.VENV.exists():
        (copy / ".venv").symlink_to(paths.VENV)


def _pytest(copy: Path, arguments: Sequence[str], *, patience: float) -> subprocess.CompletedProcess[str]:
    """Run pytest in a copy; tests that take too long are ended, and have failed (``_LATE``)."""
    environment = {**os.environ, "GATEHOUSE_LOCAL": str(paths.LOCAL)}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    with subprocess.Popen(
        command,
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            end_group(process)
            output, _ = process.communicate()
            return subprocess.CompletedProcess(command, 1, f"{output.decode(errors='replace')}\n{_LATE}\n")
        except BaseException:
            end_group(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output.decode(errors="replace"))
