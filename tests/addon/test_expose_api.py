"""*Expose API* in Odoo's own web client: from a list and from a kanban view into the panel's form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server.conftest import Server

pytestmark = pytest.mark.live

CONTACTS = "/odoo/action-contacts.action_contacts"


@pytest.fixture(scope="module")
def exposing(web_client: Page, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The web client after an admin has named the panel's address and switched the action on, in Odoo's settings."""
    web_client.goto("/odoo/settings")
    web_client.locator(".settings_tab .tab", has_text="Gatehouse").click()
    web_client.screenshot(path=str(tmp_path_factory.mktemp("expose") / "settings.png"))
    expect(web_client.get_by_text("/web/dataset/call_kw").first).to_be_visible()
    for protocol in ("XML-RPC 1", "XML-RPC 2", "JSON-RPC", "JSON/2"):
        expect(web_client.get_by_label(f"Refuse {protocol}", exact=True)).not_to_be_checked()
    web_client.get_by_label("Expose API", exact=True).check()
    web_client.locator("[name=gatehouse_panel_url] input").fill(f"{server.url}/admin/")
    with web_client.expect_event("load"):  # Odoo loads itself anew with the settings
        web_client.get_by_role("button", name="Save", exact=True).click()
    return web_client


@pytest.mark.parametrize(
    ("view", "shown", "not_shown"),
    [
        ("list", {"complete_name", "email", "phone", "country_id"}, {"vat", "street"}),  # hidden until one chooses them
        ("kanban", {"complete_name", "email", "phone", "city"}, {"is_company", "active"}),  # only read along
    ],
)
def test_the_panels_form_opens_with_the_model_and_the_fields_of_the_view(
    exposing: Page, server: Server, view: str, shown: set[str], not_shown: set[str], tmp_path: Path
) -> None:
    exposing.goto(f"{CONTACTS}?view_type={view}")
    exposing.wait_for_selector(f".o_{view}_view .o_{view}_renderer")
    exposing.locator(".o_cp_action_menus button").first.click()
    exposing.get_by_role("menuitem", name="Expose API").wait_for()
    exposing.screenshot(path=str(tmp_path / f"{view}.png"))
    with exposing.context.expect_page() as opened:
        exposing.get_by_role("menuitem", name="Expose API").click()
    form = opened.value
    expect(form.get_by_role("heading", name="New API")).to_be_visible()
    assert form.url.startswith(f"{server.url}/admin/apis/new?model=res.partner&fields=")
    form.screenshot(path=str(tmp_path / f"{view}-form.png"), full_page=True)
    expect(form.get_by_label("Route")).to_have_value("/api/res-partner")
    (entry,) = json.loads(form.locator("[name=models]").input_value())
    assert entry["model"] == "res.partner"
    assert shown <= set(entry["fields"])
    assert not not_shown & set(entry["fields"])
    assert "name" in entry["fields"]  # the view shows another field for it, but no contact can be created without
    form.close()


def test_the_menu_leads_to_the_panel(exposing: Page, server: Server) -> None:
    exposing.goto("/odoo/gatehouse")
    with exposing.context.expect_page() as opened:
        exposing.get_by_role("menuitem", name="Panel").click()
    expect(opened.value.get_by_role("heading", name="Overview")).to_be_visible()
    assert opened.value.url == f"{server.url}/admin/"
    opened.value.close()
