"""Fixtures for tests through a browser: a live server of their own, and Debian's chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dev.testbed import Testbed
from tests.packages import program
from tests.server.conftest import Server, serving


@pytest.fixture(scope="module")
def server(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A live server with the demo's definitions."""
    log = tmp_path_factory.mktemp("browser") / "gunicorn.log"
    with serving(testbed, f"gatehouse_browser_{os.getpid()}", log) as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium", "chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    """A page of a browser that is new, which complains about nothing and loads from nowhere else."""
    context = chromium.new_context(base_url=server.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(server.url) else problems.append(request.url))
    page.set_default_timeout(10_000)
    yield page
    context.close()
    # A form that is refused answers with its status, which the browser tells in its console too.
    assert [problem for problem in problems if "responded with a status of 4" not in problem] == []
