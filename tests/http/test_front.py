"""``/`` and ``/api``: the way to the docs and the panel, for browsers and for programs."""

from __future__ import annotations

import pytest

from app.web.routing import Gatehouse
from tests.http.conftest import Client

#: As Chromium and Firefox ask for a page.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/", "/api", "/api/"])
def test_a_browser_is_led_to_the_docs_and_the_panel(path: str, anyone: Client) -> None:
    page = anyone("GET", path, headers=BROWSER)
    assert (page.status_code, page.mimetype, page.headers["Vary"]) == (200, "text/html", "Accept")
    for address in ("/api/docs", "/admin/", "/api/openapi.json", "/healthz"):
        assert f'href="{address}"' in page.text
    assert "script" not in page.headers["Content-Security-Policy"]
    assert anyone("GET", "/api/docs/own/docs.css").status_code == 200


@pytest.mark.parametrize("path", ["/", "/api", "/api/"])
def test_a_program_gets_the_addresses_in_full(path: str, anyone: Client) -> None:
    assert anyone.result("GET", path, base_url="https://api.example.com") == {
        "docs": "https://api.example.com/api/docs",
        "openapi": "https://api.example.com/api/openapi.json",
        "panel": "https://api.example.com/admin/",
        "token": "https://api.example.com/api/oauth2/token",
        "health": "https://api.example.com/healthz",
    }


def test_all_addresses_that_are_named_are_served(anyone: Client) -> None:
    for name, address in anyone.result("GET", "/api").items():
        assert anyone("GET", address).status_code in (200, 303, 405), name


def test_a_stranger_learns_neither_database_nor_version(anyone: Client, app: Gatehouse, database: str) -> None:
    for headers in (BROWSER, {}):
        answer = anyone("GET", "/", headers=headers)
        assert database not in answer.text
        assert "version" not in answer.text.lower()


def test_the_name_of_a_server_is_text_in_its_page(anyone: Client) -> None:
    page = anyone("GET", "/", headers={**BROWSER, "Host": "x<script>"})
    assert "<script" not in page.text
