"""The first page and the request log, as an admin looks at them."""

from __future__ import annotations

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Snapshot, log_in
from tests.server.conftest import Server, wait_until

pytestmark = pytest.mark.live


def _call(server: Server, *, times: int = 1, path: str = "/api/partner/rest?limit=2") -> None:
    session = server.session()
    for _ in range(times):
        session.get(f"{server.url}{path}", timeout=60)


def _open_when(page: Page, address: str, text: str) -> None:
    """Open a page that shows something by now: the log is written a little after the calls."""

    def shows() -> bool:
        page.goto(address)
        return text in page.content()

    wait_until(shows, 20, page.content)


def test_a_new_system_leads_through_its_first_steps_and_then_shows_how_it_goes(
    page: Page, server: Server, snapshot: Snapshot
) -> None:
    log_in(page)
    steps = page.locator(".first-steps")
    expect(steps).to_contain_text("2 of 4 done")  # the demo has APIs
    snapshot("new")
    _call(server, times=12)
    _call(server, times=3, path="/api/partner/rest?domain=[('secret','=',1)]")
    requests.get(f"{server.url}/api/partner/rest", timeout=60)
    _open_when(page, "/admin/", "16</strong>")
    page.goto("/admin/")  # the hour is looked at before the day
    expect(steps).to_contain_text("3 of 4 done")
    hour = page.get_by_role("region", name="Last hour")
    expect(hour.get_by_role("link", name="16 calls")).to_be_visible()
    expect(hour.get_by_role("link", name="4 errors")).to_be_visible()
    expect(hour.get_by_role("img", name="Calls: 16, of which 4 failed")).to_be_visible()
    snapshot("called")
    hour.get_by_role("link", name="4 errors").click()
    expect(page.locator("#rows tr")).to_have_count(4)


def test_numbers_lead_to_the_calls_that_they_count(page: Page, server: Server, snapshot: Snapshot) -> None:
    _call(server, times=2, path="/api/partner/rest?limit=x")
    log_in(page)
    _open_when(page, "/admin/analytics/?span=hour", "invalid_limit")
    page.get_by_text("As a table").click()
    snapshot("analytics")
    page.get_by_role("link", name="GET /api/partner/rest", exact=True).click()
    expect(page.locator(".chip")).to_contain_text("Endpoint: GET /api/partner/rest")
    snapshot("log")
    page.locator("#rows th a").first.click()
    expect(page.get_by_role("link", name="Try again")).to_be_visible()
    snapshot("failed-call")


def test_the_log_is_a_short_list_on_a_phone(page: Page, server: Server) -> None:
    _call(server, times=45)
    _call(server, times=10, path="/api/partner/rest?domain=[('secret','=',1)]")
    log_in(page)
    page.set_viewport_size({"width": 390, "height": 844})
    _open_when(page, "/admin/log/", 'rel="next"')
    expect(page.locator("#rows tr")).to_have_count(50)
    expect(page.locator("#rows tr").first.get_by_role("link", name="Partners")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") < 6_000


def test_new_calls_come_in_live_and_only_those_that_match(page: Page, server: Server, snapshot: Snapshot) -> None:
    log_in(page)
    page.goto("/admin/log/?outcome=failed")
    before = page.locator("#rows tr").count()
    page.get_by_role("button", name="Live").click()
    expect(page.get_by_role("status").last).to_have_text("Waiting for calls.")
    _call(server)
    _call(server, path="/api/partner/rest?fields=live")
    expect(page.locator("#rows tr")).to_have_count(before + 1)
    expect(page.get_by_role("status").last).to_have_text("1 new call.")
    expect(page.locator("#rows tr").first).to_contain_text("/api/partner/rest")
    snapshot("live")
    page.get_by_role("button", name="Live").click()
    _call(server, path="/api/partner/rest?fields=later")
    expect(page.locator("#rows tr")).to_have_count(before + 1)
    _open_when(page, "/admin/log/?outcome=failed&status=400", "later")


@pytest.mark.parametrize("javascript", [True, False])
def test_times_are_those_of_the_browser_with_utc_beside(chromium: Browser, server: Server, javascript: bool) -> None:
    _call(server)
    context = chromium.new_context(
        base_url=server.url,
        timezone_id="Asia/Kolkata",
        java_script_enabled=javascript,
        viewport={"width": 1280, "height": 900},
    )
    page = context.new_page()
    log_in(page)
    _open_when(page, "/admin/log/", "data-key")
    when = page.locator("#rows time").first
    utc = (when.get_attribute("datetime") or "")[:19].replace("T", " ")
    if javascript:
        expect(when).to_have_attribute("title", f"{utc} UTC")
        expect(when).not_to_have_text(utc)
        expect(
            page.get_by_role("columnheader", name="Time (Asia/Calcutta)").or_(
                page.get_by_role("columnheader", name="Time (Asia/Kolkata)")
            )
        ).to_be_visible()
        page.locator("#rows th a").first.click()
        expect(page.locator("dd", has=page.locator("time")).first).to_contain_text(f"{utc}.")
    else:
        expect(when).to_have_text(utc)
        expect(page.get_by_role("button", name="Live")).to_be_hidden()
    context.close()
