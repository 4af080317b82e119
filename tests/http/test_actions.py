"""A new operation has one home: an action and a registration for each aspect, and all doors know it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from app.definitions.document import EndpointSwitches
from app.openapi.described import describes
from app.operations import actions
from app.operations.actions import ACTIONS, Aspect
from app.postman.requests import requests
from app.web.routing import Gatehouse, serves
from tests.http.conftest import Client
from tests.http.console import Console
from tests.http.count_operation import COUNT
from tests.http.panel import Panel

Publish = Callable[..., str]
ASPECTS: tuple[Aspect[Any], ...] = (serves, describes, requests)


@pytest.fixture
def counting(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that has the example operation."""
    monkeypatch.setattr(actions, "ACTIONS", (*ACTIONS, COUNT))


@pytest.fixture
def counted(counting: None, publish: Publish, demo: Client) -> str:
    """The route of an API with three records: one, two and three."""
    mark = uuid.uuid4().hex
    route = publish(fields=["name", "notes"], writable_fields=["name", "notes"], domain=[["notes", "=", mark]])
    for name in ("one", "two", "three"):
        demo.result("POST", route, json={"name": name, "notes": mark})
    return route


@pytest.mark.parametrize("aspect", ASPECTS, ids=lambda aspect: aspect.name)
def test_each_action_has_each_aspect(app: Gatehouse, aspect: Aspect[Any]) -> None:
    assert aspect.missing() == []


def test_an_aspect_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    forgetful: Aspect[Callable[[], None]] = Aspect("plays")
    forgetful(*ACTIONS)(lambda: None)
    assert forgetful.missing() == []
    monkeypatch.setattr(actions, "ACTIONS", (*ACTIONS, COUNT))
    assert forgetful.missing() == ["rest.count"]
    with pytest.raises(LookupError, match=r"Nothing plays the action rest\.count"):
        forgetful[COUNT]


def test_each_action_of_rest_has_a_switch() -> None:
    switches = {action.scope.value for action in ACTIONS if action.kind == "rest" and action.scope}
    assert switches == set(EndpointSwitches.model_fields)


def test_the_example_is_served(counted: str, demo: Client) -> None:
    assert demo.result("GET", f"{counted}/count") == {"count": 3}
    domain = json.dumps([["name", "like", "t"]])
    assert demo.result("GET", f"{counted}/count", query_string={"domain": domain}) == {"count": 2}
    assert demo("PATCH", f"{counted}/count", json={"name": "x"}).status_code == 405


def test_the_example_has_the_rules_of_all_others(counted: str, demo: Client, anyone: Client) -> None:
    assert anyone("GET", f"{counted}/count").status_code == 401
    assert demo("GET", f"{counted}/count?limit=1").json["error"]["data"]["name"] == "unknown_parameter"
    secret = demo("GET", f"{counted}/count", query_string={"domain": '[["secret", "=", "x"]]'})
    assert secret.json["error"]["data"]["name"] == "unknown_field"


def test_the_example_is_switched_off_with_its_scope(counting: None, publish: Publish, demo: Client) -> None:
    route = publish(endpoints={"search": False})
    assert demo("GET", f"{route}/count").status_code in (404, 405)


def test_the_example_is_documented(counted: str, demo: Client) -> None:
    described = demo("GET", "/api/openapi.json").json["paths"][f"{counted}/count"]["get"]
    assert described["summary"].startswith("Count ")
    assert described["operationId"].endswith("_count")
    assert described["security"][2] == {"oauth2": ["search"]}
    assert "domain" in [each.get("name") for each in described["parameters"]]


def test_the_example_is_tried_in_the_console(counted: str, admin: Client, app: Gatehouse) -> None:
    tried = Console(Panel(admin), app)(counted, suffix="/count", query__domain='[["name", "=", "one"]]')
    assert (tried.status, tried.body["result"]) == (200, {"count": 1})


def test_the_example_is_exported_to_postman(counted: str, admin: Client, app: Gatehouse) -> None:
    collection = json.loads(Panel(admin).get("/admin/files/download/postman").text)
    (folder,) = (item["item"] for item in collection["item"] if item["name"] != "Session")
    (request,) = (item["request"] for item in folder if item["name"] == "Count")
    assert request["url"]["raw"].startswith(f"{{{{base_url}}}}{counted}/count?")
