"""Schemathesis, with all its checks, against a live server and the OpenAPI document that it serves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import ROOT, Server, serving
from tests.server.workers import wait_for_api

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="Schemathesis 4.32 needs Python 3.11"),
]
#: Seconds that the requests may take.
BUDGET = 90


@pytest.fixture(scope="module")
def own_server(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: made-up credentials and requests without end would be in the way of other tests."""
    log = tmp_path_factory.mktemp("schemathesis") / "gunicorn.log"
    settings = {"GATEHOUSE_TRUSTED_PROXIES": "1", "GATEHOUSE_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    with serving(testbed, f"gatehouse_schemathesis_{os.getpid()}", log, **settings) as server:
        made = server.flask("client", "create", "Schemathesis", "--user", "admin", "--json")
        credentials = json.loads(made.stdout.splitlines()[-1])
        server.flask("api", "import", "tests/clients/schemathesis.yaml")
        wait_for_api(server, "/api/method")
        form = {name: credentials[name] for name in ("client_id", "client_secret")}
        answer = requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=10).json()
        server.token = answer["access_token"]  # type: ignore[attr-defined]
        yield server


def _values(server: Server) -> dict[str, list[str]]:
    """Return values of the document's own formats: ids of records that exist, filters, orders, terms of groups."""
    headers = {"Authorization": f"Bearer {server.token}"}  # type: ignore[attr-defined]

    def call(method: str, path: str, **options: Any) -> Any:
        return requests.request(method, server.url + path, headers=headers, timeout=30, **options).json()["result"]

    def many(path: str) -> list[str]:
        bodies = [[{"name": f"{page} {number}"} for number in range(20)] for page in range(5)]
        return [record["id"] for body in bodies for record in call("POST", path, json=body)]

    def found(path: str) -> list[str]:
        return [record["id"] for record in call("GET", path)["records"]]

    lines = call("POST", "/api/relations/test.record", json={"name": "x", "line_ids": [[0, 0, {"name": "line"}]]})
    return {
        "test.record-id": many("/api/plain"),
        "test.tag-id": many("/api/relations/test.tag"),
        "test.line-id": [line["id"] for line in lines["line_ids"]],
        "res.partner-id": found("/api/people"),
        "res.company-id": found("/api/companies"),
        "domain": ["[]", '[["id", ">", 0]]', "['|', ('name', 'ilike', '1'), ('id', '=', 0)]"],
        "order": ["id", "name desc, id"],
        "cursor": [""],
        "delta-token": ["latest"],
        "uri": ["http://127.0.0.1:9/hook", "http://127.0.0.1:9/other?a=b"],
        "group": ["state", "flag", "day:month", "moment:hour_number"],
        "aggregate": ["__count", "amount:sum", "day:max", "name:count_distinct"],
        "having": ["[]", '[["__count", ">", 0]]', '["|", ["amount:sum", "<", 5], ["__count", "in", [1, 2]]]'],
        "order-of-groups": ["__count desc", "amount:sum, __count"],
        "time-zone": ["Europe/Berlin", "UTC"],
        "optional-date": ["", "2026-01-31"],
        "optional-date-time": ["", "2026-01-31T08:00:00Z", "2026-01-31T09:30:00+01:00"],
    }


def test_schemathesis_finds_nothing(own_server: Server, tmp_path: Path) -> None:
    here = ROOT / "tests" / "clients"
    environment = {
        **os.environ,
        "GATEHOUSE_FORMATS": json.dumps(_values(own_server)),
        "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        "PYTHONPATH": str(here),
    }
    command = [str(Path(sys.executable).with_name("schemathesis")), "--no-color"]
    command += ["--config-file", str(here / "schemathesis.toml")]
    command += ["run", f"{own_server.url}/api/openapi.json", "--checks", "all", "--max-time", str(BUDGET)]
    command += ["--header", f"Authorization: Bearer {own_server.token}"]  # type: ignore[attr-defined]
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=BUDGET + 20, check=False
    )
    print(done.stdout[-3000:], f"{time.monotonic() - started:.0f} s")
    assert done.returncode == 0, done.stdout + done.stderr
    generated = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert generated is not None
    assert int(generated[2]) > 1000
    log = own_server.log.read_text()
    assert "Traceback" not in log, log[-5000:]
