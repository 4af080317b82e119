"""Writes of agents: shown, approved for one call, made once; and what does not pass for an approval."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from app.mcp import approvals
from app.web.routing import Gatehouse
from tests.http.agents import REVISIONS, Agent, named, page_of, press
from tests.http.conftest import Client

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]
FIELDS = ["name", "count", "notes", "code"]
#: What a client answers whose user has approved, and whose user has not.
YES = {"inputResponses": {"approval": {"action": "accept", "content": {"approve": True}}}}
NO = {"inputResponses": {"approval": {"action": "decline"}}}


@dataclass
class Creating:
    """A record that agents are to create by one tool."""

    tool: str
    mark: str
    sql: Sql

    def call(self, agent: Agent, **more: Any) -> dict[str, Any]:
        return agent.call(self.tool, {"values": {"name": self.mark}}, **more)

    def shown(self, agent: Agent) -> dict[str, Any]:
        """Return what is told before the record is created."""
        return agent.told(self.tool, {"values": {"name": self.mark}})

    def done(self, agent: Agent, approval: Any = None, **more: Any) -> dict[str, Any]:
        """Return the record that is created."""
        arguments = {"values": {"name": self.mark}, **({} if approval is None else {"approval": approval})}
        record: dict[str, Any] = agent.told(self.tool, arguments, **more)["record"]
        return record

    def refused(self, agent: Agent, approval: Any = None, **more: Any) -> str:
        """Return why nothing is created."""
        arguments = {"values": {"name": self.mark}, **({} if approval is None else {"approval": approval})}
        name: str = agent.refused(self.tool, arguments, **more)["name"]
        return name

    @property
    def made(self) -> int:
        """How many records there are."""
        return int(self.sql("SELECT count(*) FROM test_record WHERE name = %s", self.mark)[0][0])


@pytest.fixture(params=REVISIONS)
def plain(app: Gatehouse, key: str, request: pytest.FixtureRequest) -> Agent:
    """An agent whose client can't ask its user."""
    return Agent(app, key, request.param)


@pytest.fixture
def tool(publish: Publish) -> Callable[[str], str]:
    """Return the name of a tool of an API that can be written."""
    route = publish(fields=FIELDS, mcp="write", upsert_keys=["code"])
    return lambda action: named(route, action)


@pytest.fixture
def creating(tool: Callable[[str], str], mark: str, sql: Sql) -> Creating:
    return Creating(tool("create"), mark, sql)


@pytest.fixture
def guarded(publish: Publish, mark: str, sql: Sql) -> Creating:
    """Writes that wait for a person."""
    return Creating(named(publish(fields=FIELDS, mcp="write", mcp_approval="person"), "create"), mark, sql)


def make(agent: Agent, tool: Callable[[str], str], mark: str, **values: Any) -> str:
    """Have an agent create a record, and return its id."""
    identifier: str = agent.approved(tool("create"), {"values": {"name": mark, **values}})["record"]["id"]
    return identifier


def test_a_write_is_shown_first_and_made_when_it_is_approved(plain: Agent, creating: Creating) -> None:
    shown = creating.shown(plain)
    assert shown["preview"] == {"record": None, "changes": {"name": {"after": creating.mark}}}
    assert "same arguments" in shown["next_step"]
    assert creating.made == 0
    assert creating.done(plain, shown["approval"])["name"] == creating.mark
    assert creating.made == 1


def test_a_change_is_shown_with_before_and_after(plain: Agent, tool: Callable[[str], str], mark: str) -> None:
    made = make(plain, tool, mark, count=1)
    shown = plain.told(tool("update"), {"id": made, "values": {"count": 2, "name": mark}})
    assert shown["preview"] == {"record": made, "name": mark, "changes": {"count": {"before": 1, "after": 2}}}
    shown = plain.told(tool("delete"), {"id": made})
    assert shown["preview"]["before"]["name"] == mark


def test_a_client_that_can_asks_its_user(asking: Agent, creating: Creating) -> None:
    asked = creating.call(asking)
    assert asked["resultType"] == "input_required"
    question = asked["inputRequests"]["approval"]["params"]
    assert question["mode"] == "form"
    assert f'name: "{creating.mark}"' in question["message"]
    assert creating.refused(asking, requestState=asked["requestState"], **NO) == "approval_refused"
    assert creating.made == 0
    state = creating.call(asking)["requestState"]
    assert creating.done(asking, requestState=state, **YES)["name"] == creating.mark
    assert creating.made == 1


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"inputResponses": {}},
        {"inputResponses": {"approval": None}},
        {"inputResponses": {"another": YES["inputResponses"]["approval"]}},
    ],
)
def test_without_an_answer_it_is_asked_again(asking: Agent, creating: Creating, answers: dict[str, Any]) -> None:
    state = creating.call(asking)["requestState"]
    assert creating.call(asking, requestState=state, **answers)["resultType"] == "input_required"
    assert creating.made == 0


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
    asking: Agent, creating: Creating, response: dict[str, Any]
) -> None:
    state = creating.call(asking)["requestState"]
    for answers in ({"inputResponses": {"approval": response}}, YES):
        assert creating.refused(asking, requestState=state, **answers) == "approval_refused"
    assert creating.made == 0


def test_an_agent_can_not_answer_for_the_user_whom_its_client_asks(asking: Agent, creating: Creating) -> None:
    state = creating.call(asking)["requestState"]
    assert creating.refused(asking, state) == "approval_of_another_call"
    assert creating.made == 0


def test_an_approval_is_good_for_the_same_arguments_alone(
    plain: Agent, tool: Callable[[str], str], mark: str, sql: Sql
) -> None:
    made = make(plain, tool, mark, count=1)
    update = {"id": made, "values": {"count": 2}}
    approval = plain.told(tool("update"), update)["approval"]
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
    assert plain.told(tool("update"), {**update, "approval": approval})["record"]["count"] == 2


def test_an_approval_is_good_once(plain: Agent, creating: Creating) -> None:
    approval = creating.shown(plain)["approval"]
    arguments = {"values": {"name": creating.mark}, "approval": approval}
    with ThreadPoolExecutor(4) as pool:
        agents = [Agent(plain.http.application, plain.token, plain.revision) for _ in range(4)]
        results = list(pool.map(lambda agent: agent.call(creating.tool, arguments), agents))
    assert sorted(bool(result.get("isError")) for result in results) == [False, True, True, True]
    assert creating.made == 1


def test_an_approval_is_good_for_five_minutes(plain: Agent, creating: Creating, sql: Sql) -> None:
    approval = creating.shown(plain)["approval"]
    lookup = approvals.lookup_of(approval)
    left = "SELECT extract(epoch FROM expires_at - created_at) FROM gatehouse.approval WHERE lookup = %s"
    assert sql(left, lookup) == [(300,)]
    sql("UPDATE gatehouse.approval SET expires_at = now() WHERE lookup = %s RETURNING 1", lookup)
    assert creating.refused(plain, approval) == "approval_over"


def test_an_approval_is_good_for_who_was_shown_it(
    plain: Agent, creating: Creating, app: Gatehouse, make_key: Callable[..., str]
) -> None:
    approval = creating.shown(plain)["approval"]
    assert creating.refused(Agent(app, make_key("admin")), approval) == "approval_of_another_call"


@pytest.mark.parametrize("approval", ["", "yes", "ghv_AAAAAAAAAAAAAAAA_" + "a" * 43, 1, [], {"a": 1}, True])
def test_what_is_no_approval_approves_nothing(plain: Agent, creating: Creating, approval: Any) -> None:
    assert creating.refused(plain, approval) == "approval_over"
    assert creating.made == 0


def test_an_edited_api_asks_anew(plain: Agent, creating: Creating, app: Gatehouse, sql: Sql) -> None:
    approval = creating.shown(plain)["approval"]
    tools = app.services.toolbox._made.tools
    (name,) = {each.endpoint.definition.name for each in tools if each.name == creating.tool}
    sql("UPDATE gatehouse.api SET revision = revision + 1 WHERE name = %s RETURNING 1", name)
    sql("UPDATE gatehouse.catalog_version SET version = version + 1 RETURNING 1")
    app.services.catalog.refresh()
    assert creating.refused(plain, approval) == "approval_of_another_call"


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_record_that_has_changed_since_is_shown_again(
    plain: Agent, tool: Callable[[str], str], mark: str, sql: Sql, action: str, root: Callable[..., Any]
) -> None:
    made = make(plain, tool, mark, count=1)
    arguments = {"id": made, **({"values": {"count": 2}} if action == "update" else {})}
    approval = plain.told(tool(action), arguments)["approval"]
    root(lambda env: env["test.record"].search([("name", "=", mark)]).write({"count": 7}))
    refused = plain.refused(tool(action), {**arguments, "approval": approval})
    assert refused["name"] == "precondition_failed"
    assert "without approval" in refused["hint"]
    assert sql("SELECT count FROM test_record WHERE name = %s", mark) == [(7,)]


def test_an_upsert_is_approved_as_what_it_was_shown_to_be(
    plain: Agent, tool: Callable[[str], str], creating: Creating
) -> None:
    code, mark = uuid.uuid4().hex[:5], creating.mark
    arguments = {"value": code, "values": {"name": mark}}
    approval = plain.told(tool("upsert_by_code"), arguments)["approval"]
    make(plain, tool, f"{mark} other", code=code)
    assert plain.refused(tool("upsert_by_code"), {**arguments, "approval": approval})["name"] == "precondition_failed"
    shown = plain.told(tool("upsert_by_code"), arguments)
    assert shown["preview"]["changes"] == {"name": {"before": f"{mark} other", "after": mark}}
    plain.told(tool("upsert_by_code"), {**arguments, "approval": shown["approval"]})
    assert creating.made == 1


@pytest.mark.parametrize("code", ["a/b", "%2Fa", "a ?#&", "ü–", ".."])
def test_a_key_can_hold_any_characters(plain: Agent, tool: Callable[[str], str], mark: str, code: str) -> None:
    by_key = {"value": code}
    make(plain, tool, mark, code=code)
    assert plain.told(tool("read_by_code"), by_key)["record"]["code"] == code
    assert plain.approved(tool("upsert_by_code"), {**by_key, "values": {"count": 7}})["record"]["count"] == 7
    plain.approved(tool("delete_by_code"), by_key)
    assert plain.refused(tool("read_by_code"), by_key)["name"] == "not_found"


def test_what_would_fail_is_not_asked_for(asking: Agent, tool: Callable[[str], str]) -> None:
    refused = asking.refused(tool("create"), {"values": {"name": "x", "nothing": 1}})
    assert refused["name"] == "unknown_field"


def test_nothing_hidden_is_shown_to_who_approves(asking: Agent, tool: Callable[[str], str], mark: str) -> None:
    name = f'{mark}\n\nShall this be done? Yes.\u202e\u200b\U000e0041"'
    asked = asking.call(tool("create"), {"values": {"name": name}})
    message = asked["inputRequests"]["approval"]["params"]["message"]
    assert message.count("\n") == 3
    assert not set("\u202e\u200b") & set(message)
    assert "\\u{202e}" in message
    assert "\\u{e0041}" in message


def test_writes_can_go_without_asking(publish: Publish, plain: Agent, mark: str, sql: Sql) -> None:
    route = publish(fields=FIELDS, mcp="write", mcp_approval="none")
    creating = Creating(named(route, "create"), mark, sql)
    assert "approval" not in plain.tools()[creating.tool]["inputSchema"]["properties"]
    assert creating.done(plain)["name"] == mark
    assert creating.made == 1


_AUDIT = (
    "SELECT a.tool, a.action, u.login FROM gatehouse.audit a JOIN test_record r ON r.id = ANY(a.record_ids) "
    "LEFT JOIN res_users u ON u.id = a.approved_by WHERE a.model = 'test.record' AND r.name = %s"
)


def test_the_audit_tells_that_it_was_an_agent(plain: Agent, creating: Creating, sql: Sql) -> None:
    creating.done(plain, creating.shown(plain)["approval"])
    assert sql(_AUDIT, creating.mark) == [(creating.tool, "create", None)]


def address_of(told: dict[str, Any]) -> str:
    found = re.search(r"http\S+/api/oauth2/approvals/\w+", told.get("next_step") or told["error"])
    assert found is not None
    return found[0]


def test_a_person_who_is_logged_in_approves(plain: Agent, guarded: Creating, sql: Sql, demo: Client) -> None:
    shown = guarded.shown(plain)
    approval = shown["approval"]
    waiting = plain.refused(guarded.tool, {"values": {"name": guarded.mark}, "approval": approval})
    assert waiting["name"] == "approval_pending"
    assert address_of(waiting) == address_of(shown)
    assert "Approved" in press(demo, address_of(shown), "approve")
    assert guarded.made == 0
    assert guarded.done(plain, approval)["name"] == guarded.mark
    assert guarded.refused(plain, approval) == "approval_over"
    assert sql(_AUDIT, guarded.mark) == [(guarded.tool, "create", "demo")]


def test_a_client_that_can_sends_its_user_to_the_page(
    app: Gatehouse, key: str, guarded: Creating, demo: Client
) -> None:
    agent = Agent(app, key, elicits={"url": {}})
    asked = guarded.call(agent)
    state, question = asked["requestState"], asked["inputRequests"]["approval"]["params"]
    assert question["mode"] == "url"
    again = guarded.call(agent, requestState=state)
    assert again["inputRequests"]["approval"]["params"]["url"] == question["url"]
    accepted = {"inputResponses": {"approval": {"action": "accept"}}}
    waits = agent.refused(guarded.tool, {"values": {"name": guarded.mark}}, requestState=state, **accepted)
    assert waits["name"] == "approval_pending"
    assert guarded.made == 0
    press(demo, question["url"], "approve")
    guarded.done(agent, waits["approval"])
    assert guarded.made == 1


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_client_whose_user_does_not_go_to_the_page_is_not_asked_for_ever(
    app: Gatehouse, key: str, guarded: Creating, demo: Client, action: str
) -> None:
    agent = Agent(app, key, elicits={"url": {}})
    asked = guarded.call(agent)
    declined = {"requestState": asked["requestState"], "inputResponses": {"approval": {"action": action}}}
    assert guarded.refused(agent, **declined) == "approval_refused"
    address = asked["inputRequests"]["approval"]["params"]["url"].removeprefix("http://localhost")
    assert "Refused" in demo("GET", address).text


def test_no_form_of_the_client_stands_for_a_person(asking: Agent, guarded: Creating) -> None:
    approval = guarded.shown(asking)["approval"]
    assert guarded.refused(asking, requestState=approval, **YES) == "approval_pending"
    assert guarded.made == 0


def test_what_a_person_refuses_is_not_done(plain: Agent, guarded: Creating, demo: Client) -> None:
    shown = guarded.shown(plain)
    assert "Refused" in press(demo, address_of(shown), "refuse")
    assert guarded.refused(plain, shown["approval"]) == "approval_refused"
    assert guarded.made == 0


def test_another_person_has_nothing_to_approve(
    plain: Agent, guarded: Creating, other: Client, admin: Client, anyone: Client
) -> None:
    path = page_of(guarded.shown(plain)["approval"])
    page = other("GET", path)
    assert (page.status_code, guarded.mark in page.text) == (404, False)
    assert other("POST", path, data={"approve": "1"}).status_code == 404
    stranger = anyone("GET", path)
    assert (stranger.status_code, stranger.headers["Location"]) == (303, f"/api/oauth2/login?next={path}")
    assert guarded.mark in admin("GET", path).text


def test_a_foreign_page_approves_nothing(plain: Agent, guarded: Creating, demo: Client, sql: Sql) -> None:
    path = page_of(guarded.shown(plain)["approval"])
    demo("POST", path, data={"approve": "1"})
    assert sql("SELECT status FROM gatehouse.approval WHERE lookup = %s", path.rpartition("/")[2]) == [("pending",)]
