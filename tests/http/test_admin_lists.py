"""What the lists of the panel tell: of APIs, of an API's endpoints, of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import html

from app.clients import store as clients
from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.console import Console
from tests.http.panel import Panel, address_of, texts
from tests.http.queries import counted_queries

Publish = Callable[..., str]
Root = Callable[..., Any]
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def panel(app: Gatehouse, admin: Client, sql: Sql) -> Panel:
    """An administrator in front of the panel; no call has been counted yet."""
    app.services.recorder.flush()
    for table in ("request_log", "rollup_minute", "rollup_hour", "rollup_day"):
        sql(f"DELETE FROM gatehouse.{table}")
    return Panel(admin)


def _table(page: Any) -> dict[str, dict[str, str]]:
    """Return the rows of a page's list by their heading: the text of each cell by its label."""
    return {
        " ".join(row.xpath("./th")[0].text_content().split()): {
            cell.get("data-label"): " ".join(cell.text_content().split()) for cell in row.xpath("./td[@data-label]")
        }
        for row in html.fromstring(page.text).xpath("//table[@class='list']/tbody/tr")
    }


def test_the_list_of_apis_tells_state_mode_health_and_traffic(
    panel: Panel, publish: Publish, demo: Client, app: Gatehouse, sql: Sql
) -> None:
    called = publish()
    tested = publish(mode="test", authentication="public")
    broken = publish()
    sql(
        "UPDATE gatehouse.api SET document = jsonb_set(document, '{models,0,fields,0}', '\"gone\"') "
        "WHERE document->>'route' = %s",
        broken,
    )
    sql(
        "UPDATE gatehouse.api SET document = jsonb_set(document, '{published}', 'false') WHERE document->>'route' = %s",
        tested,
    )
    for _ in range(3):
        demo.result("GET", called)
    app.services.recorder.flush()
    rows = {row["Route"]: row for row in _table(panel.get("/admin/apis/")).values()}
    told = ("State", "Who may call", "Calls in 24 h", "Health")
    assert [rows[called][name] for name in told] == ["Published", "Logged in", "3", "Fine"]
    assert [rows[tested][name] for name in told] == ["Draft Test", "Anybody", "0", "Fine"]
    assert [rows[broken][name] for name in told] == ["Published", "Logged in", "0", "1 to fix"]


def test_the_list_of_endpoints_tells_method_address_switch_and_traffic(
    panel: Panel, publish: Publish, demo: Client, app: Gatehouse
) -> None:
    route = publish(endpoints={"search": True, "read": True, "create": True, "update": False, "delete": True})
    record = demo.result("POST", route, json={"name": "Counted"})
    for _ in range(2):
        demo.result("GET", f"{route}/{record['id']}")
    app.services.recorder.flush()
    (definition,) = app.services.catalog.snapshot.definitions.values()
    page = panel.get(f"/admin/apis/{definition.id}/endpoints")
    (section,) = html.fromstring(page.text).xpath("//section[@class='operation']")
    lines = [[" ".join(cell.text_content().split()) for cell in row] for row in section.xpath(".//tbody/tr")]
    found = {line[0]: line[1:] for line in lines}
    address = f"http://localhost{route}"
    assert found["Read"] == [f"GET {address}/{{id}}", "2", "On", "Switch off Try"]
    assert found["Bulk read"] == [f"GET {address}/bulk", "0", "On", "Switch off Try"]
    assert found["Create"] == [f"POST {address}", "1", "On", "Switch off Try"]
    addresses = f"POST {address} with an arrayPOST {address}/import"
    assert found["Bulk create"] == [addresses, "0", "On", "Switch off Try"]
    assert found["Update"] == [f"PATCH {address}/{{id}}", "0", "Off", "Switch on Try"]
    assert found["Bulk update"] == [f"PATCH {address}", "0", "Off with Update", "Switch off Try"]


def test_a_query_counts_as_the_search_that_it_is(panel: Panel, publish: Publish, demo: Client, app: Gatehouse) -> None:
    route = publish()
    demo.result("GET", route)
    demo.result("QUERY", route, json={})
    app.services.recorder.flush()
    (definition,) = app.services.catalog.snapshot.definitions.values()
    page = panel.get(f"/admin/apis/{definition.id}/endpoints")
    (calls,) = html.fromstring(page.text).xpath("//tr[th='Search']/td[@data-label='Calls']")
    assert calls.text_content().split() == ["2"]
    assert "Calls in 24 hours2" in texts(panel.get(address_of(page, "switch", operation="search")))


def test_the_list_of_models_tells_addon_and_records(panel: Panel, sql: Sql) -> None:
    page = panel.get("/admin/models/?q=res.partner.industry")
    ((count,),) = sql("SELECT count(*) FROM res_partner_industry")
    found = _table(page)["Industry"]
    assert found == {"Name": "res.partner.industry", "Addon": "base", "Records": str(count), "APIs": "–"}


@pytest.fixture
def add_client_app(app: Gatehouse, root: Root, sql: Sql) -> Iterator[Callable[[str, str], None]]:
    """Create client apps with a secret that act as a login; they are gone after the test."""

    def add(name: str, login: str) -> None:
        def make(env: Any) -> None:
            uid = env["res.users"].search([("login", "=", login)]).id
            client = clients.create(env.cr, name, scopes=["read"], uid=uid)
            clients.new_secret(env.cr, app.services.hasher(), client, overlap=0)

        root(make)

    yield add
    sql("DELETE FROM gatehouse.client")


def test_a_page_asks_no_more_of_the_database_the_more_client_apps_there_are(
    panel: Panel,
    publish: Publish,
    app: Gatehouse,
    add_client_app: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console = Console(panel, app).address(publish())

    def asked(path: str) -> int:
        panel.get(path)  # fills Odoo's caches
        with counted_queries(monkeypatch) as queries:
            panel.get(path)
        return len([query for query in queries if "catalog_version" not in query])

    add_client_app("One", "demo")
    before = [asked(path) for path in ("/admin/clients/", console)]
    for name, login in (("Two", "admin"), ("Three", "other"), ("Four", "demo")):
        add_client_app(name, login)
    assert [asked(path) for path in ("/admin/clients/", console)] == before
