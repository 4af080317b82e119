"""``QUERY R``: the search whose parameters stand in the body (RFC 10008)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from app.operations.gateway import Gateway
from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish, Sql

FORM = "application/x-www-form-urlencoded"
DOMAIN = [["name", "like", "queried"]]


@pytest.fixture
def found(admin: Client, publish: Publish) -> str:
    """The route of an API with three records."""
    route = publish(fields=["name"])
    before = admin.result("GET", route, json={"domain": DOMAIN})["records"]
    admin.result("DELETE", route, json=[record["id"] for record in before])
    admin.result("POST", route, json=[{"name": f"queried {number}"} for number in range(3)])
    return route


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"domain": DOMAIN, "limit": 2, "order": "name"}},
        {"json": {"jsonrpc": "2.0", "id": None, "params": {"domain": DOMAIN, "limit": 2, "order": "name"}}},
        {
            "data": urlencode({"domain": '[("name", "like", "queried")]', "limit": 2, "order": "name"}),
            "content_type": FORM,
        },
    ],
    ids=["JSON", "envelope", "form"],
)
def test_a_query_finds_what_a_get_finds(admin: Client, found: str, body: dict[str, Any]) -> None:
    by_get = admin.result("GET", found, json={"domain": DOMAIN, "limit": 2, "order": "name"})
    assert len(by_get["records"]) == 2
    assert admin.result("QUERY", found, **body) == by_get


def test_the_link_to_the_next_page_of_a_query_is_one_to_get(admin: Client, found: str) -> None:
    answer = admin("QUERY", found, json={"domain": DOMAIN, "limit": 2, "order": "name"})
    address, _, relation = answer.headers["Link"].partition(">")
    assert relation == '; rel="next"'
    assert [record["name"] for record in admin.result("GET", address[1:])["records"]] == ["queried 2"]


@pytest.mark.parametrize(
    ("options", "status", "name"),
    [
        ({"data": b'{"limit": 1}'}, 400, "missing_content_type"),
        ({}, 400, "missing_content_type"),
        ({"data": b"<q/>", "content_type": "application/xml"}, 415, "unsupported_media_type"),
        ({"data": b'{"limit": 1}', "content_type": FORM}, 400, "invalid_body"),
        ({"data": b"limit=1", "content_type": "application/json"}, 400, "invalid_json"),
        ({"data": b"[1]", "content_type": "application/json"}, 400, "invalid_json"),
        ({"data": b"\xff=1", "content_type": FORM}, 400, "invalid_body"),
    ],
)
def test_the_body_of_a_query_is_what_its_content_type_says(
    admin: Client, found: str, options: dict[str, Any], status: int, name: str
) -> None:
    answer = admin("QUERY", found, **options)
    assert (answer.status_code, answer.json["error"]["data"]["name"]) == (status, name)
    assert answer.headers["Accept-Query"] == '"application/json", "application/x-www-form-urlencoded"'


def test_a_form_without_parameters_asks_for_all(admin: Client, found: str) -> None:
    assert admin.result("QUERY", found, data=b"", content_type=FORM) == admin.result("GET", found)


@pytest.mark.parametrize(
    ("address", "body", "name"),
    [("limit=1", b"limit=1", "limit"), ("fields=name", b"fields=code", "fields"), ("", b"fields=a&fields=b", "fields")],
)
def test_a_parameter_of_the_address_and_of_the_body_is_given_twice(
    address: str, body: bytes, name: str, admin: Client, found: str
) -> None:
    _, error = admin.error("QUERY", f"{found}?{address}", data=body, content_type=FORM)
    assert (error["data"]["name"], error["data"]["parameter"]) == ("duplicate_parameter", name)


def test_options_tells_of_query_and_its_bodies(anyone: Client, found: str) -> None:
    answer = anyone("OPTIONS", found)
    assert "QUERY" in answer.headers["Allow"].split(", ")
    assert "application/json" in answer.headers["Accept-Query"]


def test_a_path_without_query_does_not_tell_of_its_bodies(admin: Client, found: str) -> None:
    answer = admin("QUERY", f"{found}/bulk", json={})
    assert answer.status_code == 405
    assert "Accept-Query" not in answer.headers


def test_a_query_may_come_by_cookie_as_a_get_may(admin: Client, found: str) -> None:
    answer = admin("QUERY", found, data=b"limit=1", content_type=FORM, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 200  # it changes nothing, and the page is not told the answer
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_preflight_allows_query_to_the_pages_of_the_definition(anyone: Client, publish: Publish) -> None:
    route = publish(cors_origins=["https://shop.example.com"])
    headers = {"Origin": "https://shop.example.com", "Access-Control-Request-Method": "QUERY"}
    assert "QUERY" in anyone("OPTIONS", route, headers=headers).headers["Access-Control-Allow-Methods"]
    assert "Accept-Query" in anyone("QUERY", route, json={}, headers=headers).headers["Access-Control-Expose-Headers"]


def test_a_query_goes_where_reads_go(
    admin: Client, found: str, app: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    run = Gateway._run
    monkeypatch.setattr(
        Gateway, "_run", lambda self, call, *rest, **more: calls.append(call) or run(self, call, *rest, **more)
    )  # type: ignore[func-returns-value]
    admin.result("QUERY", found, json={})
    assert [(call.action.name, call.action.reads) for call in calls] == [("search", True)]


def test_the_search_switch_is_that_of_query(admin: Client, publish: Publish) -> None:
    assert admin("QUERY", publish(endpoints={"search": False}), json={}).status_code == 405


def test_the_log_shows_a_query_as_what_it_is(admin: Client, found: str, app: Gatehouse, sql: Sql) -> None:
    admin.result("QUERY", found, json={})
    app.services.recorder.flush()
    assert (f"QUERY {found}",) in sql("SELECT DISTINCT endpoint FROM gatehouse.request_log")


def test_the_document_describes_the_search_once(admin: Client, found: str) -> None:
    document = admin("GET", "/api/openapi.json").json
    assert "query" not in document["paths"][found]
    assert "QUERY" in document["paths"][found]["get"]["description"]
