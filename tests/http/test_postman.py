"""Collections: their address, and what they hold of a database. That they run is shown by newman (tests/server)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.postman.collection import build
from app.postman.known import Known
from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish

DOWNLOAD = "/admin/files/download/postman"


def requests_of(item: Any) -> list[Any]:
    """Return the requests of a folder, in their order."""
    return [item] if "request" in item else [each for inner in item["item"] for each in requests_of(inner)]


def exported(app: Gatehouse, route: str, *options: str) -> Any:
    """Return the collection of one API as the command prints it."""
    result = app.test_cli_runner().invoke(args=["api", "postman", route, *options])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def variables(collection: Any) -> dict[str, str]:
    """Return the variables that a collection comes with."""
    return {each["key"]: each["value"] for each in collection["variable"]}


def test_a_collection_is_for_the_address_that_it_was_downloaded_from(admin: Client, publish: Publish) -> None:
    publish()
    assert variables(admin("GET", DOWNLOAD).json)["base_url"] == "http://localhost"


def test_the_command_takes_the_address_or_knows_it_from_the_settings(app: Gatehouse, publish: Publish) -> None:
    route = publish()
    assert variables(exported(app, route))["base_url"] == "http://127.0.0.1:8070"
    given = exported(app, route, "--url", "https://api.example.com/")
    assert variables(given)["base_url"] == "https://api.example.com"


@pytest.mark.parametrize("text", ["api.example.com", "ftp://api.example.com", "https://", "https://[", "https://x?y=1"])
def test_the_command_refuses_what_is_no_address(text: str, app: Gatehouse) -> None:
    wrong = app.test_cli_runner().invoke(args=["api", "postman", "--all", "--url", text])
    assert wrong.exit_code != 0
    assert "an address is meant" in wrong.output


def test_a_collection_changes_no_record_that_it_has_not_created(app: Gatehouse, publish: Publish) -> None:
    route = publish("res.partner", endpoints={"create": False})
    api = exported(app, route)["item"][1]
    changing = [each for each in requests_of(api) if each["request"]["method"] != "GET"]
    assert len(changing) == 5
    for each in changing:
        assert "{{id_" not in json.dumps(each["request"])
        assert "put the id of one of yours" in each["request"]["description"]


def test_texts_of_unique_fields_are_others_in_each_request(app: Gatehouse, publish: Publish) -> None:
    route = publish(fields=["name", "code"])
    bodies = [json.loads(each["request"]["body"]["raw"]) for each in requests_of(exported(app, route)["item"][1])[2:4]]
    for body in (bodies[0], *bodies[1]):
        assert "{{$guid}}" in body["name"]
        assert body["code"] == "{{$randomAlphaNumeric}}" * 5


def test_ids_of_other_records_stand_in_variables_that_have_one(app: Gatehouse, publish: Publish) -> None:
    route = publish("res.country.state", fields=["name", "code", "country_id"])
    create = next(each for each in requests_of(exported(app, route)["item"][1]) if each["name"] == "Create")
    country = json.loads(create["request"]["body"]["raw"])["country_id"]
    assert country.startswith("{{ref_")
    (script,) = [event["script"]["exec"] for event in create["event"] if event["listen"] == "prerequest"]
    assert any(country.strip("{}") in line for line in script)


def test_no_create_is_tried_where_there_is_nothing_to_refer_to(app: Gatehouse, publish: Publish) -> None:
    route = publish("test.line", fields=["name", "record_id"])
    definitions = app.services.catalog.snapshot.definitions.values()
    (definition,) = [each for each in definitions if each.document.route == route]
    api = build("", [definition], {definition.id: Known()}, "", "")["item"][1]
    assert "Create" not in [each["name"] for each in requests_of(api)]
    assert "no record of test.record to refer to" in api["description"]
