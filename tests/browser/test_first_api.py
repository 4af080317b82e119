"""The first minute of a new admin: from the log-in to an API that has answered."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Snapshot

#: What a person needs at most: clicks, and seconds for the pages to come.
MOST_CLICKS = 5
MOST_SECONDS = 60


@pytest.mark.live
@pytest.mark.alone  # it has a time to keep
def test_an_api_of_a_new_model_answers_after_five_clicks(page: Page, snapshot: Snapshot) -> None:
    clicked: list[str] = []

    def click(target: Locator) -> None:
        clicked.append(target.inner_text())
        target.click()

    begun = time.monotonic()
    page.goto("/admin/")
    page.get_by_label("Login").fill("admin")
    page.get_by_label("Password").fill("admin")
    click(page.get_by_role("button", name="Log in"))
    click(page.get_by_role("link", name="Expose", exact=True))
    click(page.get_by_role("button", name="Expose res.partner", exact=True))
    click(page.get_by_role("link", name="Try this draft"))
    click(page.get_by_role("button", name="Send"))
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("200 OK")
    took = time.monotonic() - begun

    expect(answer.get_by_label("Body", exact=True)).to_contain_text('"records"')
    assert len(clicked) <= MOST_CLICKS, clicked
    assert took < MOST_SECONDS
    snapshot("answered")
