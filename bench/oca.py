"""OCA's `fastapi` as a peer: Odoo's own server with that addon and endpoints of ours, in a database of its own.

The addon would also be at work in the calls of the other peers. So it gets a copy, with the same records and keys.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import packages, servers
from bench.database import Database
from bench.servers import Server
from dev import databases, odoo_source, paths
from dev.steps import run, step

ADDONS = Path(__file__).with_name("addons")
ADDON = "gatehouse_bench_fastapi"


@contextlib.contextmanager
def copied(database: Database) -> Iterator[Database]:
    """Make a copy of the database with the addon, and drop it afterwards; nobody may be connected to the first."""
    with database.copied("fastapi") as copy:
        with step("Installing OCA's fastapi in a copy of the database"):
            _install(copy)
        yield copy


def _install(copy: Database) -> None:
    testbed = copy.testbed
    command: list[str | Path] = [sys.executable, "-m", "odoo", "-c", testbed.odoo_conf, "-d", copy.name, *_options()]
    command += ["-i", ADDON, "--stop-after-init", "--no-http"]
    log = paths.LOGS / "bench-fastapi-addon.log"
    run(command, log=log, what="Installing OCA's fastapi", env=servers.odoo_environment(copy, [_packages()]))
    databases.check(testbed.server, copy.name, [ADDON], log)


def server(copy: Database) -> contextlib.AbstractContextManager[Server]:
    """Run Odoo's own server on such a copy."""
    return servers.odoo(copy, "fastapi", options=_options(), packages=[_packages()])


def _packages() -> Path:
    return packages.folder("fastapi")


def _options() -> list[str]:
    oca = packages.folder("fastapi-addons") / "odoo" / "addons"
    odoo = odoo_source.ensure().addons
    folders = (ADDONS, oca, paths.BRIDGE_ADDONS, paths.DEV_ADDONS, paths.TEST_ADDONS, *odoo)
    return [f"--addons-path={','.join(map(str, folders))}"]
