"""The page /api/docs in a person's browser: nothing comes from another host, and a call made with it succeeds."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.server.conftest import Server
from tests.server.workers import wait_for_client

pytestmark = pytest.mark.live


class Visitor:
    """A browser's page, what it has asked for, and what it complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.hosts: set[str] = set()
        self.problems: list[str] = []
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def try_out(self, operation_id: str) -> str:
        """Open an operation, call it with its examples, and return the status that the page shows."""
        block = self.page.locator(f"[id$='-{operation_id}']")
        block.locator("button.opblock-summary-control").first.click()
        block.get_by_role("button", name="Try it out").click()
        block.get_by_role("button", name="Execute").click()
        status = block.locator(".live-responses-table .response-col_status").last
        status.wait_for()
        return status.inner_text().split()[0]


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Visitor]:
    """A fresh page of the browser, with no cookies."""
    page = chromium.new_page(viewport={"width": 1280, "height": 1600})
    yield Visitor(page)
    page.close()


def test_a_person_reads_the_docs_and_makes_a_call_with_their_session(
    server: Server, visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.page
    page.goto(f"{server.url}/api/docs")
    page.get_by_text("/api/company/rpc", exact=True).wait_for()
    assert not page.locator("[id$='-partner_rest_search']").is_visible()  # nobody is logged in
    cookie = server.session("demo").cookies["session_id"]
    page.context.add_cookies([{"name": "session_id", "value": cookie, "url": server.url}])
    page.reload()
    page.locator("[id$='-partner_rest_search']").wait_for()
    assert visitor.try_out("partner_rest_search") == "200"
    assert visitor.try_out("partner_rest_create") == "200"
    page.screenshot(path=str(tmp_path / "docs.png"), full_page=False)
    assert visitor.hosts == {urlsplit(server.url).netloc}
    assert visitor.problems == []


def test_a_token_shows_what_it_may_call_and_calls_it(server: Server, visitor: Visitor) -> None:
    made = server.flask(
        "client", "create", "Docs", "--api", "Partners", "--scope", "search", "--user", "demo", "--json"
    )
    credentials = json.loads(made.stdout.splitlines()[-1])
    wait_for_client(server, "/api/partner/rest?limit=1", credentials)
    form = {name: credentials[name] for name in ("client_id", "client_secret")}
    token = requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=10).json()["access_token"]
    page = visitor.page
    page.goto(f"{server.url}/api/docs")
    page.get_by_role("button", name="Authorize").click()
    page.locator("#auth-bearer-value").fill(token)
    page.locator("#auth-bearer-value").press("Enter")
    page.locator(".modal-ux .close-modal").click()
    page.locator("[id$='-partner_rest_search']").wait_for()
    assert not page.locator("[id$='-partner_rest_create']").is_visible()
    assert visitor.try_out("partner_rest_search") == "200"
    assert visitor.hosts == {urlsplit(server.url).netloc}
    assert visitor.problems == []


def test_the_command_lines_of_the_page_work_as_they_stand(server: Server, visitor: Visitor, tmp_path: Path) -> None:
    made = server.flask("client", "create", "Lines", "--api", "Partners", "--user", "demo", "--json")
    credentials = json.loads(made.stdout.splitlines()[-1])
    wait_for_client(server, "/api/partner/rest?limit=1", credentials)
    given = {
        "YOUR_CLIENT_ID": credentials["client_id"],
        "YOUR_CLIENT_SECRET": credentials["client_secret"],
        "YOUR_PASSWORD": "demo",
    }
    page = visitor.page
    page.goto(f"{server.url}/api/docs")
    lines = [page.locator("#first").text_content() or ""]
    cookie = server.session("demo").cookies["session_id"]
    page.context.add_cookies([{"name": "session_id", "value": cookie, "url": server.url}])
    page.goto(f"{server.url}/api/docs")
    lines += [page.locator(f"#{way}").text_content() or "" for way in ("token", "session")]
    for text in lines:
        for placeholder, value in given.items():
            text = text.replace(placeholder, value)
        done = subprocess.run(["bash", "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert '"result":' in done.stdout, done
        assert '"error":' not in done.stdout, done
