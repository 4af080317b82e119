"""`make test`: the preparation, with its progress in sight, then pytest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dev import paths, targets, testbed

# The settings that say where to find or to put things, and whether fast ways are taken; all others are the tests' own.
KEPT = ("GATEHOUSE_ODOO_SOURCE", "GATEHOUSE_LOCAL", "GATEHOUSE_FAST")
#: Processes that run tests at once, but for those that are marked to run alone: many of them wait for servers.
AT_ONCE = 3


def prepare() -> None:
    """Make the tests' template database unless it is up to date. Raises SetupError."""
    testbed.prepare()


def main(arguments: list[str]) -> int:
    """Run pytest with the arguments, or without any all tests; return its exit code."""
    forget_surroundings()
    if not only_units(arguments):
        # Here rather than in a fixture, where pytest would hide the progress. PostgreSQL then runs for all that comes.
        prepare()
    if arguments:
        return _pytest(arguments)
    found = folders()
    together = ["-m", "not alone", "-n", str(AT_ONCE), "--dist", "loadscope", "--no-loadscope-reorder"]
    return max(_pytest([*together, *found]), _pytest(["-m", "alone", *found]))


def forget_surroundings() -> None:
    """Let tests find neither settings of the shell, but those that are kept, nor signals that it ignores."""
    for name in [name for name in os.environ if name.startswith("GATEHOUSE_") and name not in KEPT]:
        del os.environ[name]
    for number in (signal.SIGINT, signal.SIGHUP):  # the tests send them: no nohup may have them ignored
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def only_units(arguments: Sequence[str]) -> bool:
    """True if pytest's arguments name tests of ``tests/unit`` alone, which need neither Odoo nor PostgreSQL."""
    unit = paths.ROOT / "tests" / "unit"
    named = [Path(argument.partition("::")[0]).resolve() for argument in arguments if not argument.startswith("-")]
    existing = [path for path in named if path.exists()]
    return bool(existing) and all(path == unit or unit in path.parents for path in existing)


def folders() -> list[str]:
    """Return the folders that `make test` runs, those first of which one process has much to do."""
    return [f"tests/{name}" for name in targets.CI[0].folders]


def _pytest(arguments: list[str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=paths.ROOT, check=False).returncode
