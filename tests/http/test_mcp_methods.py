"""Methods as tools: the method of an rpc API, called on its model or on one record, shown before it does anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.web.routing import Gatehouse
from tests.http.agents import REVISIONS, Agent, named

Publish = Callable[..., str]
Root = Callable[..., Any]


@pytest.fixture(params=REVISIONS)
def agent(app: Gatehouse, key: str, request: pytest.FixtureRequest) -> Agent:
    """An agent of `demo`'s whose client can't ask its user."""
    return Agent(app, key, request.param)


@pytest.fixture
def tool(publish: Publish) -> Callable[..., str]:
    """Return what the names of the tools of a method begin with, by its name."""

    def run(method: str, **keys: Any) -> str:
        route = publish(fields=(), type="rpc", method=method, mcp="write", id_obfuscation=False, **keys)
        return named(route, method)

    return run


def test_a_method_is_called_on_its_model_or_on_a_record(agent: Agent, tool: Callable[..., str], record: int) -> None:
    name = tool("echo", mcp_approval="none")
    assert agent.told(name, {"arguments": {"value": 5}})["result"]["ids"] == []
    on_record = agent.told(f"{name}_on_record", {"id": str(record), "arguments": {"value": 5}})
    assert on_record["result"] == {"value": 5, "flag": False, "only_by_name": "x", "ids": [record]}


def test_a_method_that_is_read_only_is_shown_as_one(agent: Agent, tool: Callable[..., str]) -> None:
    reading, writing = tool("prefixed", http_methods=["GET"]), tool("prefixed", http_methods=["GET", "POST"])
    tools = agent.tools()
    assert tools[reading]["annotations"]["readOnlyHint"] is True
    assert "approval" not in tools[reading]["inputSchema"]["properties"]
    assert tools[writing]["annotations"]["readOnlyHint"] is False
    assert "approval" in tools[writing]["inputSchema"]["properties"]


@pytest.fixture
def record(root: Root) -> Any:
    """A record that is called `before`."""
    return root(lambda env: env["test.record"].create({"name": "before"}).id)


def test_a_method_is_shown_with_its_arguments_and_its_answer_first(
    agent: Agent, tool: Callable[..., str], root: Root, record: int
) -> None:
    def name_of_record() -> Any:
        return root(lambda env: env["test.record"].browse(record).name)

    name = f"{tool('rename')}_on_record"
    call = {"id": str(record), "arguments": {"name": "after"}}
    shown = agent.told(name, call)
    assert shown["preview"]["arguments"] == {"name": "after"}
    assert name_of_record() == "before"
    other = {"id": str(record), "arguments": {"name": "another"}, "approval": shown["approval"]}
    assert agent.refused(name, other)["name"] == "approval_of_another_call"
    agent.told(name, {**call, "approval": shown["approval"]})
    assert name_of_record() == "after"
    # What has changed since is shown again.
    approval = agent.told(name, call)["approval"]
    root(lambda env: env["test.record"].browse(record).write({"name": "meanwhile"}))
    assert agent.refused(name, {**call, "approval": approval})["name"] == "precondition_failed"
    assert name_of_record() == "meanwhile"


@pytest.mark.parametrize("http_methods", [["GET"], ["POST"]])
def test_a_method_can_have_parameters_that_are_called_as_ours(
    agent: Agent, tool: Callable[..., str], http_methods: list[str]
) -> None:
    name = tool("with_our_names", http_methods=http_methods, mcp_approval="none")
    arguments = {"limit": 500, "ids": [1], "id": 3, "value": "a/b", "approval": "yes", "arguments": {"a": 1}}
    assert agent.told(name, {"arguments": arguments})["result"] == [500, [1], 3, "a/b", "yes", {"a": 1}]


def test_a_body_is_no_envelope_and_holds_no_other_arguments(agent: Agent, tool: Callable[..., str]) -> None:
    envelope = {"jsonrpc": "2.0", "params": {"prefix": "x"}}
    name = tool("prefixed", mcp_approval="none")
    assert agent.refused(name, {"arguments": envelope})["name"] == "invalid_arguments"
    assert "nothing" in agent.refused(name, {"arguments": {"nothing": 1}})["error"]


def test_the_answer_of_a_method_is_shown_to_who_approves(asking: Agent, tool: Callable[..., str]) -> None:
    asked = asking.call(tool("prefixed"), {"arguments": {"prefix": "It would be "}})
    message = asked["inputRequests"]["approval"]["params"]["message"]
    assert 'prefix: "It would be "' in message
    assert 'Answer: "It would be 0"' in message
