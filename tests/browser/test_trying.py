"""Try it in a browser: a draft, a record that is there, and a call of the log again."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Snapshot, log_in
from tests.server.conftest import Server


def _draft(page: Page) -> None:
    page.goto("/admin/apis/new?model=res.partner.category&fields=name")
    page.get_by_label("Name", exact=True).fill("Tags")
    page.get_by_label("Route").fill("/api/tags")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")


def test_a_draft_is_tried_on_a_record_before_it_is_published(page: Page, server: Server, snapshot: Snapshot) -> None:
    log_in(page)
    _draft(page)
    snapshot("draft")
    page.get_by_role("link", name="Try this draft").click()
    page.get_by_label("Endpoint").select_option(label="PATCH /api/tags/{id} (update)")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Fill in a record").click()
    expect(page.get_by_role("status")).to_contain_text("Filled in with a record")
    snapshot("filled")
    page.get_by_role("button", name="Send").click()
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("200 OK")
    expect(answer).to_contain_text("Test: rolled back")
    expect(page.get_by_role("heading", name="curl, with a password")).to_be_visible()
    snapshot("answer")
    assert server.session().get(f"{server.url}/api/tags", timeout=10).status_code == 404
