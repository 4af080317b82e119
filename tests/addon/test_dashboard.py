"""*Gatehouse* in Odoo's own web client: how the APIs were called in the last 24 hours."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from dev.paths import LOCAL
from tests.addon.conftest import Installed, OdooServer
from tests.addon.test_neutralize import execute
from tests.server.conftest import Server, Testbed, wait_until

pytestmark = pytest.mark.live

#: Where the pictures are kept, beside those of the panel.
PICTURES = LOCAL / "screenshots" / "addon"
DEFINITION = """
apis:
- name: Countries
  route: /api/countries
  published: true
  authentication: public
  run_as: demo
  models: [{model: res.country, fields: [name, code], writable_fields: []}]
- {name: Unused, route: /api/unused, models: [{model: res.country, fields: [name]}]}
"""
COUNTED = "SELECT sum(calls), sum(calls) FILTER (WHERE failed) FROM gatehouse.rollup_hour WHERE dimension = 'api'"


@pytest.fixture
def called(testbed: Testbed, installed: Installed, server: Server, tmp_path: Path) -> None:
    """An API that was called four times, once in vain, and one that was not."""
    file = tmp_path / "apis.yaml"
    file.write_text(DEFINITION)
    server.flask("api", "import", str(file))
    address = f"{server.url}/api/countries?limit=1"
    for call, status in [(address, 200)] * 3 + [(f"{address}&order=nothing", 400)]:
        # 404 by a worker that does not know the API yet is no call of it.
        wait_until(lambda call=call, status=status: requests.get(call, timeout=30).status_code == status, 30)  # type: ignore[misc]

    def counted() -> bool:
        ((calls, failed),) = execute(testbed, installed.database, COUNTED)
        return (calls or 0) >= 4 and failed == 1

    wait_until(counted, 60)


def test_the_dashboard_shows_calls_and_errors_of_each_api(called: None, web_client: Page, odoo: OdooServer) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    web_client.goto("/odoo")
    web_client.locator(".o_navbar_apps_menu button").click()
    web_client.get_by_role("menuitem", name="Gatehouse").click()
    card = web_client.locator(".o_kanban_record", has_text="/api/countries")
    expect(card).to_contain_text("Published")
    expect(card.locator(".o_gatehouse_errors")).to_have_text("1")
    unused = web_client.locator(".o_kanban_record", has_text="/api/unused")
    expect(unused.locator(".o_gatehouse_calls")).to_have_text("0")
    web_client.screenshot(path=str(PICTURES / "dashboard.png"))
    card.get_by_role("button", name="By hour").click()
    expect(web_client.locator(".o_graph_renderer canvas")).to_be_visible()
    expect(web_client.locator(".o_breadcrumb")).to_contain_text("Countries")
    web_client.screenshot(path=str(PICTURES / "hours.png"))
    web_client.get_by_role("button", name="List").click()
    expect(web_client.locator(".o_data_row", has_text="Failed")).to_have_count(1)
    web_client.screenshot(path=str(PICTURES / "hours-list.png"))
