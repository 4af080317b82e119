"""Messages about what a caller got wrong: which parameter, what was meant, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.policy import suggestions
from tests.http.conftest import Client, Publish

RELATED = {"partner_id": ["name"]}

#: What a call gets wrong (method, what follows the route, options), and the name and parameter of its error.
WRONG: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("GET", "?limt=1", {}, "unknown_parameter", "limt"),
    ("GET", "?limit=x", {}, "invalid_limit", "limit"),
    ("GET", "?limit=1001", {}, "invalid_limit", "limit"),
    ("GET", "?offset=-1", {}, "invalid_offset", "offset"),
    ("GET", "?count=all", {}, "invalid_count", "count"),
    ("GET", "?limit=1&limit=2", {}, "duplicate_parameter", "limit"),
    ("GET", "?fields=nmae", {}, "unknown_field", "fields"),
    ("GET", "", {"json": {"fields": 1}}, "invalid_fields", "fields"),
    ("GET", "?fields=[", {}, "invalid_fields", "fields"),
    ("GET", "?order=nmae", {}, "unknown_field", "order"),
    ("GET", "?order=name%20up", {}, "invalid_order", "order"),
    ("GET", "?order=" + ",".join(["name"] * 11), {}, "invalid_order", "order"),
    ("GET", "", {"json": {"order": 1}}, "invalid_order", "order"),
    ("GET", '?domain=[["nmae","=","x"]]', {}, "unknown_field", "domain"),
    ("GET", '?domain=[["name","ilik","x"]]', {}, "unknown_operator", "domain"),
    ("GET", '?domain=[["name","child_of","x"]]', {}, "unknown_operator", "domain"),
    ("GET", '?domain=[["name","=",1]]', {}, "invalid_domain", "domain"),
    ("GET", "?domain=[", {}, "invalid_domain", "domain"),
    ("GET", "?domain=" + "1" * 70_000, {}, "invalid_domain", "domain"),
    ("GET", "", {"data": b"{", "content_type": "application/json"}, "invalid_json", "body"),
    ("GET", "", {"data": b"x", "content_type": "application/json"}, "invalid_body", "body"),
    ("GET", "", {"json": {"jsonrpc": "2.0", "parms": {}}}, "invalid_envelope", "parms"),
    ("GET", "", {"json": {"jsonrpc": "2.0", "id": [], "params": {}}}, "invalid_envelope", "id"),
    ("GET", "", {"headers": {"X-Timezone": "Mars"}}, "invalid_timezone", "X-Timezone"),
    ("GET", "", {"headers": {"X-Company-Id": "0"}}, "invalid_company", "X-Company-Id"),
    ("GET", "", {"headers": {"Authorization": "Basic eDp4"}}, "unauthorized", "Authorization"),
    ("GET", "/none", {}, "not_found", "id"),
    ("GET", "/bulk", {}, "invalid_ids", "ids"),
    ("GET", "/bulk?ids=[", {}, "invalid_ids", "ids"),
    ("GET", "/bulk?ids=" + "a," * 1001, {}, "too_many", "ids"),
    ("GET", "/bulk?ids=none", {}, "not_found", "ids"),
    ("GET", "/bulk?ids=none&atomic=no", {}, "invalid_atomic", "atomic"),
    ("POST", "", {"json": {"nmae": "x"}}, "unknown_field", "nmae"),
    ("POST", "", {"json": {"name": 1}}, "invalid_value", "name"),
    ("POST", "", {"json": {"line_ids": [[0, 0, {"nmae": 1}]]}}, "unknown_field", "line_ids"),
    ("POST", "", {"json": {"line_ids": [["x"]]}}, "invalid_value", "line_ids"),
    ("POST", "", {"json": "x"}, "invalid_value", "body"),
    ("POST", "", {"json": [{"name": "x"}] * 1001}, "too_many", "body"),
    ("POST", "", {"data": b"{}", "content_type": "text/plain"}, "unsupported_media_type", "Content-Type"),
    ("POST", "", {"json": {}, "headers": {"Idempotency-Key": ""}}, "invalid_idempotency_key", "Idempotency-Key"),
    ("POST", "", {"json": {}, "headers": {"Origin": "https://a.example"}}, "foreign_origin", "Origin"),
    ("PATCH", "", {"json": {"name": "x"}}, "invalid_body", "body"),
    ("PATCH", "", {"json": [{"name": "x"}]}, "invalid_body", "id"),
    ("PATCH", "", {"json": [{"id": "none"}]}, "not_found", "id"),
    ("PATCH", "", {"json": {"ids": ["none"]}}, "not_found", "ids"),
    ("DELETE", "", {"json": ["none"]}, "not_found", "ids"),
    ("PATCH", "", {"json": {"ids": []}, "headers": {"If-Match": "*"}}, "invalid_condition", "If-Match"),
    ("DELETE", "", {"json": {"id": 1}}, "invalid_body", "body"),
]


@pytest.mark.parametrize(("method", "below", "options", "name", "parameter"), WRONG, ids=lambda value: str(value)[:40])
def test_each_error_about_a_parameter_names_it(
    admin: Client, publish: Publish, method: str, below: str, options: dict[str, Any], name: str, parameter: str
) -> None:
    route = publish(fields=["name", "line_ids"], related={"line_ids": ["name"]})
    _, error = admin.error(method, route + below, **options)
    assert (error["data"]["name"], error["data"]["parameter"]) == (name, parameter), error


def test_a_record_that_was_changed_meanwhile_names_if_match(admin: Client, publish: Publish) -> None:
    route = publish()
    record = admin.result("POST", route, json={"name": "x"})
    status, error = admin.error("PATCH", f"{route}/{record['id']}", json={"name": "y"}, headers={"If-Match": '"old.x"'})
    assert (status, error["data"]["parameter"]) == (412, "If-Match")


def test_an_argument_is_named_as_a_parameter_too(admin: Client, publish: Publish) -> None:
    route = publish("res.company", fields=[], type="rpc", method="get_company_name_with_phone", id_obfuscation=False)
    _, error = admin.error("POST", f"{route}/1", json={"is_upper": True})
    assert error["data"]["parameter"] == error["data"]["argument"] == "is_upper"
    assert error["data"]["allowed"] == ["is_uppercase"]
    assert "Did you mean is_uppercase?" in error["message"]
    _, error = admin.error("POST", f"{route}/1?x=1", json={})
    assert (error["data"]["name"], error["data"]["parameter"]) == ("unknown_parameter", "x")


@pytest.mark.parametrize(
    ("below", "allowed"),
    [
        ("?fields=nmae", ["name", "id", "partner_id"]),
        ("?order=nmae", ["name", "id", "partner_id.id"]),
        ('?domain=[["nmae","=","x"]]', ["name", "id", "partner_id"]),
        ('?domain=[["partner_id.nmae","=","x"]]', ["partner_id.name", "partner_id.id"]),
        ('?domain=[["partner_id","any",[["nmae","=","x"]]]]', ["name", "id"]),
    ],
)
def test_an_unknown_field_is_answered_with_those_that_are_allowed_and_the_closest_first(
    admin: Client, publish: Publish, below: str, allowed: list[str]
) -> None:
    route = publish(fields=["name", "partner_id", "length"], search_fields=["name", "partner_id"], related=RELATED)
    _, error = admin.error("GET", route + below)
    assert error["data"]["name"] == "unknown_field"
    assert error["data"]["allowed"] == allowed
    assert f"Did you mean {allowed[0]}?" in error["message"]


def test_a_field_that_can_only_be_read_is_told_from_one_that_is_unknown(admin: Client, publish: Publish) -> None:
    route = publish(fields=["name", "length"])
    _, read_only = admin.error("POST", route, json={"length": 1})
    _, unknown = admin.error("POST", route, json={"lenght": 1})
    assert (read_only["data"]["name"], read_only["data"]["reason"]) == ("unknown_field", "read_only")
    assert "can be read, but not written" in read_only["message"]
    assert (unknown["data"]["name"], unknown["data"]["reason"]) == ("unknown_field", "unknown")
    assert read_only["data"]["allowed"] == unknown["data"]["allowed"] == ["name"]


@pytest.mark.parametrize(
    "call",
    [
        lambda name: ("POST", "", {"json": {name: "x"}}),
        lambda name: ("POST", "", {"json": {"line_ids": [[0, 0, {name: "x"}]]}}),
        lambda name: ("GET", f"?fields={name}", {}),
        lambda name: ("GET", f"?order={name}", {}),
        lambda name: ("GET", f'?domain=[["{name}","=","x"]]', {}),
        lambda name: ("GET", f'?domain=[["line_ids.{name}","=","x"]]', {}),
    ],
)
def test_a_hidden_field_looks_like_one_that_is_not_there(
    admin: Client, publish: Publish, call: Callable[[str], tuple[str, str, dict[str, Any]]]
) -> None:
    route = publish(fields=["name", "line_ids"], related={"line_ids": ["name"]})
    answers = []
    for name in ("write_uid", "wrote_uid"):
        method, below, options = call(name)
        status, error = admin.error(method, route + below, **options)
        del error["data"]["request_id"]
        answers.append((status, str(error).replace(name, "NAME")))
    assert answers[0] == answers[1]


def test_what_nobody_is_shown_is_not_called_read_only(admin: Client, publish: Publish) -> None:
    hidden = {"read": False, "search": False}
    route = publish(fields=["name", "length"], writable_fields=["name"], endpoints=hidden)
    _, error = admin.error("POST", route, json={"length": 1})
    assert error["data"]["reason"] == "unknown"


def test_fields_that_odoo_keeps_from_the_caller_are_not_listed(admin: Client, demo: Client, publish: Publish) -> None:
    route = publish(fields="all")
    for caller, sees in ((admin, True), (demo, False)):
        _, error = caller.error("GET", f"{route}?fields=for_manager")
        assert ("for_managers" in error["data"]["allowed"]) is sees


def test_a_list_of_what_is_allowed_is_bounded(admin: Client, publish: Publish) -> None:
    route = publish("res.partner", fields="all")
    _, error = admin.error("GET", f"{route}?fields=nmae")
    assert len(error["data"]["allowed"]) == 50
    assert error["data"]["allowed"][0] == "name"
    assert len(error["message"]) < 700


def test_a_bulk_call_looks_for_what_is_allowed_for_its_first_items_alone(
    admin: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for: list[str] = []
    monkeypatch.setattr(suggestions, "_close", lambda given, known: looked_for.append(given) or [])
    answers = admin.result("POST", f"{publish()}?atomic=false", json=[{"nmae": "x"}] * 30)
    assert ["allowed" in answer["error"]["data"] for answer in answers] == [True] * 20 + [False] * 10
    assert looked_for == ["nmae"] * 20
    assert answers[-1]["error"]["message"] == "'nmae' is no field that can be written here."
    assert answers[-1]["error"]["data"]["reason"] == "unknown"


def test_a_method_that_is_not_served_is_answered_with_those_that_are(admin: Client, publish: Publish) -> None:
    route = publish(endpoints={"delete": False})
    answer = admin("PUT", route)
    error = answer.json["error"]
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "PATCH", "OPTIONS", "QUERY"}
    assert error["message"] == (
        f"PUT is not served at {route}. Served are: GET (search), PATCH (update many), POST (create), QUERY (search)."
    )
    assert error["data"]["allowed"] == ["GET", "PATCH", "POST", "QUERY"]
    _, error = admin.error("POST", f"{route}/bulk")
    assert "Served are: GET (read many)." in error["message"]
    _, error = admin.error("GET", "/web/session/authenticate")
    assert "Served are: POST." in error["message"]


@pytest.mark.parametrize("below", ["/", "/8blEP/more", "/8blEP/"])
def test_a_path_below_an_api_is_answered_with_what_is_served_there(
    anyone: Client, publish: Publish, below: str
) -> None:
    route = publish(endpoints={"create": False, "update": False, "delete": False})
    status, error = anyone.error("GET", route + below)
    assert (status, error["data"]["name"]) == (404, "not_found")
    assert error["data"]["served"] == [
        f"GET {route}", f"QUERY {route}", f"GET {route}/bulk", f"GET {route}/{{id}}"
    ]  # fmt: skip
    assert f"GET {route}/{{id}}" in error["message"]


def test_a_wrong_route_is_answered_with_those_that_are_open_to_all(anyone: Client, publish: Publish) -> None:
    hidden = publish()
    first, second = (publish(authentication="public", run_as="demo") for _ in range(2))
    draft = publish(authentication="public", run_as="demo", route="/api/drafted")
    assert draft == "/api/drafted"
    _, error = anyone.error("GET", f"{second}x")
    assert error["data"]["served"][0] == second
    assert {first, draft} <= set(error["data"]["served"])
    assert hidden not in error["message"]
    assert "/api/openapi.json" in error["message"]


def test_models_are_not_named_to_who_may_not_know_them(anyone: Client, publish: Publish) -> None:
    models = [{"model": "res.partner", "fields": ["name"]}, {"model": "res.country", "fields": ["name"]}]
    route = publish(models=models)
    _, error = anyone.error("GET", f"{route}/res.users")
    assert "res.partner" not in str(error)
    _, elsewhere = anyone.error("GET", "/api/not/there")
    assert error["message"] == elsewhere["message"]


def test_an_api_that_is_not_published_is_like_none(anyone: Client, publish: Publish) -> None:
    route = publish(published=False, authentication="public", run_as="demo")
    answers = [anyone.error("GET", path)[1]["message"] for path in (f"{route}/1", "/api/never/1")]
    assert answers[0] == answers[1]
    assert route not in answers[0]


def test_a_path_outside_of_the_apis_leads_to_them(anyone: Client) -> None:
    _, error = anyone.error("GET", "/partners")
    assert error["message"] == "There is no such route. APIs are served below /api/, and described by /api/docs."


def test_metrics_look_like_no_route_to_who_may_not_see_them(anyone: Client) -> None:
    answers = [anyone.error("GET", path)[1] for path in ("/metrics", "/metric")]
    assert answers[0]["message"] == answers[1]["message"]
    assert answers[0]["data"].keys() == answers[1]["data"].keys()
