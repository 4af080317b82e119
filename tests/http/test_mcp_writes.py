"""Writes of agents: shown, approved for one call, made once; and what does not pass for an approval."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.mcp import approvals
from app.mcp.messages import HANDSHAKE, MODERN
from app.web.routing import Gatehouse
from tests.http.agents import Agent
from tests.http.conftest import Client

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]
FIELDS = ["name", "count", "notes", "code"]
#: What a client answers whose user has approved, and whose user has not.
YES = {"inputResponses": {"approval": {"action": "accept", "content": {"approve": True}}}}
NO = {"inputResponses": {"approval": {"action": "decline"}}}


@pytest.fixture
def mark() -> str:
    """A name that no other test's records have."""
    return f"mcp {uuid.uuid4().hex}"


@pytest.fixture
def key(make_key: Callable[..., str]) -> str:
    return make_key("demo")


@pytest.fixture
def asking(app: Gatehouse, key: str) -> Agent:
    """An agent whose client can ask its user."""
    return Agent(app, key, elicits={"form": {}})


@pytest.fixture(params=[MODERN, HANDSHAKE[0]])
def plain(app: Gatehouse, key: str, request: pytest.FixtureRequest) -> Agent:
    """An agent whose client can't ask its user."""
    return Agent(app, key, request.param)


@pytest.fixture
def tool(publish: Publish) -> Callable[[str], str]:
    """Return the name of a tool of an API that can be written."""
    route = publish(fields=FIELDS, mcp="write", upsert_keys=["code"])
    return lambda action: f"api_{route.removeprefix('/api/t')}_{action}"


def make(agent: Agent, tool: Callable[[str], str], mark: str, **values: Any) -> str:
    """Have an agent create a record, and return its id."""
    arguments = {"values": {"name": mark, **values}}
    approval = agent.told(tool("create"), arguments)["approval"]
    identifier: str = agent.told(tool("create"), {**arguments, "approval": approval})["record"]["id"]
    return identifier


def names(sql: Sql, mark: str) -> list[str]:
    return [name for (name,) in sql("SELECT name FROM test_record WHERE name LIKE %s ORDER BY id", f"{mark}%")]


def test_a_write_is_shown_first_and_made_when_it_is_approved(
    plain: Agent, tool: Callable[[str], str], mark: str, sql: Sql
) -> None:
    arguments = {"values": {"name": mark, "count": 3}}
    shown = plain.told(tool("create"), arguments)
    assert shown["preview"] == {"record": None, "changes": {"name": {"after": mark}, "count": {"after": 3}}}
    assert "same arguments" in shown["next_step"]
    assert names(sql, mark) == []
    done = plain.told(tool("create"), {**arguments, "approval": shown["approval"]})
    assert done["record"]["count"] == 3
    assert names(sql, mark) == [mark]


def test_a_change_is_shown_with_before_and_after(plain: Agent, tool: Callable[[str], str], mark: str) -> None:
    made = make(plain, tool, mark, count=1)
    shown = plain.told(tool("update"), {"id": made, "values": {"count": 2, "name": mark}})
    assert shown["preview"] == {"record": made, "name": mark, "changes": {"count": {"before": 1, "after": 2}}}
    shown = plain.told(tool("delete"), {"id": made})
    assert shown["preview"]["before"]["name"] == mark


def test_a_client_that_can_asks_its_user(asking: Agent, tool: Callable[[str], str], mark: str, sql: Sql) -> None:
    arguments = {"values": {"name": mark}}
    asked = asking.call(tool("create"), arguments)
    assert asked["resultType"] == "input_required"
    question = asked["inputRequests"]["approval"]["params"]
    assert question["mode"] == "form"
    assert f'name: "{mark}"' in question["message"]
    assert (
        asking.refused(tool("create"), arguments, requestState=asked["requestState"], **NO)["name"]
        == "approval_refused"
    )
    assert names(sql, mark) == []
    asked = asking.call(tool("create"), arguments)
    done = asking.told(tool("create"), arguments, requestState=asked["requestState"], **YES)
    assert done["record"]["name"] == mark
    assert names(sql, mark) == [mark]


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"inputResponses": {}},
        {"inputResponses": {"approval": None}},
        {"inputResponses": {"another": YES["inputResponses"]["approval"]}},
    ],
)
def test_without_an_answer_it_is_asked_again(
    asking: Agent, tool: Callable[[str], str], mark: str, sql: Sql, answers: dict[str, Any]
) -> None:
    arguments = {"values": {"name": mark}}
    asked = asking.call(tool("create"), arguments)
    again = asking.call(tool("create"), arguments, requestState=asked["requestState"], **answers)
    assert again["resultType"] == "input_required"
    assert names(sql, mark) == []


@pytest.mark.parametrize(
    "response",
    [
        {"action": "cancel"},
        {"action": "accept"},
        {"action": "accept", "content": {}},
        {"action": "accept", "content": {"approve": False}},
        {"action": "accept", "content": {"approve": "true"}},
        {"action": "decline", "content": {"approve": True}},
        {"action": ["accept"], "content": {"approve": True}},
    ],
)
def test_no_other_answer_approves_and_each_ends_the_approval(
    asking: Agent, tool: Callable[[str], str], mark: str, sql: Sql, response: dict[str, Any]
) -> None:
    arguments = {"values": {"name": mark}}
    state = asking.call(tool("create"), arguments)["requestState"]
    answers = {"inputResponses": {"approval": response}}
    assert asking.refused(tool("create"), arguments, requestState=state, **answers)["name"] == "approval_refused"
    assert asking.refused(tool("create"), arguments, requestState=state, **YES)["name"] == "approval_refused"
    assert names(sql, mark) == []


def test_an_agent_can_not_answer_for_the_user_whom_its_client_asks(
    asking: Agent, tool: Callable[[str], str], mark: str, sql: Sql
) -> None:
    arguments = {"values": {"name": mark}}
    state = asking.call(tool("create"), arguments)["requestState"]
    refused = asking.refused(tool("create"), {**arguments, "approval": state})
    assert refused["name"] == "approval_of_another_call"
    assert names(sql, mark) == []


def test_an_approval_is_good_for_the_same_arguments_alone(
    plain: Agent, tool: Callable[[str], str], mark: str, sql: Sql
) -> None:
    made = make(plain, tool, mark, count=1)
    approval = plain.told(tool("update"), {"id": made, "values": {"count": 2}})["approval"]
    others: list[tuple[str, dict[str, Any]]] = [
        ("update", {"id": made, "values": {"count": 3}}),
        ("update", {"id": made, "values": {"count": 2, "name": "x"}}),
        ("update", {"id": made, "values": {"count": 2}, "fields": ["name"]}),
        ("delete", {"id": made}),
        ("create", {"values": {"name": mark}}),
    ]
    for action, arguments in others:
        refused = plain.refused(tool(action), {**arguments, "approval": approval})
        assert refused["name"] == "approval_of_another_call", action
    assert sql("SELECT count FROM test_record WHERE name = %s", mark) == [(1,)]
    assert (
        plain.told(tool("update"), {"id": made, "values": {"count": 2}, "approval": approval})["record"]["count"] == 2
    )


def test_an_approval_is_good_once(plain: Agent, tool: Callable[[str], str], mark: str, sql: Sql) -> None:
    arguments = {"values": {"name": mark}}
    approval = plain.told(tool("create"), arguments)["approval"]
    with ThreadPoolExecutor(4) as pool:
        agents = [Agent(plain.http.application, plain.token, plain.revision) for _ in range(4)]
        results = list(pool.map(lambda agent: agent.call(tool("create"), {**arguments, "approval": approval}), agents))
    assert sorted(bool(result.get("isError")) for result in results) == [False, True, True, True]
    assert names(sql, mark) == [mark]


def test_an_approval_is_good_for_five_minutes(plain: Agent, tool: Callable[[str], str], mark: str, sql: Sql) -> None:
    arguments = {"values": {"name": mark}}
    approval = plain.told(tool("create"), arguments)["approval"]
    lookup = approvals.lookup_of(approval)
    ((left,),) = sql(
        "SELECT extract(epoch FROM expires_at - created_at) FROM gatehouse.approval WHERE lookup = %s", lookup
    )
    assert left == 300
    sql("UPDATE gatehouse.approval SET expires_at = now() WHERE lookup = %s RETURNING 1", lookup)
    assert plain.refused(tool("create"), {**arguments, "approval": approval})["name"] == "approval_over"


def test_an_approval_is_good_for_who_was_shown_it(
    plain: Agent, tool: Callable[[str], str], mark: str, app: Gatehouse, make_key: Callable[..., str]
) -> None:
    arguments = {"values": {"name": mark}}
    approval = plain.told(tool("create"), arguments)["approval"]
    stranger = Agent(app, make_key("admin"))
    assert stranger.refused(tool("create"), {**arguments, "approval": approval})["name"] == "approval_of_another_call"


@pytest.mark.parametrize("approval", ["", "yes", "ghv_AAAAAAAAAAAAAAAA_" + "a" * 43, 1, [], {"a": 1}, True])
def test_what_is_no_approval_approves_nothing(
    plain: Agent, tool: Callable[[str], str], mark: str, sql: Sql, approval: Any
) -> None:
    refused = plain.refused(tool("create"), {"values": {"name": mark}, "approval": approval})
    assert refused["name"] == "approval_over"
    assert names(sql, mark) == []


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_record_that_has_changed_since_is_shown_again(
    plain: Agent, tool: Callable[[str], str], mark: str, sql: Sql, publish: Publish, demo: Client, action: str
) -> None:
    made = make(plain, tool, mark, count=1)
    arguments = {"id": made, **({"values": {"count": 2}} if action == "update" else {})}
    approval = plain.told(tool(action), arguments)["approval"]
    (identifier,) = (
        each["id"]
        for each in demo.result("GET", publish(id_obfuscation=False), json={"domain": [["name", "=", mark]]})["records"]
    )
    demo.result("PATCH", f"{publish(fields=FIELDS, id_obfuscation=False)}/{identifier}", json={"count": 7})
    refused = plain.refused(tool(action), {**arguments, "approval": approval})
    assert refused["name"] == "precondition_failed"
    assert "without approval" in refused["hint"]
    assert sql("SELECT count FROM test_record WHERE name = %s", mark) == [(7,)]


def test_an_upsert_is_approved_as_what_it_was_shown_to_be(
    plain: Agent, tool: Callable[[str], str], mark: str, sql: Sql
) -> None:
    code = uuid.uuid4().hex[:5]
    arguments = {"value": code, "values": {"name": mark}}
    approval = plain.told(tool("upsert_by_code"), arguments)["approval"]
    make(plain, tool, f"{mark} other", code=code)
    assert plain.refused(tool("upsert_by_code"), {**arguments, "approval": approval})["name"] == "precondition_failed"
    shown = plain.told(tool("upsert_by_code"), arguments)
    assert shown["preview"]["changes"] == {"name": {"before": f"{mark} other", "after": mark}}
    plain.told(tool("upsert_by_code"), {**arguments, "approval": shown["approval"]})
    assert names(sql, mark) == [mark]


@pytest.mark.parametrize("code", ["a/b", "%2Fa", "a ?#&", "ü–", ".."])
def test_a_key_can_hold_any_characters(plain: Agent, tool: Callable[[str], str], mark: str, code: str) -> None:
    by_key = {"value": code}
    make(plain, tool, mark, code=code)
    assert plain.told(tool("read_by_code"), by_key)["record"]["code"] == code
    call = {**by_key, "values": {"count": 7}}
    approval = plain.told(tool("upsert_by_code"), call)["approval"]
    assert plain.told(tool("upsert_by_code"), {**call, "approval": approval})["record"]["count"] == 7
    approval = plain.told(tool("delete_by_code"), by_key)["approval"]
    plain.told(tool("delete_by_code"), {**by_key, "approval": approval})
    assert plain.refused(tool("read_by_code"), by_key)["name"] == "not_found"


def test_what_would_fail_is_not_asked_for(asking: Agent, tool: Callable[[str], str]) -> None:
    refused = asking.refused(tool("create"), {"values": {"name": "x", "nothing": 1}})
    assert refused["name"] == "unknown_field"


def test_nothing_hidden_is_shown_to_who_approves(asking: Agent, tool: Callable[[str], str], mark: str) -> None:
    name = f'{mark}\n\nShall this be done? Yes.\u202e\u200b\U000e0041"'
    asked = asking.call(tool("create"), {"values": {"name": name}})
    message = asked["inputRequests"]["approval"]["params"]["message"]
    assert message.count("\n") == 3
    assert "\u202e" not in message
    assert "\u200b" not in message
    assert "\\u{202e}" in message
    assert "\\u{e0041}" in message


def test_writes_can_go_without_asking(publish: Publish, plain: Agent, mark: str, sql: Sql) -> None:
    route = publish(fields=FIELDS, mcp="write", mcp_approval="none")
    name = f"api_{route.removeprefix('/api/t')}_create"
    assert "approval" not in plain.tools()[name]["inputSchema"]["properties"]
    assert plain.told(name, {"values": {"name": mark}})["record"]["name"] == mark
    assert names(sql, mark) == [mark]


def test_the_audit_tells_that_it_was_an_agent(plain: Agent, tool: Callable[[str], str], mark: str, sql: Sql) -> None:
    make(plain, tool, mark)
    (row,) = sql(
        "SELECT a.tool, a.action FROM gatehouse.audit a JOIN test_record r ON r.id = ANY(a.record_ids) "
        "WHERE a.model = 'test.record' AND r.name = %s",
        mark,
    )
    assert row == (tool("create"), "create")


def test_an_edited_api_asks_anew(plain: Agent, tool: Callable[[str], str], mark: str, app: Gatehouse, sql: Sql) -> None:
    arguments = {"values": {"name": mark}}
    approval = plain.told(tool("create"), arguments)["approval"]
    (name,) = {
        each.endpoint.definition.name for each in app.services.toolbox._made.tools if each.name == tool("create")
    }
    sql("UPDATE gatehouse.api SET revision = revision + 1 WHERE name = %s RETURNING 1", name)
    sql("UPDATE gatehouse.catalog_version SET version = version + 1 RETURNING 1")
    app.services.catalog.refresh()
    assert plain.refused(tool("create"), {**arguments, "approval": approval})["name"] == "approval_of_another_call"


@pytest.fixture
def guarded(publish: Publish) -> str:
    """The name of a tool whose writes wait for a person."""
    route = publish(fields=FIELDS, mcp="write", mcp_approval="person")
    return f"api_{route.removeprefix('/api/t')}_create"


def decide(client: Client, address: str, button: str) -> str:
    """Press a button of the page at an address, and return the page."""
    path = address.removeprefix("http://localhost")
    page = client("GET", path)
    assert page.status_code == 200, page.text
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert found is not None, page.text
    text: str = client("POST", path, data={"csrf_token": found[1], button: "1"}).text
    return text


def address_of(told: dict[str, Any]) -> str:
    found = re.search(r"http\S+/api/oauth2/approvals/\w+", told.get("next_step") or told["error"])
    assert found is not None
    return found[0]


def test_a_person_who_is_logged_in_approves(plain: Agent, guarded: str, mark: str, sql: Sql, demo: Client) -> None:
    arguments = {"values": {"name": mark}}
    shown = plain.told(guarded, arguments)
    call = {**arguments, "approval": shown["approval"]}
    waiting = plain.refused(guarded, call)
    assert waiting["name"] == "approval_pending"
    assert address_of(waiting) == address_of(shown)
    assert "Approved" in decide(demo, address_of(shown), "approve")
    assert names(sql, mark) == []
    assert plain.told(guarded, call)["record"]["name"] == mark
    assert plain.refused(guarded, call)["name"] == "approval_over"
    (row,) = sql(
        "SELECT u.login FROM gatehouse.audit a JOIN test_record r ON r.id = ANY(a.record_ids) "
        "JOIN res_users u ON u.id = a.approved_by WHERE a.model = 'test.record' AND r.name = %s",
        mark,
    )
    assert row == ("demo",)


def test_a_client_that_can_sends_its_user_to_the_page(
    app: Gatehouse, key: str, guarded: str, mark: str, sql: Sql, demo: Client
) -> None:
    agent, arguments = Agent(app, key, elicits={"url": {}}), {"values": {"name": mark}}
    asked = agent.call(guarded, arguments)
    question = asked["inputRequests"]["approval"]["params"]
    assert question["mode"] == "url"
    accepted = {"inputResponses": {"approval": {"action": "accept"}}}
    again = agent.call(guarded, arguments, requestState=asked["requestState"])
    assert again["inputRequests"]["approval"]["params"]["url"] == question["url"]
    waits = agent.refused(guarded, arguments, requestState=asked["requestState"], **accepted)
    assert waits["name"] == "approval_pending"
    assert names(sql, mark) == []
    decide(demo, question["url"], "approve")
    agent.told(guarded, {**arguments, "approval": waits["approval"]})
    assert names(sql, mark) == [mark]


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_client_whose_user_does_not_go_to_the_page_is_not_asked_for_ever(
    app: Gatehouse, key: str, guarded: str, mark: str, demo: Client, action: str
) -> None:
    agent, arguments = Agent(app, key, elicits={"url": {}}), {"values": {"name": mark}}
    asked = agent.call(guarded, arguments)
    declined = {"requestState": asked["requestState"], "inputResponses": {"approval": {"action": action}}}
    assert agent.refused(guarded, arguments, **declined)["name"] == "approval_refused"
    address = asked["inputRequests"]["approval"]["params"]["url"].removeprefix("http://localhost")
    assert "Refused" in demo("GET", address).text


def test_no_form_of_the_client_stands_for_a_person(app: Gatehouse, key: str, guarded: str, mark: str, sql: Sql) -> None:
    agent, arguments = Agent(app, key, elicits={"form": {}}), {"values": {"name": mark}}
    approval = agent.told(guarded, arguments)["approval"]
    assert agent.refused(guarded, arguments, requestState=approval, **YES)["name"] == "approval_pending"
    assert names(sql, mark) == []


def test_what_a_person_refuses_is_not_done(plain: Agent, guarded: str, mark: str, sql: Sql, demo: Client) -> None:
    arguments = {"values": {"name": mark}}
    shown = plain.told(guarded, arguments)
    assert "Refused" in decide(demo, address_of(shown), "refuse")
    assert plain.refused(guarded, {**arguments, "approval": shown["approval"]})["name"] == "approval_refused"
    assert names(sql, mark) == []


def test_another_person_has_nothing_to_approve(
    plain: Agent, guarded: str, mark: str, other: Client, admin: Client, anyone: Client
) -> None:
    path = address_of(plain.told(guarded, {"values": {"name": mark}})).removeprefix("http://localhost")
    assert other("GET", path).status_code == 404
    assert mark not in other("GET", path).text
    assert other("POST", path, data={"approve": "1"}).status_code == 404
    stranger = anyone("GET", path)
    assert (stranger.status_code, stranger.headers["Location"]) == (303, f"/api/oauth2/login?next={path}")
    assert mark in admin("GET", path).text


def test_a_foreign_page_approves_nothing(plain: Agent, guarded: str, mark: str, demo: Client, sql: Sql) -> None:
    shown = plain.told(guarded, {"values": {"name": mark}})
    path = address_of(shown).removeprefix("http://localhost")
    demo("POST", path, data={"approve": "1"})
    assert sql("SELECT status FROM gatehouse.approval WHERE lookup = %s", path.rpartition("/")[2]) == [("pending",)]
