"""docs/operations.md, walked as it stands there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import requests

from tests.deploy import machine as machines
from tests.deploy.conftest import Walk, files, wait_for_site
from tests.deploy.machine import DATABASE, Machine
from tests.deploy.odoo_installation import WERKZEUG
from tests.deploy.systemctl import alive
from tests.pages import blocks
from tests.server.conftest import wait_until

pytestmark = pytest.mark.live
LOGIN = json.dumps({"jsonrpc": "2.0", "params": {"db": DATABASE, "login": "admin", "password": "admin"}})

#: What the new version of the last test adds to gunicorn.conf.py: it reads a file that came with the pull, and says so.
NEW_VERSION = """
from serving import brought_in

_when_ready = when_ready


def when_ready(server):
    _when_ready(server)
    server.log.info("%s has %s", server.pid, brought_in.__doc__)
"""


def _partners(machine: Machine, jar: Path) -> list[dict[str, object]]:
    machine.curl("/web/session/authenticate", "-c", str(jar), "-H", "Content-Type: application/json", "-d", LOGIN)
    answer = json.loads(machine.curl("/api/partners?order=id", "-b", str(jar)))
    records: list[dict[str, object]] = answer["result"]["records"]
    return records


def test_it_is_ready_and_tells_those_with_the_token_more(walk: Walk) -> None:
    public, end = json.JSONDecoder().raw_decode(walk.printed[5])
    assert public["result"] == {"status": "ready"}
    assert json.loads(walk.printed[5][end:])["result"]["database"] == DATABASE


def test_it_serves_as_the_user_that_runs_odoo(walk: Walk) -> None:
    machine = walk.machine
    pid = (machine.root / "run" / "gatehouse.pid").read_text()
    assert Path(f"/proc/{pid}").owner() == machine.user
    assert (machine.root / "opt" / "gatehouse").owner() == "root"


def test_the_settings_are_closed_to_others(walk: Walk) -> None:
    file = walk.machine.root / "etc" / "gatehouse" / "gatehouse.env"
    assert (file.owner(), file.group(), file.stat().st_mode & 0o777) == ("root", walk.machine.user, 0o640)
    secret = re.search(r"^GATEHOUSE_SECRET_KEY=(.*)$", file.read_text(), re.MULTILINE)
    assert secret is not None
    assert len(secret[1]) == 64


def test_odoos_environment_is_as_it_was(walk: Walk) -> None:
    assert files(walk.machine.root / "opt" / "odoo" / "venv") == walk.odoos_files


def test_what_odoo_needs_comes_from_its_environment_and_flasks_werkzeug_does_not(walk: Walk) -> None:
    root = walk.machine.root
    script = "import lxml, werkzeug; print(lxml.__file__, werkzeug.__file__)"
    lxml, werkzeug = walk.machine.sh(f'.venv/bin/python -c "{script}"').stdout.split()
    assert lxml.startswith(f"{root}/opt/odoo/venv/")
    assert werkzeug.startswith(f"{root}/opt/gatehouse/.venv/")
    version = "from importlib.metadata import version; print(version('werkzeug'))"
    assert walk.machine.sh(f'{root}/opt/odoo/venv/bin/python -c "{version}"').stdout.strip() == WERKZEUG


def test_the_addon_was_installed_while_odoo_ran(walk: Walk) -> None:
    assert walk.machine.sql("SELECT state FROM ir_module_module WHERE name = 'gatehouse'") == "installed"


def test_debians_default_site_collides_with_ours_and_is_gone(walk: Walk) -> None:
    assert "duplicate default server" in walk.collision
    assert not (walk.machine.root / "etc" / "nginx" / "sites-enabled" / "default").is_symlink()
    assert (walk.machine.root / "etc" / "nginx" / "sites-available" / "default").exists()


def test_the_first_api_answers_at_the_one_address_to_who_is_logged_in_at_odoo(walk: Walk, tmp_path: Path) -> None:
    assert "created: Partners" in walk.printed[7]
    names = walk.machine.sql("SELECT name FROM res_partner WHERE active ORDER BY id").splitlines()
    assert [partner["name"] for partner in _partners(walk.machine, tmp_path / "cookies")] == names


def test_metrics_are_for_those_with_the_token(walk: Walk) -> None:
    assert "gatehouse_requests_total" in walk.printed[8]
    assert requests.get(f"{walk.machine.url('127.0.0.1:8070')}/metrics", timeout=30).status_code == 404


def test_webhooks_are_delivered_by_a_process_that_goes_with_the_server(walk: Walk) -> None:
    machine = walk.machine
    (block,) = blocks("operations", "sh", "Webhooks")
    machine.sh(machine.own(block))
    log = machine.root / "var" / "log" / "gatehouse-webhooks.log"

    def begun() -> int:
        return log.read_text().count("Webhooks are followed and delivered")

    assert begun() == 1
    pid = int((machine.root / "run" / "gatehouse-webhooks.pid").read_text())
    assert Path(f"/proc/{pid}").owner() == machine.user
    machine.sh("systemctl reload gatehouse")
    wait_until(lambda: begun() == 2, 120, log.read_text)
    assert alive(pid)
    machine.sh("systemctl stop gatehouse")
    assert not alive(pid)
    machine.sh("systemctl start gatehouse")
    assert begun() == 3


def test_a_restored_backup_has_what_it_had_and_its_tokens_are_good(walk: Walk, tmp_path: Path) -> None:
    machine = walk.machine
    backup, restore = (machine.own(block) for block in blocks("operations", "sh", "Backup and restore"))
    headers = machine.token("Backup")
    base = machine.url("127.0.0.1:8070")
    before = requests.get(f"{base}/api/partners", headers=headers, timeout=30).json()
    assert before["result"]["length"] > 0
    machine.sh(backup)
    machine.sql("UPDATE res_partner SET name = 'Lost'; DELETE FROM gatehouse.token")
    filestore = machine.root / "var" / "lib" / "odoo" / "filestore"
    kept = set(filestore.rglob("*"))
    shutil.rmtree(filestore)
    machine.sh(restore)
    assert requests.get(f"{base}/api/partners", headers=headers, timeout=30).json() == before
    assert kept <= set(filestore.rglob("*"))
    # Odoo can read all of it, the folder above too, although root restored it.
    assert {path.owner() for path in (filestore, *kept)} == {machine.user}


def test_a_restart_of_odoo_reloads_gatehouse(walk: Walk) -> None:
    machine = walk.machine
    log = machine.root / "var" / "log" / "gatehouse.log"
    before = log.read_text().count("Listening at")
    machine.sh("systemctl restart odoo")
    wait_until(lambda: log.read_text().count("Listening at") > before, 300, lambda: log.read_text()[-3000:])
    wait_for_site(machine)


def test_a_new_version_is_brought_in_by_step_10(walk: Walk) -> None:
    machine = walk.machine
    (machine.root / "address" / "serving" / "brought_in.py").write_text('"""Only in the new version."""\n')
    with (machine.root / "address" / "gunicorn.conf.py").open("a") as file:
        file.write(NEW_VERSION)
    machines.commit(machine, "The new version")
    pid = (machine.root / "run" / "gatehouse.pid").read_text()
    log = machine.root / "var" / "log" / "gatehouse.log"
    machine.sh(walk.steps[9])
    wait_until(lambda: f"{pid} has Only in the new version." in log.read_text(), 300, lambda: log.read_text()[-3000:])
    assert requests.get(f"{machine.url('127.0.0.1:8070')}/readyz", timeout=30).status_code == 200
