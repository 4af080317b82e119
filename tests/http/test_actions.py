"""A new operation has one home: an action and a registration for each aspect, and all doors know it."""

from __future__ import annotations

import inspect
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from app.definitions.definition import Definition
from app.definitions.document import SWITCHES
from app.factory import create_app
from app.mcp.tools import tools
from app.openapi.document import describe
from app.operations import actions
from app.operations.actions import ACTIONS, ASPECTS, Aspect
from app.operations.endpoints import endpoints
from app.postman import collection
from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish
from tests.http.console import Console
from tests.http.count_operation import COUNT
from tests.http.panel import Panel

#: What uses each aspect of an API's actions.
DOORS: dict[str, Callable[[Definition], object]] = {
    "serves": lambda definition: Gatehouse("routes").publish(endpoints(definition)),
    "describes": lambda definition: describe(endpoints(definition)),
    "offers": lambda definition: tools(endpoints(definition), 10),
    "requests": lambda definition: collection.build("APIs", [definition], {}, "http://127.0.0.1", "database"),
}


@pytest.fixture
def counting(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that has the example operation."""
    monkeypatch.setattr(actions, "ACTIONS", (*ACTIONS, COUNT))


@pytest.fixture
def counted(counting: None, publish: Publish, demo: Client) -> str:
    """The route of an API with three records: one, two and three."""
    mark = uuid.uuid4().hex
    route = publish(
        fields=["name", "notes"], writable_fields=["name", "notes"], domain=[["notes", "=", mark]], mcp="read"
    )
    for name in ("one", "two", "three"):
        demo.result("POST", route, json={"name": name, "notes": mark})
    return route


@pytest.mark.parametrize("aspect", ASPECTS, ids=lambda aspect: aspect.name)
def test_each_action_has_each_aspect(app: Gatehouse, aspect: Aspect[Any]) -> None:
    assert aspect.missing() == []


def test_no_view_and_no_hook_is_a_coroutine(app: Gatehouse) -> None:
    hooks = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
    registered = [function for kind in hooks for functions in kind.values() for function in functions]
    for function in (*app.view_functions.values(), *registered):
        assert not inspect.iscoroutinefunction(function), function  # see Gatehouse.ensure_sync


def test_there_is_a_door_for_each_aspect() -> None:
    assert {aspect.name for aspect in ASPECTS} == set(DOORS)


@pytest.mark.parametrize("aspect", ASPECTS, ids=lambda aspect: aspect.name)
def test_an_aspect_that_is_missing_is_named(
    app: Gatehouse, counted: str, aspect: Aspect[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = app.services.catalog.snapshot.published
    (definition,) = (each for each in definitions if each.document.route == counted)
    use = DOORS[aspect.name]
    use(definition)
    with monkeypatch.context() as without:
        without.delitem(aspect._registered, COUNT)
        assert aspect.missing() == ["rest.count"]
        with pytest.raises(LookupError, match=rf"^Nothing {aspect.name} the action rest\.count\.$"):
            use(definition)
        with pytest.raises(LookupError, match=rf"^Nothing {aspect.name} the action rest\.count\.$"):
            create_app()  # which refuses before it looks at anything else


def test_each_action_of_rest_has_a_switch() -> None:
    assert {name for action in ACTIONS for name in action.switches} == set(SWITCHES)


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
