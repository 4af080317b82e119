"""What of Odoo's side meets the panel: the form that *Expose API* opens, and the switches of Odoo's own RPC."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import html

from app.web.routing import Gatehouse
from tests import stored_apis
from tests.http.conftest import Client
from tests.http.panel import Panel, texts

NEW = "/admin/apis/new"


@pytest.fixture
def panel(app: Gatehouse, admin: Client, sql: Callable[..., list[tuple[Any, ...]]]) -> Iterator[Panel]:
    """An administrator in front of the panel; APIs are gone after the test."""
    yield Panel(admin)
    sql("DELETE FROM gatehouse.api")
    app.services.catalog.refresh()


def _entry(panel: Panel, address: str) -> dict[str, Any]:
    (text,) = html.fromstring(panel.get(address).text).xpath("//textarea[@name='models']/text()")
    (entry,) = json.loads(text)
    return dict(entry)


def test_the_form_is_filled_in_from_its_address_and_nothing_is_stored(panel: Panel, app: Gatehouse) -> None:
    entry = _entry(panel, f"{NEW}?model=res.partner&fields=email,name,email")
    assert entry == {"model": "res.partner", "fields": ["email", "name"]}
    assert stored_apis.load(app).apis == ()


def test_a_form_that_was_filled_in_is_saved_like_any_other(panel: Panel, app: Gatehouse) -> None:
    panel.follow(panel.send(f"{NEW}?model=test.record&fields=name,count", route="/api/records"))
    (api,) = stored_apis.load(app).apis
    assert api.document["published"] is False
    assert api.document["route"] == "/api/records"
    assert api.document["models"][0]["fields"] == ["name", "count"]


def test_fields_that_cannot_be_exposed_are_left_out_and_named(panel: Panel) -> None:
    address = f"{NEW}?model=res.users&fields=login,password,no_such,<script>"
    assert _entry(panel, address)["fields"] == ["name", "login"]  # a new user needs a name
    page = panel.get(address)
    assert "can't be exposed: password, no_such, <script>." in texts(page)
    assert "<script>." not in page.text


def test_fields_that_a_new_record_needs_are_there_though_odoos_list_does_not_show_them(panel: Panel) -> None:
    assert _entry(panel, f"{NEW}?model=res.partner&fields=complete_name,email")["fields"] == [
        "name",
        "complete_name",
        "email",
    ]


@pytest.mark.parametrize("fields", ["", ",,", "no_such"])
def test_without_fields_that_can_be_exposed_the_form_has_sensible_ones(panel: Panel, fields: str) -> None:
    assert "name" in _entry(panel, f"{NEW}?model=res.partner&fields={fields}")["fields"]


@pytest.mark.parametrize("model", ["ir.config_parameter", "gatehouse.rpc", "base", "no.such.model", "x%00"])
def test_a_model_that_cannot_be_exposed_fills_in_nothing(panel: Panel, model: str) -> None:
    assert "that can be exposed" in texts(panel.get(f"{NEW}?model={model}", 404))


def test_the_settings_say_how_to_install_the_addon_where_it_is_missing(panel: Panel) -> None:
    text = texts(panel.get("/admin/settings/odoo"))
    assert "The addon is not installed" in text
    assert "-i gatehouse" in text
    assert "odoo_bridge/addons" in text


def test_without_the_addon_there_is_nothing_to_switch(panel: Panel) -> None:
    (token,) = html.fromstring(panel.get("/admin/settings/").text).xpath("(//input[@name='csrf_token'])[1]/@value")
    answer = panel.client("POST", "/admin/settings/odoo", data={"csrf_token": token, "refused": "jsonrpc"})
    assert answer.status_code == 400
    assert "addon is not installed" in texts(answer)
