"""Exposing a model in the panel: models by use, good fields chosen, domains in rows, methods, and mistakes."""

from __future__ import annotations

import itertools
import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Snapshot, log_in

pytestmark = pytest.mark.live

#: So that no two tests ask for one name.
_numbers = itertools.count()


def _entry(page: Page) -> dict[str, object]:
    (entry,) = json.loads(page.locator("[name=models]").input_value())
    return dict(entry)


def _new(page: Page, model: str, kind: str = "rest") -> Locator:
    """Open the form of a new API, and add a model to it."""
    log_in(page)
    page.goto("/admin/apis/new")
    page.get_by_label("Type").select_option(kind)
    number = next(_numbers)
    page.get_by_label("Name", exact=True).fill(f"API {number}")
    page.get_by_label("Route").fill(f"/api/exposing/{number}")
    page.get_by_label("Model", exact=True).fill(model)
    page.get_by_role("button", name="Add model").click()
    return page.get_by_role("group", name=f"Fields of {model}", exact=True)


def test_models_that_people_work_with_come_first_and_the_exact_match_before_all(page: Page, snapshot: Snapshot) -> None:
    log_in(page)
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("res.partner")
    snapshot("models")
    page.get_by_label("Search by label").fill("contact")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row").nth(1)).to_contain_text("res.partner")
    snapshot("models-found")
    page.get_by_role("link", name="All models").click()
    snapshot("models-all")


def test_a_model_comes_with_fields_that_are_known_to_be_good(page: Page, snapshot: Snapshot) -> None:
    fields = _new(page, "res.partner")
    expect(fields.get_by_label("Show: Name (name)")).to_be_checked()
    expect(fields.get_by_label("Show: Email (email)")).to_be_checked()
    names = fields.locator("tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.name)")
    assert names.index("phone") < names.index("street") < names.index("message_is_follower")
    count = page.get_by_text("fields chosen")
    before = count.inner_text()
    fields.get_by_label("Show: Name (name)").uncheck()
    expect(count).not_to_have_text(before)
    expect(page.get_by_text("A new record needs Name")).to_be_visible()
    snapshot("needs")
    page.get_by_role("button", name="Add it").click()
    expect(fields.get_by_label("Show: Name (name)")).to_be_focused()
    expect(count).to_have_text(before)
    page.get_by_label("Find a field of res.partner").fill("name")
    expect(fields.locator("tbody tr:visible").first).to_contain_text("name · char")

    # Related fields, with the chosen ones beside the tree.
    page.get_by_label("Find a field of res.partner").fill("country_id")
    fields.get_by_label("Show: Country (country_id)").check()
    fields.get_by_text("Fields of Country").click()
    page.get_by_label("Find a field of Country").fill("code")
    fields.get_by_label("Country Code", exact=True).check()
    snapshot("related")
    page.get_by_role("button", name="Take out Country Code").click()
    expect(fields.get_by_label("Country Code", exact=True)).not_to_be_checked()
    assert "related" not in _entry(page)


def test_a_domain_is_made_of_rows_and_the_text_stays_in_step(page: Page, snapshot: Snapshot) -> None:
    _new(page, "res.partner")
    domain = page.get_by_role("group", name="Only these records")
    domain.get_by_role("button", name="Add a condition").click()
    expect(domain.get_by_label("Field", exact=True)).to_be_focused()
    domain.get_by_label("Field", exact=True).select_option("country_id")
    value = domain.get_by_label("Value for Country")
    value.press_sequentially("Belgi")
    option = domain.locator("datalist option").first
    expect(option).to_have_attribute("value", re.compile(r"Belgium \(\d+\)"))
    value.fill(option.get_attribute("value") or "")
    belgium = int(value.input_value().rpartition("(")[2].rstrip(")"))
    domain.get_by_role("button", name="Add a condition").click()
    row = domain.get_by_role("listitem").nth(1)
    row.get_by_label("Field", exact=True).select_option("parent_id")
    row.get_by_label("Of Related Company").select_option("is_company")
    row.get_by_label("Value for Is a Company").select_option("false")
    domain.get_by_label("How conditions are joined").select_option("any")
    assert _entry(page)["domain"] == ["|", ["country_id", "=", belgium], ["parent_id.is_company", "=", False]]
    domain.get_by_text("As text", exact=True).click()
    snapshot("domain")

    text = domain.get_by_label("Domain of res.partner as text")
    text.fill('[["name", "ilike", "azure"], ["create_date", ">=", "2026-01-02 10:00:00"]]')
    expect(domain.get_by_label("Value for Created on")).to_have_value("2026-01-02T10:00")
    text.fill("[('name', '=like', 'A%')]")
    expect(domain.get_by_text("it is edited as text")).to_be_visible()
    expect(domain.get_by_role("button", name="Add a condition")).to_be_hidden()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    assert _entry(page)["domain"] == [["name", "=like", "A%"]]


def test_a_condition_without_a_value_keeps_the_form_from_being_sent(page: Page) -> None:
    _new(page, "res.partner")
    page.get_by_role("button", name="Add a condition").click()
    address = page.url
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Value for Name")).to_be_focused()
    assert page.url == address


def test_a_method_is_chosen_by_keyboard_and_its_arguments_are_declared(page: Page, snapshot: Snapshot) -> None:
    _new(page, "res.partner", "rpc")
    page.get_by_label("Find a method of res.partner").fill("copy")
    page.keyboard.press("Tab")
    page.get_by_role("radio", name="copy(default=None)").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Method", exact=True)).to_have_value("copy")
    about = page.get_by_role("region", name="The chosen method")
    expect(about.get_by_text("To be declared")).to_be_visible()
    snapshot("methods")
    about.get_by_label("What default is").select_option("harmless")
    expect(about.get_by_text("To be declared")).to_be_hidden()
    expect(page.get_by_label("Arguments: ids")).to_have_value("default: harmless")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")


def test_all_mistakes_are_told_at_once_and_lead_to_their_places(page: Page, snapshot: Snapshot) -> None:
    _new(page, "res.partner")
    page.get_by_label("Route").fill("/web/x")
    page.get_by_label("Rate limit").fill("often")
    page.get_by_label("Records per page", exact=True).fill("5000")
    domain = page.get_by_role("group", name="Only these records")
    domain.get_by_text("As text", exact=True).click()
    domain.get_by_label("Domain of res.partner as text").fill("[('nonsense', '=', 1)]")
    models = page.locator("[name=models]")
    entry = _entry(page)
    entry["writable_fields"] = ["complete_name"]
    models.evaluate("(element, text) => { element.value = text; }", json.dumps([entry]))
    page.get_by_role("button", name="Save", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("listitem")).to_have_count(5)
    expect(page.get_by_label("Route")).to_be_focused()
    snapshot("mistakes")
    alert.get_by_role("link", name="Rate limit").click()
    expect(page.get_by_label("Rate limit")).to_be_focused()
    alert.get_by_role("link", name="Contact (res.partner) – Only these records").click()
    expect(page.get_by_role("group", name="Only these records")).to_be_focused()
    alert.get_by_role("link", name="Contact (res.partner) – Write").click()
    expect(page.get_by_label("Write: Complete Name (complete_name)")).to_be_focused()
