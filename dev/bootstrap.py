"""Make `.venv` fit for a `make` target, which is what each of them does first: `python3 dev/bootstrap.py serve`.

Only the standard library. This file is written so that old Pythons read it too, as far as the refusal; the work is
done in dev/virtualenv.py.
"""

import os
import shutil
import subprocess
import sys

OLDEST, NEWEST = (3, 10), (3, 13)
TARGETS = ("serve", "odoo", "test", "unit", "check")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def refusal(version: "tuple[int, int]", found: "list[str]") -> str:
    """Return the reason against this Python and a remedy, or ''; `found` are commands of Pythons that can be used."""
    if OLDEST <= version <= NEWEST:
        return ""
    if found:
        todo = f"Name one that fits, for example:  make serve PYTHON={found[0]}"
    else:
        todo = "Install one of these (on Debian: apt install python3 python3-venv), then:  make serve PYTHON=<its path>"
    need = f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} is needed"
    return f"{need}; this is {version[0]}.{version[1]}.\n{todo}"


def fitting() -> "list[str]":
    """Return the commands on the path that start a Python that fits, the newest first."""
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    # One that is on the path need not run: version managers put a stub there for each version that they know.
    return [
        name
        for name in names
        if shutil.which(name) and subprocess.call([name, "-c", ""], stderr=subprocess.DEVNULL) == 0
    ]


def main(arguments: "list[str]") -> int:
    """Run the command; return its exit code."""
    if len(arguments) != 1 or arguments[0] not in TARGETS:
        print(f"usage: python3 dev/bootstrap.py {'|'.join(TARGETS)}", file=sys.stderr)
        return 2
    version = sys.version_info[:2]
    problem = refusal(version, fitting()) if refusal(version, []) else ""
    if problem:
        print(problem, file=sys.stderr)
        return 1
    # The root instead of this file's folder, whose modules could hide others of the same name.
    sys.path[0] = ROOT
    from dev import command, virtualenv  # noqa: PLC0415 - not before it is known that this Python reads them

    return command.run(lambda: virtualenv.ensure(arguments[0]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
