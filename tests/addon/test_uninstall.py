"""The addon comes and goes: upgraded and uninstalled by Odoo itself, beside Gatehouse's own tables."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from dev import databases, odoo_source
from dev.testbed import Testbed
from tests.addon.conftest import command
from tests.addon.test_neutralize import execute

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

NUMBERS = "SELECT count(*) FROM ir_model WHERE model LIKE 'gatehouse.api.%'"
ROLLUPS = "CREATE SCHEMA gatehouse; CREATE TABLE gatehouse.rollup_hour AS SELECT 5 AS calls"
UNINSTALL = """
env["ir.module.module"].search([("name", "=", "gatehouse")]).button_immediate_uninstall()
"""


@pytest.fixture
def database(testbed: Testbed) -> Iterator[str]:
    """A database without the addon, where Gatehouse has a table."""
    name = f"gatehouse_uninstall_addon_{os.getpid()}"
    testbed.clone(name)
    execute(testbed, name, ROLLUPS)
    yield name
    testbed.drop(name)


def _run(testbed: Testbed, program: list[str], *options: str, script: str = "") -> None:
    """Run a program of Odoo's, with a script as its input."""
    source = odoo_source.present()
    assert source is not None
    python, flag, code, *config = command(testbed, *options)
    done = subprocess.run(
        [python, flag, code, *program, *config],
        env=databases.environment(source),
        cwd="/",
        input=script,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]


def test_an_upgrade_keeps_the_dashboard_and_uninstalling_it_leaves_the_numbers(testbed: Testbed, database: str) -> None:
    for option in ("-i", "-u"):
        _run(testbed, [], "-d", database, option, "gatehouse", "--stop-after-init", "--no-http")
        assert execute(testbed, database, NUMBERS) == [(2,)]
    _run(testbed, ["shell"], "-d", database, "--no-http", script=UNINSTALL)
    assert execute(testbed, database, NUMBERS) == [(0,)]
    assert execute(testbed, database, "SELECT calls FROM gatehouse.rollup_hour") == [(5,)]
