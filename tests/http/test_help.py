"""Help in the panel: the pages in docs/, reached from every page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lxml import html

from app.blueprints.admin import help_text
from app.blueprints.admin.view import PanelView
from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.panel import Panel, texts
from tests.pages import PAGES

NAMES = [page.stem for page in PAGES]


@pytest.fixture
def panel(admin: Client) -> Panel:
    """An administrator in front of the panel."""
    return Panel(admin)


def _views(app: Gatehouse) -> Iterator[PanelView]:
    for admin in app.extensions["admin"]:
        yield from admin._views


def _targets(app: Gatehouse) -> Iterator[tuple[str, str, str]]:
    """Yield each page of the panel that has a help of its own, with page and heading that it leads to."""
    for view in _views(app):
        for name, target in {"": view.help, **view.help_of}.items():
            page, _, anchor = target.partition("#")
            yield f"{view.endpoint}.{name}", page, anchor


def _ids(name: str) -> set[str]:
    return set(html.fromstring(help_text.load(name).html).xpath("//@id"))


def test_each_page_of_the_panel_leads_to_a_page_of_help_and_a_heading_that_there_are(app: Gatehouse) -> None:
    targets = list(_targets(app))
    assert len(targets) > 12
    for view, page, anchor in targets:
        assert page in NAMES, view
        assert not anchor or anchor in _ids(page), view


def test_the_help_of_single_pages_is_that_of_pages_that_there_are(app: Gatehouse) -> None:
    for view in _views(app):
        for name in view.help_of:
            assert f"{view.endpoint}.{name}" in app.view_functions


@pytest.mark.parametrize(
    ("path", "address"),
    [("/admin/", "panel#overview"), ("/admin/apis/new", "panel#apis"), ("/admin/clients/", "panel#client-apps"),
     ("/admin/settings/odoo", "operations#on-odoos-side"), ("/admin/help/api", "panel")],
)  # fmt: skip
def test_every_page_leads_to_the_docs_of_the_apis_and_to_its_help(panel: Panel, path: str, address: str) -> None:
    top = html.fromstring(panel.get(path).text).xpath("//header//nav//a")
    assert [link.text for link in top] == ["API docs", "Help"]
    assert [link.get("href") for link in top] == ["/api/docs", f"/admin/help/{address}"]


def test_who_is_outside_is_led_to_the_docs_and_told_who_can_help(anyone: Client, demo: Client) -> None:
    for caller, path, status in ((anyone, "/admin/login", 200), (demo, "/admin/", 403)):
        page = Panel(caller).get(path, status)
        assert html.fromstring(page.text).xpath("//main//a[text()='API docs']/@href") == ["/api/docs"]
        assert "an administrator of this Odoo can help" in texts(page)


def test_a_page_that_does_not_work_leads_to_help_too(panel: Panel) -> None:
    assert "/admin/help/panel#apis" in html.fromstring(panel.get("/admin/apis/999999/", 404).text).xpath("//@href")


@pytest.mark.parametrize("name", NAMES)
def test_all_links_of_a_page_lead_somewhere(panel: Panel, name: str) -> None:
    page = panel.get(f"/admin/help/{name}")
    (article,) = html.fromstring(page.text).xpath("//article")
    for href in article.xpath(".//a/@href"):
        if href.startswith(("https://", "http://")):
            continue
        target, _, anchor = href.partition("#")
        assert not target or target in NAMES, href
        assert not anchor or anchor in _ids(target or name), href


def test_the_list_of_pages_holds_them_all(panel: Panel) -> None:
    first = panel.client("GET", "/admin/help/")
    assert first.headers["Location"] == "/admin/help/panel"
    page = html.fromstring(panel.get("/admin/help/panel").text)
    listed = page.xpath("//nav[@aria-label='Pages of help']//a/@href")
    assert sorted(listed) == [f"/admin/help/{name}" for name in NAMES]
    contents = page.xpath("//nav[@aria-label='On this page']//a/@href")
    assert "#client-apps" in contents


@pytest.mark.parametrize("name", ["nothing", "%2e%2e", "panel.md", "%00", "a" * 300])
def test_a_page_that_is_not_there_is_told_so(panel: Panel, name: str) -> None:
    assert "There is no such page" in texts(panel.get(f"/admin/help/{name}", 404))


def test_pictures_of_pages_are_shown_to_who_reads_them(panel: Panel, anyone: Client) -> None:
    page = html.fromstring(panel.get("/admin/help/performance").text)
    sources = page.xpath("//article//img/@src")
    assert sources
    assert all(page.xpath("//article//img/@alt"))
    for source in sources:
        picture = panel.get(f"/admin/help/{source}")
        assert picture.mimetype == "image/svg+xml"
        assert picture.text.startswith("<?xml")
        assert anyone("GET", f"/admin/help/{source}").status_code == 303


@pytest.mark.parametrize("name", ["nothing.svg", "load.png", "..%2fpanel.svg", "%00.svg"])
def test_a_picture_that_is_not_there_is_told_so(panel: Panel, name: str) -> None:
    panel.get(f"/admin/help/img/{name}", 404)


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "a <b onclick=x>b</b>", "[x](javascript:alert(1))", "<!-- x -->"]
)
def test_html_in_a_page_is_text(text: str) -> None:
    shown = help_text.render("x", f"# Title\n\n{text}\n", []).html
    tree: Any = html.fromstring(shown)
    assert {element.tag for element in tree.iter()} == {"p"}
    assert "href" not in shown


def test_columns_of_numbers_need_no_inline_style() -> None:
    shown = help_text.render("x", "| a | b |\n| --- | ---: |\n| c | 1 |", []).html
    assert "style" not in shown
    assert html.fromstring(shown).xpath("//*[@class='number']/text()") == ["b", "1"]


@pytest.mark.parametrize(
    ("link", "href"),
    [("api.md", "api"), ("api.md#rest", "api#rest"), ("#here", "#here"), ("https://a.example/x", "https://a.example/x"),
     ("../README.md", None), ("../deploy/nginx.conf", None), ("gone.md", None)],
)  # fmt: skip
def test_links_lead_to_other_pages_and_out_and_not_to_files(link: str, href: str | None) -> None:
    shown = html.fromstring(help_text.render("x", f"See [`that`]({link}).", ["api"]).html)
    assert shown.xpath("//@href") == ([href] if href else [])
    assert shown.text_content().strip() == "See that."


def test_where_the_pages_are_missing_the_panel_goes_on(
    panel: Panel, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(help_text, "FOLDER", tmp_path)
    help_text.load.cache_clear()
    assert "There is no such page of help" in texts(panel.get("/admin/help/panel", 404))
    panel.get("/admin/settings/")
