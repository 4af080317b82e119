"""AI agents in the panel: which APIs are tools, what waits for a person, and their calls among all others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import html

from app.web.routing import Gatehouse
from tests.http.agents import Agent
from tests.http.conftest import Client
from tests.http.panel import Panel, texts

Publish = Callable[..., str]
PAGE = "/admin/agents/"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def panel(admin: Client) -> Panel:
    return Panel(admin)


@pytest.fixture
def agent(app: Gatehouse, make_key: Callable[..., str]) -> Agent:
    return Agent(app, make_key("demo"))


def named(route: str) -> str:
    """Return what the names of an API's tools begin with."""
    return f"api_{route.removeprefix('/api/t')}"


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading."""
    tree = html.fromstring(page)
    found = tree.xpath("//section[h2[contains(., $heading)]]//tbody/tr", heading=heading)
    return [[" ".join(cell.text_content().split()) for cell in row] for row in found]


def test_it_tells_which_apis_are_tools_and_what_comes_before_a_write(panel: Panel, publish: Publish) -> None:
    reading = publish(fields=["name"], mcp="read", endpoints={"read": False})
    writing = publish(fields=["name"], mcp="write", mcp_approval="person", endpoints={"update": False})
    publish(fields=["name"])
    publish(fields=["name"], mcp="write", published=False)
    assert rows(panel.get(PAGE).text, "APIs with tools") == [
        [f"API {reading.removeprefix('/api/t')}", f"{named(reading)}_search", "–", "–"],
        [
            f"API {writing.removeprefix('/api/t')}",
            f"{named(writing)}_read {named(writing)}_read_many {named(writing)}_search",
            f"{named(writing)}_create {named(writing)}_delete",
            "approved by a person who is logged in",
        ],
    ]


def test_without_any_it_says_where_they_come_from(panel: Panel) -> None:
    assert "Each API's form has the option Tools for AI agents" in texts(panel.get(PAGE))


def test_the_form_of_an_api_makes_it_tools(panel: Panel, publish: Publish, app: Gatehouse) -> None:
    route = publish(fields=["name"])
    (definition,) = (
        each for each in app.services.catalog.snapshot.definitions.values() if each.document.route == route
    )
    panel.follow(panel.send(f"/admin/apis/{definition.id}/", mcp="write", mcp_approval="person"))
    app.services.catalog.refresh()
    assert [row[3] for row in rows(panel.get(PAGE).text, "APIs with tools")] == [
        "approved by a person who is logged in"
    ]


def test_what_waits_for_a_person_is_shown_until_it_is_decided(panel: Panel, publish: Publish, agent: Agent) -> None:
    tool = f"{named(publish(fields=['name', 'notes'], mcp='write', mcp_approval='person'))}_create"
    arguments = {"values": {"name": HOSTILE}}
    approval = agent.told(tool, arguments)["approval"]
    page = panel.get(PAGE)
    assert HOSTILE not in page.text
    ((_, who, what, _),) = rows(page.text, "Waits for a person")
    assert who == "demo"
    assert f'name: "{HOSTILE}"' in what
    (address,) = html.fromstring(page.text).xpath("//a[contains(@href, '/approvals/')]/@href")
    panel.send(address, refuse=None, approve="1")
    assert rows(panel.get(PAGE).text, "Waits for a person") == []
    assert agent.told(tool, {**arguments, "approval": approval})["record"]["name"] == HOSTILE


def test_calls_of_agents_are_found_among_all(
    panel: Panel, publish: Publish, agent: Agent, demo: Client, app: Gatehouse
) -> None:
    route = publish(fields=["name"], mcp="read")
    agent.told(f"{named(route)}_search", {})
    demo.result("GET", route)
    app.services.recorder.flush()
    tool = f"{named(route)}_search"
    by_agents, by_tool, found, all_calls = (
        html.fromstring(panel.get(f"/admin/log/?{query}").text).xpath("//tr[@data-key]")
        for query in (f"by=agents&q={route}", f"tool={tool}", f"q={tool}", f"q={route}")
    )
    assert [len(each) for each in (by_agents, by_tool, found, all_calls)] == [1, 1, 1, 2]
    assert "AI agent" in by_agents[0].text_content()
    assert "AI agent" not in " ".join(row.text_content() for row in all_calls).replace("AI agent", "", 1)
    counted = panel.get("/admin/analytics/data.json?by=tool&span=hour").json
    assert [row["calls"] for row in counted if row["key"] == tool] == [1]
    assert tool in texts(panel.get("/admin/analytics/?span=hour"))


def test_nobody_else_sees_it(demo: Client) -> None:
    assert demo("GET", PAGE).status_code in (302, 303, 403)
