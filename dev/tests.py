"""`make test`: the preparation, with its progress in sight, then pytest."""

from __future__ import annotations

import os

from dev import testbed

# The settings that say where to find or to put things; all others are the tests' own business.
KEPT = ("GATEHOUSE_ODOO_SOURCE", "GATEHOUSE_LOCAL")


def prepare() -> None:
    """Make the tests' template database unless it is up to date. Raises SetupError."""
    testbed.prepare()


def main(arguments: list[str]) -> int:
    """Run pytest with the arguments; return its exit code."""
    for name in [name for name in os.environ if name.startswith("GATEHOUSE_") and name not in KEPT]:
        del os.environ[name]
    # Here rather than in a fixture, where pytest would hide the progress. The fixture gets the same object.
    prepare()
    import pytest  # noqa: PLC0415 - `make serve` imports this module, and has no pytest

    return int(pytest.main(arguments))
