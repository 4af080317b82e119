"""`python -m dev serve|odoo|test|prepare-test`: what the Makefile runs once `.venv` is there."""

from __future__ import annotations

import sys

from dev import command, odoo, serve, tests

USAGE = "usage: python -m dev serve | odoo | test [PYTEST ARGUMENTS] | prepare-test"


def main(arguments: list[str]) -> int:
    """Run a command; return its exit code."""
    match arguments:
        case ["serve"]:
            return command.run(serve.main)
        case ["odoo"]:
            return command.run(odoo.main)
        case ["test", *rest]:
            return command.run(lambda: tests.main(rest))
        case ["prepare-test"]:
            return command.run(tests.prepare)
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
