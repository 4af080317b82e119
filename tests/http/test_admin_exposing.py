"""Exposing a model in the panel: which are offered, with which fields, methods and records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import html

from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.panel import Panel, texts

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def panel(app: Gatehouse, admin: Client, sql: Sql) -> Iterator[Panel]:
    """An administrator in front of the panel; APIs are gone after the test."""
    yield Panel(admin)
    sql("DELETE FROM gatehouse.api")
    app.services.catalog.refresh()


def _models(panel: Panel, query: str = "") -> list[str]:
    names: list[str] = html.fromstring(panel.get(f"/admin/models/{query}").text).xpath(
        "//td[@data-label='Name']/code/text()"
    )
    return names


def test_models_that_people_work_with_come_first_and_technical_ones_wait_behind_a_link(panel: Panel) -> None:
    names = _models(panel)
    assert names[0] == "res.partner"
    assert not [name for name in names if name.startswith(("ir.", "mail.", "base."))]
    every = _models(panel, "?all=1")
    assert every[: len(names)] == names
    assert len(every) > len(names)


def test_the_exact_match_comes_first_and_technical_models_are_found_too(panel: Panel) -> None:
    assert _models(panel, "?q=contact")[0] == "res.partner"
    assert _models(panel, "?q=res.partner")[0] == "res.partner"
    assert "ir.ui.menu" in _models(panel, "?q=menu")
    assert panel.get("/admin/pick/models?q=country").json[0] == {"value": "res.country", "label": "Country"}


def test_fields_come_by_importance_with_those_that_expose_would_choose(panel: Panel) -> None:
    found = panel.get("/admin/pick/fields?model=res.partner").json
    names = [field["name"] for field in found["fields"]]
    assert {"name", "email", "phone"} <= set(found["suggested"])
    assert names.index("name") < names.index("email") < names.index("phone") < names.index("message_is_follower")
    assert [field["name"] for field in found["fields"] if field["needed"]] == ["name"]
    (kind,) = [field["selection"] for field in found["fields"] if field["name"] == "type"]
    assert ["invoice", "Invoice"] in kind


def test_methods_come_with_their_signatures_and_what_they_need_to_be_told(panel: Panel) -> None:
    found = {each["value"]: each for each in panel.get("/admin/pick/methods?model=res.company").json}
    assert found["get_company_name_with_phone"]["signature"] == "is_uppercase=False"
    method = panel.get("/admin/pick/method?model=res.company&name=copy").json
    assert method["doc"].startswith("Duplicate record")
    assert method["parameters"][0]["name"] == "default"
    assert method["parameters"][0]["declare"]
    harmless = panel.get("/admin/pick/method?model=res.company&name=get_company_name_with_phone").json
    assert harmless["parameters"] == [{"name": "is_uppercase", "optional": True, "default": False, "declare": None}]


@pytest.mark.parametrize(
    "query", ["model=ir.config_parameter&name=get_param", "model=res.company&name=write", "model=x&name=y", ""]
)
def test_methods_that_no_api_may_call_are_not_described(panel: Panel, query: str) -> None:
    panel.get(f"/admin/pick/method?{query}", 404)


def test_records_are_found_by_name_and_named_by_id(panel: Panel) -> None:
    (found,) = panel.get("/admin/pick/records?model=res.country&q=Belgium").json
    assert found["label"] == "Belgium"
    assert panel.get(f"/admin/pick/records?model=res.country&ids={found['value']},999999").json == [found]


@pytest.mark.parametrize("model", ["ir.config_parameter", "res.users.apikeys", "no.model", "base", ""])
def test_records_of_what_cannot_be_exposed_are_not_found(panel: Panel, model: str) -> None:
    panel.get(f"/admin/pick/records?model={model}&q=a", 404)


def test_records_are_those_that_the_admin_may_see(panel: Panel, root: Callable[..., Any]) -> None:
    """An administrator of the panel is no superuser in Odoo: record rules hold."""

    def hide(env: Any) -> None:
        model = env["ir.model"]._get_id("res.country")
        env["ir.rule"].create({"name": "test: none", "model_id": model, "domain_force": "[('id', '=', 0)]"})

    root(hide)
    try:
        assert panel.get("/admin/pick/records?model=res.country&q=Belgium").json == []
    finally:
        root(lambda env: env["ir.rule"].search([("name", "=", "test: none")]).unlink())


def test_a_form_that_odoos_list_fills_in_has_the_fields_that_a_new_record_needs(panel: Panel) -> None:
    page = panel.get("/admin/apis/new?model=res.partner&fields=complete_name,email,phone")
    (text,) = html.fromstring(page.text).xpath("//textarea[@name='models']/text()")
    assert '"name"' in text
    saved = panel.follow(panel.submit(page, "/admin/apis/new", route="/api/contacts", publish="1"))
    assert "The API is published" in texts(saved)
    created = panel.client("POST", "/api/contacts", json={"name": "By a list's fields"})
    assert created.json["result"]["name"] == "By a list's fields"
