"""The process that delivers webhooks, beside an Odoo that installs and upgrades addons."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.testbed import Testbed
from tests.server.commands import run_flask
from tests.server.conftest import ROOT, environment_of, in_odoo, running, wait_until
from tests.server.test_webhooks import COMMAND
from tests.upgrades.test_addons import INSTALL, UPGRADE, write

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
_BEGUN = "Webhooks are followed and delivered"


@dataclass
class Site:
    """A database, and the process that delivers its webhooks.

    The folder ``shared`` is on the addons path of both, ``odoos`` on Odoo's alone, and ``later``, which is not there at
    the start, on the process's.
    """

    testbed: Testbed
    database: str
    shared: Path
    odoos: Path
    later: Path
    file: Path

    def odoo(self, statement: str, addon: str) -> None:
        """Let Odoo do something with an addon."""
        in_odoo(self.testbed, self.database, statement.format(addon=addon))

    def log(self) -> str:
        """Return what the process has logged."""
        return self.file.read_text()

    def begun(self) -> int:
        """Return how many times it has begun."""
        return self.log().count(_BEGUN)


@pytest.fixture(scope="module")
def site(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("webhooks")
    database, log = f"gatehouse_addons_{os.getpid()}", folder / "log"
    shared, odoos, later = folder / "shared", folder / "odoos", folder / "later"
    for path in (shared, odoos):  # Odoo refuses a folder without an addon
        path.mkdir()
        write(path, f"first_of_{path.name}", "1.0")
    confs = {}
    for name, paths in (("gatehouse", [shared, later]), ("odoo", [shared, odoos])):
        more = "".join(f",{path}" for path in paths)
        confs[name] = folder / f"{name}.conf"
        confs[name].write_text(re.sub(r"(?m)^(addons_path = .*)$", rf"\1{more}", testbed.odoo_conf.read_text()))
    testbed.clone(database)
    try:
        environment = environment_of(testbed, database) | {"GATEHOUSE_ODOO_CONF": str(confs["gatehouse"])}
        run_flask(["db", "upgrade"], environment)
        with running(COMMAND, log, ROOT, environment) as process:
            of_odoo = dataclasses.replace(testbed, odoo_conf=confs["odoo"])
            made = Site(of_odoo, database, shared, odoos, later, log)
            wait_until(made.begun, 60, made.log)
            yield made
            assert process.poll() is None  # it has been one process all the time
    finally:
        testbed.drop(database)


def test_an_addon_that_odoo_installs_is_loaded_and_one_that_it_upgrades_comes_in_by_a_new_beginning(site: Site) -> None:
    begun = site.begun()
    write(site.shared, "told", "1.0", more="print('version 1.0 is imported', flush=True)")
    site.odoo(INSTALL, "told")
    wait_until(lambda: "version 1.0 is imported" in site.log(), 60, site.log)
    assert site.begun() == begun  # nothing that was imported is outdated
    write(site.shared, "told", "1.1", more="print('version 1.1 is imported', flush=True)")
    site.odoo(UPGRADE, "told")
    wait_until(lambda: site.begun() == begun + 1, 60, site.log)
    assert site.log().rindex("version 1.1 is imported") < site.log().rindex(_BEGUN)


def test_one_whose_code_is_not_there_is_tried_once_and_again_when_it_is(site: Site) -> None:
    begun = site.begun()
    write(site.odoos, "far", "1.0", more="print('the code that was missing is imported', flush=True)")
    site.odoo(INSTALL, "far")
    wait_until(lambda: site.begun() == begun + 1, 60, site.log)
    wait_until(lambda: "no folder of addons_path has it" in site.log().rpartition(_BEGUN)[0], 60, site.log)
    site.later.mkdir()
    (site.odoos / "far").rename(site.later / "far")
    wait_until(lambda: site.begun() == begun + 2, 60, site.log)
    assert "the code that was missing is imported" in site.log()
