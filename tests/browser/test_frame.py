"""What stands on pages of the panel beside their forms: switches of endpoints, help, the preview of an import."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Snapshot, log_in

pytestmark = pytest.mark.live

SEVERAL = """
clients: [{name: Warehouse, user: admin, scopes: [read, search]}]
apis:
- name: Open to all
  route: /api/open
  published: true
  authentication: public
  run_as: admin
  models:
  - {model: res.partner, fields: all, writable_fields: [name, email, bank_ids], related: {bank_ids: [acc_number]}}
- name: Draft
  route: /api/draft
  mode: test
  models: [{model: res.country, fields: [name, code], domain: [[code, "!=", XX]]}]
- name: Companies
  route: /api/companies
  type: rpc
  method: get_company_name_with_phone
  authentication: public
  published: true
  models: [{model: res.company}]
- name: Partners
  route: /api/partner/rest
  published: true
  clients: [Warehouse]
  models: [{model: res.partner, fields: [name, email, phone, vat]}]
- name: Two models
  route: /api/two
  published: true
  endpoints: {delete: false}
  models:
  - {model: res.partner, fields: [name, email, phone]}
  - {model: res.partner.industry, fields: [name], endpoints: {delete: true}}
"""


def test_an_import_is_looked_at_and_its_endpoints_are_switched(page: Page, snapshot: Snapshot) -> None:
    log_in(page)
    page.get_by_role("link", name="Import & export").click()
    page.get_by_label("Or its text").fill(SEVERAL)
    page.get_by_role("button", name="Preview").click()
    snapshot("preview")
    page.get_by_role("button", name="Import").click()
    page.get_by_role("link", name="APIs", exact=True).click()
    page.get_by_role("link", name="Endpoints of Two models").click()
    page.get_by_role("link", name="Switch off bulk delete of res.partner.industry").click()
    page.get_by_role("button", name="Switch it off").click()
    expect(page.get_by_role("status")).to_contain_text("Bulk delete of res.partner.industry is off.")
    expect(page.get_by_role("button", name="Switch on bulk delete of res.partner.industry")).to_be_visible()
    snapshot("endpoints")


def test_help_leads_to_what_is_said_about_the_page(page: Page, snapshot: Snapshot) -> None:
    log_in(page)
    page.get_by_role("navigation", name="Panel").get_by_role("link", name="Client apps").click()
    page.get_by_role("navigation", name="Help", exact=True).get_by_role("link", name="Help").click()
    expect(page).to_have_url(re.compile("/admin/help/panel#client-apps$"))
    expect(page.get_by_role("heading", name="Client apps")).to_be_in_viewport()
    snapshot("help")
    page.get_by_role("article").get_by_role("link", name="token of their own").click()
    expect(page.get_by_role("heading", name="Who calls")).to_be_visible()
    page.get_by_role("navigation", name="Pages of help").get_by_role("link", name="In production").click()
    snapshot("help-operations")
    page.get_by_role("navigation", name="Pages of help").get_by_role("link", name="Performance").click()
    for picture in page.get_by_role("article").get_by_role("img").all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", value=True)
        assert picture.evaluate("img => img.naturalWidth") > 0
    snapshot("help-performance")
