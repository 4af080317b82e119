"""The exported collection, run by newman against a live server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import npm
from tests.server.conftest import Server
from tests.server.workers import wait_for_api, wait_for_client

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def newman() -> str:
    """The path of newman."""
    return npm.command("newman")


@pytest.fixture(scope="module")
def collection(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection of all APIs: the demo's, and one of several models."""
    folder = tmp_path_factory.mktemp("postman")
    definitions = folder / "apis.yaml"
    definitions.write_text(
        """
apis:
- name: Several
  route: /api/several
  published: true
  models:
  - {model: test.record, fields: [name, count, state]}
  - {model: res.partner, fields: [name, email, parent_id], related: {parent_id: [name]}}
- name: Read only
  route: /api/readonly
  published: true
  endpoints: {create: false, update: false, delete: false}
  models: [{model: res.partner, fields: [name]}]
- name: By GET
  route: /api/by-get
  type: rpc
  method: echo
  http_methods: [GET, POST]
  published: true
  models: [{model: test.record}]
"""
    )
    server.flask("api", "import", str(definitions))
    wait_for_api(server, "/api/readonly")
    exported = folder / "collection.json"
    exported.write_text(server.flask("api", "postman", "--all").stdout)
    return exported


def _run(newman: str, collection: Path, tmp_path: Path, server: Server, **variables: str) -> Any:
    report = tmp_path / "report.json"
    command = [newman, "run", str(collection), "--reporters", "json", "--reporter-json-export", str(report)]
    for name, value in {"base_url": server.url, **variables}.items():
        command += ["--env-var", f"{name}={value}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    result = json.loads(report.read_text())
    failures = [(failure["source"].get("name"), failure["error"]["message"]) for failure in result["run"]["failures"]]
    assert failures == [], done.stdout
    assert done.returncode == 0
    return result["run"]["stats"]


def test_all_requests_pass_for_a_person_who_logs_in(
    newman: str, collection: Path, server: Server, tmp_path: Path
) -> None:
    stats = _run(newman, collection, tmp_path, server, login="admin", password="admin")
    assert stats["requests"]["total"] >= 30
    assert stats["assertions"]["total"] == 3 * stats["items"]["total"]


def test_a_client_app_fetches_its_token_and_runs_its_api(newman: str, server: Server, tmp_path: Path) -> None:
    made = server.flask("client", "create", "Postman", "--api", "Partners", "--user", "admin", "--json")
    credentials = json.loads(made.stdout.splitlines()[-1])
    wait_for_client(server, "/api/partner/rest?limit=1", credentials)
    exported = tmp_path / "partners.json"
    exported.write_text(server.flask("api", "postman", "/api/partner/rest").stdout)
    variables = {key: credentials[key] for key in ("client_id", "client_secret")}
    stats = _run(newman, exported, tmp_path, server, **variables)
    assert stats["prerequests"]["total"] >= 10


def test_a_collection_of_nothing_is_refused(server: Server) -> None:
    done = server.flask("api", "postman", "/api/nothing", check=False)
    assert done.returncode == 1
    assert "no published API" in done.stdout + done.stderr
    assert server.flask("api", "postman", check=False).returncode == 1
