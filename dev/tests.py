"""`make test`: the preparation, with its progress in sight, then pytest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from dev import paths, testbed
from dev.steps import say

# The settings that say where to find or to put things; all others are the tests' own business.
KEPT = ("GATEHOUSE_ODOO_SOURCE", "GATEHOUSE_LOCAL")
#: Folders whose tests run two at a time. All others start servers, have times to keep, and run one by one.
TOGETHER = ["tests/unit", "tests/odoo", "tests/http"]
#: The folder whose tests make a user and a PostgreSQL cluster of Debian's.
FOR_ROOT = "tests/deploy"
#: A folder that another target runs: `make image`.
APART = "tests/image"


def prepare() -> None:
    """Make the tests' template database unless it is up to date. Raises SetupError."""
    testbed.prepare()


def main(arguments: list[str]) -> int:
    """Run pytest with the arguments, or without any all tests; return its exit code."""
    for name in [name for name in os.environ if name.startswith("GATEHOUSE_") and name not in KEPT]:
        del os.environ[name]
    for number in (signal.SIGINT, signal.SIGHUP):  # the tests send them: no nohup may have them ignored
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    # Here rather than in a fixture, where pytest would hide the progress. PostgreSQL then runs for all that follows.
    prepare()
    if arguments:
        return _pytest(arguments)
    alone = one_by_one(root=os.geteuid() == 0)
    codes = [_pytest(["-n", "2", "--dist", "loadfile", *TOGETHER]), _pytest(alone)]
    if FOR_ROOT not in alone:
        say(f"{FOR_ROOT} was left out, as only root can make users. As root: make test ARGS={FOR_ROOT}")
    return max(codes)


def one_by_one(*, root: bool) -> list[str]:
    """Return the folders whose tests run one by one."""
    folders = (path.parent for path in (paths.ROOT / "tests").glob("*/test_*.py"))
    left_out = {*TOGETHER, APART} if root else {*TOGETHER, APART, FOR_ROOT}
    return sorted({f"tests/{folder.name}" for folder in folders} - left_out)


def _pytest(arguments: list[str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=paths.ROOT, check=False).returncode
