"""Fixtures for tests through a browser: a live server of their own, and Debian's chromium."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dev.paths import LOCAL
from dev.testbed import Testbed
from tests import npm
from tests.packages import program
from tests.server.conftest import Server, serving

Snapshot = Callable[..., None]

#: Where the pictures of a run are kept: a folder for each test file.
SCREENSHOTS = LOCAL / "screenshots"
#: Width and height of a phone and of a desk.
SIZES = ((390, 844), (1280, 900))
#: ``without`` is a selector of what is not ours, and not looked at.
_FAULTS = """async (without) => {
  const {violations} = await axe.run({exclude: without}, {resultTypes: ["violations"]});
  return violations.map(({id, help, nodes}) =>
    `${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).slice(0, 5).join(", ")}`);
}"""


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


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that finds what keeps people from using a page: axe-core."""
    return (npm.installed("axe-core") / "axe.min.js").read_text()


@pytest.fixture
def snapshot(page: Page, axe: str, request: pytest.FixtureRequest) -> Snapshot:
    """Keep pictures of the page, wide and narrow, below ``.local/screenshots``: no axe fault, nothing sticks out."""
    folder = SCREENSHOTS / Path(request.node.path).stem.removeprefix("test_")

    def take(name: str, *, without: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(150)  # what scrolls is painted a little later
            page.screenshot(path=str(folder / f"{name}-{width}.png"), full_page=True)
            too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert too_wide <= 0, f"{name}: {too_wide} pixels stick out at {width}"
            page.evaluate(axe)  # not as a script tag: the page lets none in
            assert page.evaluate(_FAULTS, [without] if without else []) == [], f"{name} at {width}"

    return take


def log_in(page: Page, login: str = "admin") -> None:
    """Open the panel and log in, with the login as password."""
    page.goto("/admin/")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(login)
    page.get_by_role("button", name="Log in").click()
