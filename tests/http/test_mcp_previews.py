"""What a person is shown before an agent's write: all of it, also where no read tells the difference."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from app.mcp.approvals import MOST_OPEN
from app.web.routing import Gatehouse
from tests.http.agents import Agent, named, page_of, press
from tests.http.conftest import Client

Publish = Callable[..., str]
Root = Callable[..., Any]
Sql = Callable[..., list[tuple[Any, ...]]]
FIELDS = ["name", "count", "notes", "owner_id", "blob", "per_company"]


@pytest.fixture
def route(publish: Publish) -> str:
    return publish(fields=FIELDS, mcp="write")


@pytest.fixture
def guarded(publish: Publish) -> str:
    """The name of a tool whose writes wait for a person."""
    return named(publish(fields=FIELDS, mcp="write", mcp_approval="person"), "create")


@pytest.fixture
def record(route: str, demo: Client) -> str:
    """The id of a record."""
    identifier: str = demo.result("POST", route, json={"name": "Deco Addict", "count": 1})["id"]
    return identifier


def question(agent: Agent, name: str, arguments: dict[str, Any]) -> str:
    """Return what the client's user is asked."""
    text: str = agent.call(name, arguments)["inputRequests"]["approval"]["params"]["message"]
    return text


def test_it_says_what_the_record_is_called(asking: Agent, route: str, record: str) -> None:
    for action, values in (("update", {"values": {"count": 2}}), ("delete", {})):
        title = question(asking, named(route, action), {"id": record, **values}).splitlines()[0]
        assert f'{record} "Deco Addict"' in title


def test_a_file_is_shown_as_what_is_written(asking: Agent, route: str, record: str) -> None:
    content = base64.b64encode(b"x" * 3000).decode()
    for action, which in (("update", {"id": record}), ("create", {})):
        values = {"name": "Deco Addict", "blob": content}
        shown = question(asking, named(route, action), {**which, "values": values})
        assert f'blob: is written as "{content}"' in shown


def test_a_record_that_is_handed_over_is_shown_with_all_that_is_written(
    asking: Agent, publish: Publish, demo: Client, root: Root
) -> None:
    route = publish(fields=FIELDS, mcp="write", id_obfuscation=False)
    record = str(demo.result("POST", route, json={"name": "mine", "count": 1})["id"])
    owner = root(lambda env: env["res.users"].search([("login", "=", "other")]).id)
    shown = question(asking, named(route, "update"), {"id": record, "values": {"owner_id": owner, "count": 999}})
    assert f"owner_id: is written as {owner}" in shown
    assert "count: is written as 999" in shown


def test_values_without_a_difference_are_shown_too_where_they_look_otherwise(
    asking: Agent, route: str, record: str
) -> None:
    values = {"notes": "<p>x</p>", "name": "Deco Addict"}
    shown = question(asking, named(route, "update"), {"id": record, "values": values})
    assert "name:" not in shown
    assert "notes: " in shown


def test_what_comes_in_an_envelope_is_no_bulk_create(modern: Agent, route: str) -> None:
    many = [{"name": f"{number}"} for number in range(20)]
    for values in ({"jsonrpc": "2.0", "params": many}, {"jsonrpc": "2.0", "params": many[0]}, many):
        assert modern.refused(named(route, "create"), {"values": values})["name"] in ("unknown_field", "invalid_body")


def test_an_approval_is_good_in_the_company_and_language_that_were_shown(
    modern: Agent, route: str, record: str, sql: Sql
) -> None:
    call = {"name": named(route, "update"), "arguments": {"id": record, "values": {"count": 5}}}
    approval = modern("tools/call", call)["structuredContent"]["approval"]
    approved = {**call, "arguments": {**call["arguments"], "approval": approval}}
    for header, value in (("X-Company-Id", "1"), ("Accept-Language", "fr"), ("X-Timezone", "Asia/Tokyo")):
        answer = modern.post("tools/call", approved, {header: value}).json["result"]
        assert answer["structuredContent"]["name"] == "approval_of_another_call", header
    assert modern.told(call["name"], approved["arguments"])["record"]["count"] == 5


def test_the_company_that_is_asked_for_is_named(asking: Agent, route: str, record: str) -> None:
    call = {"name": named(route, "update"), "arguments": {"id": record, "values": {"count": 5}}}
    answer = asking.post("tools/call", call, {"X-Company-Id": "no company"})
    assert answer.json["result"]["structuredContent"]["name"] == "invalid_company"


def test_a_new_record_is_shown_with_what_is_filled_in_for_it(asking: Agent, publish: Publish) -> None:
    route = publish(fields=["name", "active"], mcp="write", writable_fields=["name"])
    assert "active: true" in question(asking, named(route, "create"), {"values": {"name": "x"}})


def test_a_person_approves_nothing_that_they_can_not_see_whole(modern: Agent, guarded: str) -> None:
    file = base64.b64encode(b"x" * 9_000).decode()
    assert "approval" in modern.told(guarded, {"values": {"name": "x", "blob": file}})
    refused = modern.refused(guarded, {"values": {"name": "x", "notes": "y" * 9_000}})
    assert refused["name"] == "too_long_to_approve"


def test_not_more_than_a_person_can_look_at_wait_at_once(modern: Agent, route: str, sql: Sql) -> None:
    call = {"values": {"name": "x"}}
    approval = modern.told(named(route, "create"), call)["approval"]
    sql(
        "INSERT INTO gatehouse.approval SELECT a.lookup || n, a.hash, a.caller, a.tool, a.api_id, a.revision, "
        "a.arguments, a.condition, a.way, a.status, a.uid, a.text, a.created_at, a.expires_at, a.decided_by "
        "FROM gatehouse.approval a, generate_series(2, %s) n WHERE a.lookup = %s RETURNING 1",
        MOST_OPEN,
        approval.split("_")[1],
    )
    assert modern.refused(named(route, "create"), call)["name"] == "too_many_approvals"
    assert modern.told(named(route, "create"), {**call, "approval": approval})["record"]["name"] == "x"


def test_what_was_approved_can_be_refused_until_it_is_used(modern: Agent, guarded: str, demo: Client) -> None:
    call = {"values": {"name": "x"}}
    approval = modern.told(guarded, call)["approval"]
    for button in ("approve", "refuse"):
        page = press(demo, page_of(approval), button)
    assert "Refused" in page
    assert modern.refused(guarded, {**call, "approval": approval})["name"] == "approval_refused"


def test_what_names_a_record_leaves_room_for_what_changes(asking: Agent, publish: Publish) -> None:
    route = publish(fields=["name", "count"], mcp="write", upsert_keys=["name"])
    shown = question(asking, named(route, "upsert_by_name"), {"value": "x" * 19_000, "values": {"count": 7}})
    assert "count: 7" in shown
    assert "more characters" in shown.splitlines()[0]


def test_fields_that_are_not_there_are_refused_before_anybody_is_asked(asking: Agent, route: str) -> None:
    refused = asking.refused(named(route, "create"), {"values": {"name": "x"}, "fields": ["nope"]})
    assert "nope" in refused["error"]


def test_an_approval_stays_good_where_the_write_was_refused(
    modern: Agent, publish: Publish, sql: Sql, mark: str
) -> None:
    route = publish(fields=["name"], mcp="write", upsert_keys=["name"])
    call = {"value": mark, "values": {}}
    approval = modern.told(named(route, "upsert_by_name"), call)["approval"]
    sql("INSERT INTO test_record (name, active) VALUES (%s, true) RETURNING id", mark)
    for _ in range(2):
        refused = modern.refused(named(route, "upsert_by_name"), {**call, "approval": approval})
        assert refused["name"] == "precondition_failed"
        assert "without approval" in refused["hint"]


def test_what_was_used_is_told_apart_from_what_is_unknown(modern: Agent, route: str) -> None:
    call = {"values": {"name": "x"}}
    approval = modern.told(named(route, "create"), call)["approval"]
    modern.told(named(route, "create"), {**call, "approval": approval})
    assert "was used" in modern.refused(named(route, "create"), {**call, "approval": approval})["error"]
    assert "unknown" in modern.refused(named(route, "create"), {**call, "approval": "ghv_"})["error"]


def test_no_text_of_a_preview_is_kept_but_for_a_person_who_has_not_decided(
    modern: Agent, guarded: str, demo: Client, sql: Sql, route: str
) -> None:
    def kept() -> int:
        return int(sql("SELECT count(*) FROM gatehouse.approval WHERE text LIKE %s", f"%{mark}%")[0][0])

    mark = uuid.uuid4().hex
    modern.told(named(route, "create"), {"values": {"name": mark}})
    assert kept() == 0
    approval = modern.told(guarded, {"values": {"name": mark}})["approval"]
    assert kept() == 1
    press(demo, page_of(approval), "approve")
    assert kept() == 0


@pytest.mark.parametrize("lookup", ["%0A", "%0d%0aX:y", "%00", "x" * 500, "%2e%2e", "AAAAAAAAAAAAAAA%0A"])
def test_what_is_no_approval_has_no_page(demo: Client, anyone: Client, lookup: str) -> None:
    for client in (demo, anyone):
        assert client("GET", f"/api/oauth2/approvals/{lookup}").status_code == 404


def test_a_key_opens_no_page_for_persons(
    app: Gatehouse, publish: Publish, key: str, modern: Agent, guarded: str
) -> None:
    route = publish(models=[], type="key_authentication")
    body = {"db": app.services.transactions.database, "login": "demo", "password": key}
    opened = app.test_client()
    assert opened.post(route, json=body).status_code == 200
    approval = modern.told(guarded, {"values": {"name": "x"}})["approval"]
    for path in (
        page_of(approval),
        "/api/oauth2/consents",
        "/api/oauth2/authorize?a=1",
    ):
        answer = opened.get(path)
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/api/oauth2/login"), path
