"""`python -m dev serve|odoo|test|ci|everything|prepare-test|mutants`: what the Makefile runs once `.venv` is there."""

from __future__ import annotations

import sys

from dev import command, everything, mutants, odoo, serve, tests

USAGE = "usage: python -m dev serve | odoo | test [PYTEST ARGUMENTS] | ci | everything | prepare-test | mutants [NAMES]"


def main(arguments: list[str]) -> int:
    """Run a command; return its exit code."""
    match arguments:
        case ["serve"]:
            return command.run(serve.main)
        case ["odoo"]:
            return command.run(odoo.main)
        case ["test", *rest]:
            return command.run(lambda: tests.main(rest))
        case ["ci" | "everything" as which]:
            return command.run(lambda: everything.main(long=which == "everything"))
        case ["prepare-test"]:
            return command.run(tests.prepare)
        case ["mutants", *parts]:
            return command.run(lambda: mutants.main(parts))
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
