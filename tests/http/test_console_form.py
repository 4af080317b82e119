"""Try it, what one fills in: explained from the schema, and harmless whatever is typed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from lxml import html

from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish, Sql
from tests.http.console import Console
from tests.http.panel import Panel, texts


@pytest.fixture
def panel(admin: Client) -> Panel:
    """An administrator in front of the panel."""
    return Panel(admin)


@pytest.fixture
def attempt(panel: Panel, app: Gatehouse) -> Console:
    """The console, used by this administrator."""
    return Console(panel, app)


# What one fills in.


def _explained(page: Any) -> dict[str, list[str]]:
    """Return what the page says about the fields or arguments of a body: type, of arguments the default, meaning."""
    rows = html.fromstring(page.text).xpath("//details//tbody/tr")
    return {row.xpath("./th/code")[0].text: [cell.text_content() for cell in row.xpath("./td")] for row in rows}


def test_the_form_explains_parameters_fields_and_their_values(publish: Publish, panel: Panel, app: Gatehouse) -> None:
    route = publish("res.partner", fields=["name", "type", "country_id", "active", "child_ids"])
    (definition,) = app.services.catalog.snapshot.definitions.values()
    search = panel.get(f"/admin/try/?target={definition.id}")
    assert "A filter in Odoo's own form" in texts(search)
    count = html.fromstring(search.text).get_element_by_id("query-count")
    assert count.xpath("./option/text()") == ["Not given", "exact", "estimate", "none"]
    page = panel.get(f"/admin/try/?target={quote(f'{definition.id} POST {route}')}")
    assert json.loads(html.fromstring(page.text).get_element_by_id("body").text)["name"] == "Example"
    rows = _explained(page)
    assert rows["country_id"][0] == "id of res.country"
    assert rows["active"][0] == "boolean"
    assert rows["type"][0].startswith("one of: contact, invoice")
    assert rows["type"][1].startswith("Address Type")
    several = panel.get(f"/admin/try/?target={quote(f'{definition.id} POST {route}')}&example=several")
    assert isinstance(json.loads(html.fromstring(several.text).get_element_by_id("body").text), list)


def test_the_form_explains_arguments_with_their_defaults(publish: Publish, panel: Panel, app: Gatehouse) -> None:
    publish(fields=(), type="rpc", method="echo", http_methods=["POST", "GET"])
    (definition,) = app.services.catalog.snapshot.definitions.values()
    route = definition.document.route
    page = panel.get(f"/admin/try/?target={quote(f'{definition.id} POST {route}')}")
    tree = html.fromstring(page.text)
    assert json.loads(tree.get_element_by_id("body").text) == {"flag": False, "only_by_name": "x"}
    assert _explained(page) == {
        "value": ["any", "–", "–"],
        "flag": ["boolean", "false", "–"],
        "only_by_name": ["string", '"x"', "–"],
    }
    by_get = html.fromstring(panel.get(f"/admin/try/?target={quote(f'{definition.id} GET {route}')}").text)
    assert by_get.get_element_by_id("query-only_by_name").get("placeholder") == "x"


# Whatever is typed.


@pytest.mark.parametrize(
    "typed",
    ["../../../admin/", "bulk", "%00", "ü\u2028", "?a=b#c", "x" * 5000, "//evil.example/", "'\"<script>"],
)
def test_no_id_that_is_typed_leads_elsewhere(typed: str, publish: Publish, attempt: Console) -> None:
    tried = attempt(publish(), suffix="/{id}", path__id=typed)
    assert tried.status in (400, 404)
    assert "error" in tried.body
    assert "<script>" not in tried.page.text


@pytest.mark.parametrize("body", ["", "{", "[" * 50_000, '{"name": "\\ud800"}', "null", '"text"', '{"name": 1e999}'])
def test_a_body_that_is_no_good_is_answered_by_the_api(body: str, publish: Publish, attempt: Console) -> None:
    tried = attempt(publish(), "POST", body=body)
    assert tried.status == 400
    assert tried.body["error"]["code"] == 400


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ü", "\x7f", "a\tb"])
def test_a_header_that_nobody_can_send_is_refused(value: str, publish: Publish, attempt: Console) -> None:
    refused = attempt(publish(), status=400, **{"header-X-Timezone": value})
    assert "A header takes one line of ASCII characters." in refused.text


def test_a_form_without_its_fields_sends_nothing(publish: Publish, attempt: Console) -> None:
    refused = attempt(publish(), "POST", status=400, body=None, caller=None, run=None)
    assert "Nothing has been sent" in refused.text
    assert "As a test, or for real?" in refused.text


def test_all_that_is_wrong_is_told_on_top_linked_to_its_field_and_the_first_has_the_cursor(
    publish: Publish, attempt: Console
) -> None:
    refused = attempt(publish(), "PATCH", "/{id}", status=400, run="later", path__id="", **{"header-X-Timezone": "ü"})
    (summary,) = refused.tree.xpath("//section[contains(@class, 'summary')]")
    assert summary.xpath("./h2/text()") == ["Nothing has been sent"]
    told = {link.get("href").removeprefix("#"): link.text_content() for link in summary.xpath(".//a")}
    assert list(told.items()) == [
        ("path-id", "id: Which record? Its id is missing."),
        ("header-X-Timezone", "X-Timezone: A header takes one line of ASCII characters."),
        ("run", "How: As a test, or for real?"),
    ]
    assert all(refused.tree.xpath("//*[@id=$id]", id=target) for target in told)
    assert refused.tree.xpath("//*[@autofocus]/@id") == ["path-id"]


def test_a_missing_id_is_asked_for_at_its_field(publish: Publish, attempt: Console) -> None:
    refused = attempt(publish(), suffix="/{id}", status=400, path__id=" ")
    assert "Its id is missing" in refused.tree.get_element_by_id("path-id-error").text_content()


@pytest.mark.parametrize("target", ["x", "999999", "1 GET", "1 GET /web", " ", "\x00", "１"])
def test_an_endpoint_that_is_not_there_is_a_page_that_is_not_there(target: str, panel: Panel) -> None:
    assert "There is no such endpoint" in texts(panel.get(f"/admin/try/?target={quote(target)}", 404))


def test_an_api_that_no_longer_fits_odoo_cannot_be_tried(
    publish: Publish, panel: Panel, app: Gatehouse, sql: Sql
) -> None:
    publish()
    (definition,) = app.services.catalog.snapshot.definitions.values()
    sql("UPDATE gatehouse.api SET document = jsonb_set(document, '{models,0,fields,0}', '\"gone\"')")
    app.services.catalog.refresh()
    assert panel.get(f"/admin/try/?target={definition.id}", 404)
    for page in ("", "endpoints", "yaml"):
        assert "/admin/try/?" not in panel.get(f"/admin/apis/{definition.id}/{page}").text


def test_of_a_long_answer_only_the_beginning_is_shown(publish: Publish, attempt: Console) -> None:
    route = publish(fields=(), type="rpc", method="echo")
    tried = attempt(route, "POST", body=json.dumps({"value": ["long"] * 40_000}))
    assert tried.status == 200
    assert "These are the first 100,000 characters" in tried.text
    assert len(tried.tree.get_element_by_id("answer-body").text) == 100_000
    assert "--data-binary @body.json" in tried.text
    # What was typed stands in the form, and once only: the programs name a file. Quotes take five characters there.
    typed = 40_000 * len("&#34;long&#34;, ")
    assert len(tried.page.text) < typed + 100_000 + 40_000 * 4


def test_what_is_too_long_for_the_page_is_not_sent(publish: Publish, attempt: Console) -> None:
    route = publish()
    refused = attempt(route, "POST", status=400, body="x" * 600_000)
    assert "at most 500,000 characters" in refused.tree.get_element_by_id("body-error").text_content()
    assert len(refused.page.text) < 520_000
    refused = attempt(route, status=400, query__domain="x" * 30_000)
    assert "at most 20,000 characters" in refused.tree.get_element_by_id("query-domain-error").text_content()
