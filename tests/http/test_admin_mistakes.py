"""Mistakes in the panel's forms: all told at once, in the form's words, each linked to its field; true differences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import html
from werkzeug.test import TestResponse

from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.panel import Panel, errors_of, texts

Sql = Callable[..., list[tuple[Any, ...]]]
MODELS = json.dumps([{"model": "test.record", "fields": ["name", "count"]}])
GOOD = {"name": "Records", "route": "/api/records", "models": MODELS}


@pytest.fixture
def panel(app: Gatehouse, admin: Client, sql: Sql) -> Iterator[Panel]:
    """An administrator in front of the panel; APIs are gone after the test."""
    yield Panel(admin)
    sql("DELETE FROM gatehouse.api")
    app.services.catalog.refresh()


def _told(page: TestResponse) -> list[tuple[str, str]]:
    """Return the summary of a form: what is wrong, and the id that it leads to, which is on the page."""
    document = html.fromstring(page.text)
    links = document.xpath("//section[@role='alert']//li/a")
    targets = [link.get("href").removeprefix("#") for link in links]
    assert all(document.xpath("//*[@id=$id]", id=target) for target in targets)
    return [(" ".join(link.text_content().split()), target) for link, target in zip(links, targets, strict=True)]


def test_mistakes_of_all_kinds_are_told_at_once_in_the_order_of_the_page(panel: Panel) -> None:
    entry = {
        "model": "test.record",
        "fields": ["name", "nome"],
        "writable_fields": ["count"],
        "domain": [["x", "=", 1]],
    }
    wrong = {"name": "", "route": "/web/x", "page_size": "many", "rate_limit": "often", "models": json.dumps([entry])}
    answer = panel.send("/admin/apis/new", **wrong, run_as="nobody at all")
    condition = "condition ('x', '=', 1)"
    assert _told(answer) == [
        ("Name: This field is required.", "name"),
        ("Route: Must start with /api/ and go on with letters, digits and _.~- between slashes", "route"),
        ("Runs as: There is no active user 'nobody at all'", "run_as"),
        ("Test Record (test.record) – Write: Not among fields: count", "models"),
        ("Test Record (test.record) – Show: test.record has no field 'nome'", "models"),
        (f"Test Record (test.record) – Only these records: Invalid field test.record.x in {condition}", "models"),
        ("Records per page: Not a valid integer value.", "page_size"),
        ('Rate limit: Must look like "100/minute" (second, minute, hour or day)', "rate_limit"),
    ]  # fmt: skip


def test_the_cursor_stands_at_the_first_field_at_fault_without_a_script(panel: Panel) -> None:
    answer = panel.send("/admin/apis/new", **{**GOOD, "page_size": "0", "route": "/x"})
    (focused,) = html.fromstring(answer.text).xpath("//*[@autofocus]")
    assert focused.get("id") == "route"
    assert focused.get("aria-invalid") == "true"
    assert focused.get("aria-describedby") == "route-help route-error"


def test_a_mistake_in_checkboxes_leads_to_their_group(panel: Panel) -> None:
    answer = panel.send("/admin/apis/new", **GOOD, operations=["explode"])
    ((message, target),) = _told(answer)
    assert message.startswith("Operations: ")
    assert html.fromstring(answer.text).get_element_by_id(target).tag == "fieldset"


def test_keys_are_called_as_the_form_calls_them(panel: Panel) -> None:
    answer = panel.send("/admin/apis/new", **GOOD, max_page_size="10", statistics=None, log_bodies="y")
    assert [message for message, _ in _told(answer)] == [
        "Log bodies: Only calls that are logged (“Count and log calls”) can have their bodies logged",
        "Records per page: Is larger than “Most records per page”",
    ]


def test_the_mistakes_of_several_models_name_the_model(panel: Panel) -> None:
    models = [{"model": "test.record", "fields": ["nome"]}, {"model": "res.country", "fields": ["name", "kode"]}, {}]
    answer = panel.send("/admin/apis/new", **{**GOOD, "models": json.dumps(models)})
    told = [message for message, _ in _told(answer)]
    assert "Test Record (test.record) – Show: test.record has no field 'nome'" in told
    assert "Country (res.country) – Show: res.country has no field 'kode'" in told
    assert any(message.startswith("Model 3 – Model: ") for message in told)
    assert "Country (res.country) – Show: res.country has no field 'kode'" in errors_of(answer, "models")


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/admin/settings/", {"page_size": "x", "rate_limit": "x", "run_as": "nobody at all"}),
        ("/admin/settings/system", {"log_retention_days": "0", "max_body_size": "x", "account_tries_per_hour": ""}),
        ("/admin/clients/new", {"name": "", "lifetime": "1", "redirect_uris": "x:y"}),
    ],
)
def test_every_form_tells_all_that_is_wrong(panel: Panel, path: str, values: dict[str, str]) -> None:
    answer = panel.send(path, **values)
    assert answer.status_code == 400
    assert sorted(target for _, target in _told(answer)) == sorted(values)


def test_a_file_tells_the_mistakes_of_all_its_apis_and_client_apps(panel: Panel) -> None:
    text = """
clients: [{name: X, user: nobody}]
apis:
- {name: A, route: /web/a, models: [{model: no.model, fields: [name]}]}
- {name: B, route: /api/b, rate_limit: often, models: [{model: res.country, fields: [kode]}]}
"""
    answer = panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text=text)
    assert answer.status_code == 400
    said = texts(answer)
    for part in ("client 'X': user", "API 'A': route", "no model 'no.model'", "API 'B': rate_limit", "no field 'kode'"):
        assert part in said
    assert {target for _, target in _told(answer)} == {"text"}


def _difference(page: TestResponse) -> list[str]:
    (shown,) = html.fromstring(page.text).xpath("//pre[@class='difference']")
    return [line for line in shown.text_content().splitlines() if line[:1] in "+-" and line.strip()]


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({"rate_limit": "often"}, ["+   rate_limit: often"]),
        ({"page_size": "many"}, ["+   page_size: many"]),
        ({"models": '[{"model": "test.record", "fields": ["name", "nome"]}]'}, ["+     fields: [name, nome]"]),
        ({"models": MODELS.replace("]}", '], "domain": "[(("}')}, ["+     domain: '[(('"]),
    ],
)  # fmt: skip
def test_a_conflict_with_a_mistake_shows_what_differs_and_no_more(
    panel: Panel, values: dict[str, str], lines: list[str]
) -> None:
    form = panel.send("/admin/apis/new", **GOOD).headers["Location"]
    page = panel.get(form)
    panel.follow(panel.submit(page, form, mode="test"))
    answer = panel.submit(page, form, **values)
    assert answer.status_code == 409
    difference = _difference(answer)
    assert [line for line in difference if line.startswith("+")] == lines
    assert "-   mode: test" in difference
    assert len(difference) <= len(lines) + 2
    assert _told(answer)
