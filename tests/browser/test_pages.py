"""The pages that no other test comes by, each looked at once: pictures, axe, nothing sticks out."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Snapshot, log_in
from tests.server.conftest import Server
from tests.server.workers import wait_for_client

pytestmark = pytest.mark.live

#: Where an app of another host would be sent back to.
BACK = "https://app.example/back"


def test_pages_of_the_panel_that_lists_and_mistakes_lead_to(page: Page, snapshot: Snapshot) -> None:
    log_in(page)
    for name, address in {
        "client-apps": "/admin/clients/",
        "settings-odoo": "/admin/settings/odoo",
        "no-such-api": "/admin/apis/999999/",
        "no-such-call": "/admin/log/nothing",
    }.items():
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        snapshot(name)


def test_a_person_is_asked_in_words_and_sees_what_was_allowed(page: Page, server: Server, snapshot: Snapshot) -> None:
    made = server.flask(
        "client", "create", "Calendar", "--api", "Partners", "--user", "admin", "--redirect-uri", BACK, "--json"
    )
    credentials = json.loads(made.stdout.splitlines()[-1])
    wait_for_client(server, "/api/partner/rest?limit=1", credentials)
    log_in(page)
    asked = {"response_type": "code", "client_id": credentials["client_id"], "redirect_uri": BACK, "scope": "search"}
    asked |= {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
    page.goto(f"/api/oauth2/authorize?{urlencode(asked)}")
    expect(page.get_by_role("button", name="Allow")).to_be_visible()
    snapshot("consent")
    page.goto("/api/oauth2/consents")
    expect(page.get_by_text("No app acts in your name.")).to_be_visible()
    snapshot("consents")
    page.goto("/api/oauth2/authorize?client_id=nobody")
    snapshot("refused")
