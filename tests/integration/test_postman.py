"""The exported collection, run by newman against a live server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import npm
from tests.server.conftest import Server
from tests.server.workers import wait_for_api, wait_for_client

pytestmark = pytest.mark.live
TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def newman() -> str:
    """The path of newman."""
    return npm.command("newman")


#: Definitions of the tests that say how many APIs there are; inline ones are of the kinds in postman.yaml.
FILES = ("server/postman.yaml", "clients/schemathesis.yaml", "http/products.yaml")


@pytest.fixture(scope="module")
def collection(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection of all APIs: the demo's, and those of the tests' files."""
    folder = tmp_path_factory.mktemp("postman")
    apis = [api for name in FILES for api in yaml.safe_load((TESTS / name).read_text())["apis"]]
    (folder / "apis.yaml").write_text(yaml.safe_dump({"apis": [{**api, "clients": []} for api in apis]}))
    server.flask("api", "import", str(folder / "apis.yaml"))
    wait_for_api(server, "/api/products/product.template")
    exported = folder / "collection.json"
    exported.write_text(server.flask("api", "postman", "--all", "--url", server.url).stdout)
    return exported


def _run(newman: str, collection: Path, tmp_path: Path, *folders: str, **variables: str) -> Any:
    """Run a collection, or folders of it, and return newman's report; every test of it has to pass."""
    report = tmp_path / "report.json"
    command = [newman, "run", str(collection), "--reporters", "json", "--reporter-json-export", str(report)]
    for folder in folders:
        command += ["--folder", folder]
    for name, value in variables.items():
        command += ["--env-var", f"{name}={value}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = json.loads(report.read_text())
    failures = [
        (each["parent"]["name"], each["source"].get("name"), each["error"]["message"])
        for each in found["run"]["failures"]
    ]
    assert failures == [], done.stdout
    assert done.returncode == 0
    return found


def _told(report: Any, words: str) -> set[str]:
    """Return the APIs whose requests were answered with an error that the collection expects."""
    ids = {
        execution["item"]["id"]
        for execution in report["run"]["executions"]
        if any(words in assertion["assertion"] for assertion in execution["assertions"])
    }
    return {folder["name"] for folder in report["collection"]["item"] if ids & set(_ids(folder))}


def _ids(item: Any) -> Iterator[str]:
    yield item["id"]
    for inner in item.get("item", []):
        yield from _ids(inner)


def test_every_api_runs_from_top_to_bottom_and_leaves_all_records_as_they_were(
    newman: str, collection: Path, server: Server, tmp_path: Path
) -> None:
    records = f"{server.url}/api/partner/rest?limit=1000&order=id"
    before = server.session().get(records).json()
    report = _run(newman, collection, tmp_path, login="admin", password="admin")
    stats = report["run"]["stats"]
    assert stats["requests"]["total"] >= 250
    assert stats["assertions"]["total"] == 3 * stats["items"]["total"]
    assert server.session().get(records).json() == before
    assert _told(report, "lacks a right") == set()
    assert _told(report, "rate is used up") == {"Rated"}
    assert _told(report, "changes data") == {"Archive by GET"}


def test_a_person_who_may_less_is_told_so_and_nothing_else_fails(newman: str, collection: Path, tmp_path: Path) -> None:
    folders = ["Session", "Whose right", "Relations", "Partners"]
    report = _run(newman, collection, tmp_path, *folders, login="demo", password="demo")
    assert _told(report, "lacks a right") == {"Whose right", "Relations"}


def test_requests_that_the_executing_user_has_no_right_for_are_left_out(collection: Path) -> None:
    folders = {item["name"]: item for item in json.loads(collection.read_text())["item"]}
    tags, users = folders["No right"]["item"]
    assert [item["name"] for item in tags["item"]] == ["Search", "Search by cursor", "Read", "Read many"]
    assert tags["description"] == "Left out: Create, update, delete, as the executing user has no right to it."
    assert [item["name"] for item in users["item"]] == ["Search", "Search by cursor", "Read", "Read many"]
    (lines,) = [item for item in folders["Lines"]["item"] if item["name"] == "test.line"]
    names = [item["name"] for item in lines["item"]]
    assert (names[0], names[-1]) == ("Create a record of test.record to refer to", "Delete it again")


def test_a_client_app_fetches_its_token_and_runs_its_api(newman: str, server: Server, tmp_path: Path) -> None:
    made = server.flask("client", "create", "Postman", "--api", "Partners", "--user", "admin", "--json")
    credentials = json.loads(made.stdout.splitlines()[-1])
    wait_for_client(server, "/api/partner/rest?limit=1", credentials)
    exported = tmp_path / "partners.json"
    exported.write_text(server.flask("api", "postman", "/api/partner/rest").stdout)
    variables = {key: credentials[key] for key in ("client_id", "client_secret")}
    report = _run(newman, exported, tmp_path, base_url=server.url, **variables)
    assert report["run"]["stats"]["prerequests"]["total"] >= 10


def test_a_collection_of_nothing_is_refused(server: Server) -> None:
    done = server.flask("api", "postman", "/api/nothing", check=False)
    assert done.returncode == 1
    assert "no published API" in done.stdout + done.stderr
    assert server.flask("api", "postman", check=False).returncode == 1
