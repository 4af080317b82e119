"""An app that a person lets act for them, in their browser: the OAuth2 authorization code by a foreign client."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from requests_oauthlib import OAuth2Session

from tests.server.conftest import Server, free_port
from tests.server.workers import wait_for_client

pytestmark = pytest.mark.live
API = "/api/partner/rest"


class _App(BaseHTTPRequestHandler):
    """The third-party app's own server: where the person is sent back to."""

    def do_GET(self) -> None:
        if self.path.startswith("/callback"):  # and not what a browser asks for besides, like an icon
            self.server.paths.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Thank you.")

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def app_server() -> Iterator[HTTPServer]:
    """The third-party app's server, on this machine."""
    server = HTTPServer(("127.0.0.1", free_port()), _App)
    server.paths = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_person_lets_an_app_act_for_them_in_their_browser(
    server: Server, chromium: Browser, app_server: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The client library insists on https, which a proxy would bring.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    redirect = f"http://127.0.0.1:{app_server.server_port}/callback"
    options = ("--api", "Partners", "--user", "demo", "--redirect-uri", redirect, "--json")
    credentials = json.loads(server.flask("client", "create", "Calendar", *options).stdout.splitlines()[-1])
    wait_for_client(server, f"{API}?limit=1", credentials)
    app = OAuth2Session(credentials["client_id"], redirect_uri=redirect, scope=["read", "search"], pkce="S256")
    address, _ = app.authorization_url(f"{server.url}/api/oauth2/authorize")

    page = chromium.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.get_by_label("Login").fill("demo")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Calendar asks for access").wait_for()
    assert page.get_by_text("Partners").is_visible()
    assert page.get_by_text("search and list records").is_visible()
    assert not page.get_by_text("delete records").is_visible()
    page.screenshot(path=str(tmp_path / "consent.png"))
    page.get_by_role("button", name="Allow").click()
    page.get_by_text("Thank you.").wait_for()
    given = f"http://127.0.0.1:{app_server.server_port}{app_server.paths[-1]}"  # type: ignore[attr-defined]
    token = app.fetch_token(
        f"{server.url}/api/oauth2/token", authorization_response=given, client_secret=credentials["client_secret"]
    )
    assert token["scope"] == ["read", "search"]
    assert app.get(f"{server.url}{API}?limit=2").json()["result"]["records"]
    assert app.post(f"{server.url}{API}", json={"name": "x"}).status_code == 403
    renewed = app.refresh_token(
        f"{server.url}/api/oauth2/token",
        client_id=credentials["client_id"],
        client_secret=credentials["client_secret"],
    )
    assert renewed["access_token"] != token["access_token"]

    page.goto(f"{server.url}/api/oauth2/consents")
    assert page.get_by_role("heading", name="Calendar").is_visible()
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_text("No app acts in your name.").wait_for()
    assert app.get(f"{server.url}{API}?limit=2").status_code == 401
    page.goto(address)
    page.get_by_role("button", name="Refuse").click()
    page.get_by_text("Thank you.").wait_for()
    assert "error=access_denied" in app_server.paths[-1]  # type: ignore[attr-defined]
    assert problems == []
    page.close()
