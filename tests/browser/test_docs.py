"""The docs in a browser: from a stranger to a first answered call, at 390 and 1280 pixels, with axe."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Snapshot
from tests.server.conftest import Server

#: Swagger UI's own part: not ours to mend.
FOREIGN = "#docs"


def test_a_stranger_logs_in_and_has_a_first_call_answered_in_under_a_minute(page: Page, snapshot: Snapshot) -> None:
    page.goto("/")
    snapshot("front")
    began = time.monotonic()
    page.get_by_role("link", name="Docs").click()
    expect(page.get_by_text("You are not logged in")).to_be_visible()
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("Login").fill("demo")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("You are logged in as demo")).to_be_visible()
    block = page.locator("[id$='-partner_rest_search']")
    block.locator("button.opblock-summary-control").first.click()
    block.get_by_role("button", name="Try it out").click()
    told = block.locator(".responses-table:not(.live-responses-table) tr.response")
    expect(told.locator(".response-col_status")).to_have_text(["200", "default"])
    expect(told.last).to_contain_text("429")
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert time.monotonic() - began < 60


def test_the_page_is_clear_to_strangers_and_to_those_who_are_in(page: Page, snapshot: Snapshot) -> None:
    page.goto("/api/docs")
    page.get_by_text("/api/company/rpc", exact=True).wait_for()
    snapshot("stranger", without=FOREIGN)
    page.get_by_role("link", name="Log in").click()
    snapshot("log-in")
    page.get_by_label("Login").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()
    page.locator("[id$='-partner_rest_search']").wait_for()
    for way in ("token", "password"):
        page.get_by_text(re.compile(f"with .* {way}$")).click()
    snapshot("in", without=FOREIGN)
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.get_by_text("You are not logged in")).to_be_visible()


def test_a_line_is_copied_as_it_stands(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/api/docs")
    page.locator("[data-copy=first]").click()
    expect(page.locator("[data-copy=first]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#first").inner_text()
    assert copied.startswith("curl -X POST")


def test_without_javascript_the_way_in_and_the_document_are_there(chromium: Browser, server: Server) -> None:
    context = chromium.new_context(base_url=server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/api/docs")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    expect(page.locator("#first")).to_contain_text(f"{server.url}/api/company/rpc/1")
    expect(page.get_by_text("Without it, the OpenAPI document has them all")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    context.close()
