"""docs/several-databases.md: two restored copies, each with a Gatehouse of its own from the template unit."""

from __future__ import annotations

import json
import os

import pytest
import requests

from dev.cluster import port_free
from tests.deploy.conftest import Walk
from tests.pages import blocks
from tests.server.conftest import wait_until

pytestmark = pytest.mark.live
PAGE = "several-databases"
TOKEN = "sed -n 's/^GATEHOUSE_METRICS_TOKEN=/Authorization: Bearer /p' {root}/etc/gatehouse/{name}.env"
#: Processes that deliver webhooks of a database.
ALIVE = "SELECT count(*) FROM gatehouse_jobs.procrastinate_workers WHERE last_heartbeat > now() - interval '10 s'"


def _two_free_ports() -> int:
    """Return a free port after which another one is free, where no outgoing connection takes one meanwhile."""
    ports = range(20000 + os.getpid() % 10000, 32767)
    return next(port for port in ports if port_free(port) and port_free(port + 1))


def test_restored_copies_are_served_each_by_its_own_and_know_no_token_of_the_original(walk: Walk) -> None:
    machine = walk.machine
    original = machine.token("Original")
    machine.sh(machine.own(blocks("operations", "sh", "Backup and restore")[0]))
    copy = "".join(machine.own(block) for block in blocks(PAGE, "sh", "A restored copy"))
    for name in ("one", "two"):
        machine.sh(
            copy.replace("-d two", f"-d {name}")
            .replace("template0 two", f"template0 {name}")
            .replace("/two", f"/{name}")
        )
    port = _two_free_ports()
    (start,) = blocks(PAGE, "sh", "A Gatehouse for each")
    machine.sh(machine.own(start).replace("port=8081", f"port={port}"))

    (webhooks,) = blocks(PAGE, "sh", "Webhooks")
    machine.sh(machine.own(webhooks))
    for name in ("one", "two"):
        log = machine.root / "var" / "log" / f"gatehouse-webhooks@{name}.log"
        assert log.read_text().count("Webhooks are followed and delivered") == 1
        jobs = (
            "SELECT count(*) FROM gatehouse_jobs.procrastinate_workers WHERE last_heartbeat > now() - interval '10 s'"
        )
        wait_until(lambda jobs=jobs, name=name: machine.sql(jobs, name) == "1", 30)  # type: ignore[misc]

    uuid = "SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'"
    assert len({machine.sql(uuid, database) for database in ("production", "one", "two")}) == 3
    for name, address in (("one", f"http://127.0.0.1:{port}"), ("two", f"http://127.0.0.1:{port + 1}")):
        token = TOKEN.format(root=machine.root, name=name)
        ready = json.loads(machine.sh(f"{token} | curl -fsS -H @- {address}/readyz").stdout)
        assert ready["result"]["database"] == name
        assert requests.get(f"{address}/api/partners", headers=original, timeout=60).status_code == 401
    assert (
        requests.get(f"{machine.url('127.0.0.1:8070')}/api/partners", headers=original, timeout=60).status_code == 200
    )
