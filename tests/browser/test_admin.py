"""The panel, as an admin uses it who never sees a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import Snapshot, log_in
from tests.packages import program
from tests.server.conftest import Server, wait_until
from tests.server.workers import ask_each

pytestmark = pytest.mark.live


def test_an_admin_makes_an_api_of_a_model_and_a_program_calls_it(
    page: Page, server: Server, snapshot: Snapshot, tmp_path: Path
) -> None:
    page.goto("/admin/")
    snapshot("login")
    log_in(page)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    snapshot("overview")

    # Expose a model.
    page.get_by_role("link", name="Expose a model").click()
    page.get_by_label("Search by label, name or addon").fill("res.partner.industry")
    page.get_by_role("button", name="Search").click()
    snapshot("models-found")
    page.get_by_role("button", name="Expose res.partner.industry").click()
    expect(page.get_by_role("status")).to_contain_text("A draft was made")

    # Choose fields, and give the API a name.
    page.get_by_label("Name", exact=True).fill("Industries")
    page.get_by_label("Route").fill("/api/industries")
    fields = page.get_by_role("group", name="Fields of res.partner.industry")
    fields.get_by_label("Show: Full Name (full_name)").check()
    fields.get_by_label("Show: Created by (create_uid)").check()
    fields.get_by_text("Fields of Created by").click()
    fields.get_by_label("Login", exact=True).check()
    page.get_by_label("Write every shown field that can be written").uncheck()
    fields.get_by_label("Write: Full Name (full_name)").uncheck()
    page.get_by_label("Log bodies").check()
    page.get_by_label("Fields that the log masks").fill("full_name")
    snapshot("definition")
    page.get_by_role("button", name="Save and publish").click()
    expect(page.get_by_role("status")).to_contain_text("The API is published")
    expect(page.get_by_text(f"{server.url}/api/industries/{{id}}").first).to_be_visible()
    snapshot("endpoints")

    # Try it: as a test, of which nothing remains.
    page.get_by_role("link", name="Try POST /api/industries", exact=True).click()
    snapshot("try")
    page.get_by_label("Body (JSON)").fill('{"name": "Never real"}')
    page.get_by_role("button", name="Send").click()
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("200 OK")
    expect(answer).to_contain_text("Test: rolled back")
    expect(answer.get_by_label("Body", exact=True)).to_contain_text('"name": "Never real"')
    snapshot("try-answer")
    page.get_by_label("Endpoint").select_option(label="GET /api/industries (search)")
    page.get_by_role("button", name="Show").click()
    page.get_by_label("domain", exact=True).fill('[["name", "=", "Never real"]]')
    page.get_by_role("button", name="Send").click()
    expect(answer.get_by_label("Body", exact=True)).to_contain_text('"length": 0')
    snapshot("try-search")

    # Create a client app.
    page.get_by_role("link", name="Client apps").click()
    page.get_by_role("link", name="New client app").click()
    page.get_by_label("Name", exact=True).fill("Shop")
    page.get_by_label("Acts as").fill("admin")
    page.get_by_label("Industries").check()
    page.get_by_label("create: create records").check()
    snapshot("client-new")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("it is not shown again")).to_be_visible()
    snapshot("secret")
    form = {
        "client_id": page.locator("#client-id").inner_text(),
        "client_secret": page.locator("#client-secret").inner_text(),
    }

    # Call the API from outside.
    token = requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=10).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    def call(method: str = "GET", below: str = "", **options: object) -> requests.Response:
        return requests.request(method, f"{server.url}/api/industries{below}", headers=headers, timeout=10, **options)  # type: ignore[arg-type]

    wait_until(lambda: ask_each(server, "/api/industries", **headers) == {200}, 30)
    record = call().json()["result"]["records"][0]
    assert set(record) == {"id", "name", "full_name", "create_uid"}
    assert "login" in record["create_uid"][1]
    assert call("POST", json={"name": "Mining"}).json()["result"]["name"] == "Mining"
    assert call("POST", json={"name": "x", "full_name": "not writable"}).status_code == 400

    page.get_by_role("link", name="To the client app").click()
    expect(page.get_by_role("link", name="Revoke token")).to_have_count(1)
    snapshot("client")

    # Switch one endpoint off.
    page.get_by_role("link", name="APIs", exact=True).click()
    snapshot("apis")
    page.get_by_role("link", name="Endpoints of Industries").click()
    assert call("GET", "/bulk", params={"ids": record["id"]}).status_code == 200
    page.get_by_role("link", name="Switch off create", exact=True).click()
    page.get_by_role("button", name="Switch it off").click()
    expect(page.get_by_role("status")).to_contain_text("Create is off")
    page.get_by_role("link", name="Switch off read", exact=True).click()
    page.get_by_role("button", name="Switch it off").click()
    expect(page.get_by_role("status")).to_contain_text("Read is off")
    read = f"/api/industries/bulk?ids={record['id']}"
    wait_until(lambda: ask_each(server, read, **headers) == {404}, 30)
    refused = call("POST", json={"name": "x"})
    assert refused.status_code == 405
    assert "POST" not in refused.headers["Allow"]
    snapshot("endpoint-off")
    page.get_by_role("link", name="Try GET /api/industries/bulk", exact=True).click()
    page.get_by_label("ids").fill(record["id"])
    page.get_by_label("As", exact=True).select_option(label="Shop")
    page.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text("404 Not Found")
    expect(page.get_by_text("This operation is switched off")).to_be_visible()
    snapshot("try-off")
    page.go_back()
    page.go_back()

    # See the calls in the numbers and in the log.
    page.get_by_role("link", name="More numbers").click()
    expect(page.get_by_role("img", name="Calls: ")).to_be_visible()
    expect(page.get_by_role("rowheader", name="GET /api/industries", exact=True)).to_be_visible()
    snapshot("analytics")
    page.get_by_role("link", name="Request log").click()
    page.get_by_label("Outcome").select_option("failed")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("row", name="POST /api/industries")).to_have_count(1)
    page.get_by_label("Outcome").select_option("")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Shop").first).to_be_visible()
    expect(page.get_by_role("cell", name="admin, in the panel, as a test")).to_have_count(2)
    snapshot("log")
    page.get_by_role("row", name="200").filter(has_text="POST").filter(has_text="Shop").get_by_role(
        "rowheader"
    ).get_by_role("link").click()
    expect(page.get_by_role("cell", name="res.partner.industry")).to_be_visible()
    expect(page.get_by_text('"name": "Mining"').first).to_be_visible()
    expect(page.get_by_text('"full_name": "***"')).to_be_visible()
    snapshot("request")
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("cell", name="res.partner.industry")).to_be_visible()
    snapshot("audit")
    page.get_by_role("link", name="Definitions, apps and settings").click()
    expect(page.get_by_role("heading", name="API Industry Created")).to_be_visible()
    snapshot("history")

    # Export.
    page.get_by_role("link", name="APIs", exact=True).click()
    page.get_by_role("link", name="Endpoints of Industries").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Postman collection").click()
    collection = tmp_path / "collection.json"
    download.value.save_as(collection)
    assert json.loads(collection.read_text())["info"]["name"] == "Industries"
    page.get_by_role("link", name="As YAML").click()
    expect(page.locator("#yaml")).to_contain_text("create_uid: [login]")
    snapshot("yaml")


def test_the_programs_that_the_console_shows_make_the_same_call(
    page: Page, server: Server, snapshot: Snapshot, tmp_path: Path
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    log_in(page)
    page.get_by_role("link", name="Try it").click()
    snapshot("try-nothing")
    page.get_by_label("Endpoint").select_option(label="POST /api/partner/rest (create)")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Fields that it takes").click()
    page.get_by_text("Headers", exact=True).click()
    snapshot("try-help")
    name = """It's "quoted" $HOME & <b>\\ü"""
    page.get_by_label("Body (JSON)").fill(json.dumps({"name": name}))
    page.get_by_label("For real").check()
    page.get_by_label("fields", exact=True).fill("name")
    page.get_by_label("fields", exact=True).press("Enter")
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("200 OK For real")

    # With the session or the password in the place that is left for it, they run as they are copied.
    (session_id,) = (cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "session_id")

    def copied(language: str) -> str:
        page.get_by_role("button", name=f"Copy the {language}").click()
        expect(page.get_by_role("button", name=f"Copy the {language}")).to_have_text("Copied")
        text: str = page.evaluate("navigator.clipboard.readText()")
        assert session_id not in text
        return text.replace("SESSION_ID", session_id).replace("YOUR_PASSWORD", "admin")

    program("curl", "curl")
    (tmp_path / "call.sh").write_text(copied("curl, with a password"))
    (tmp_path / "call.py").write_text(copied("Python"))
    for command in (["bash", str(tmp_path / "call.sh")], [sys.executable, str(tmp_path / "call.py")]):
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30, cwd=tmp_path)
        assert "result" in done.stdout, done.stdout + done.stderr
    with page.expect_console_message(lambda message: message.text.startswith("200")):
        page.evaluate(f"(async () => {{ {copied('JavaScript')} }})()")

    # Four calls for real have made four partners.
    domain = json.dumps([["name", "=", name]])
    found = server.session().get(f"{server.url}/api/partner/rest", params={"domain": domain}, timeout=10)
    assert found.json()["result"]["length"] == 4


def test_a_definition_with_several_models_is_made_by_keyboard(page: Page, snapshot: Snapshot) -> None:
    log_in(page)
    page.goto("/admin/apis/new")
    page.get_by_label("Name", exact=True).fill("By keyboard")
    page.get_by_label("Route").fill("/api/keyboard")
    page.get_by_label("Model", exact=True).focus()
    page.keyboard.type("res.partner")
    page.keyboard.press("Enter")
    fields = page.get_by_role("group", name="Fields of res.partner", exact=True)
    fields.get_by_label("Show: Parent name", exact=False).first.wait_for()
    page.get_by_label("Find a field of res.partner").fill("country")
    country = fields.get_by_label("Show: Country (country_id)")
    expect(country).to_be_checked()  # as Odoo's own list shows it
    country.focus()
    page.keyboard.press("Space")
    expect(country).not_to_be_checked()
    page.keyboard.press("Space")
    expect(country).to_be_checked()
    expect(country).to_be_focused()
    fields.get_by_text("Fields of Country").focus()
    page.keyboard.press("Enter")
    fields.get_by_label("Currency", exact=True).check()
    fields.get_by_text("Fields of Currency").click()
    fields.get_by_label("Symbol", exact=True).check()
    page.get_by_label("Add another model").fill("res.country")
    page.keyboard.press("Enter")
    page.get_by_label("All fields, also new ones").nth(1).check()
    domain = page.get_by_role("group", name="Only these records").nth(1)
    domain.get_by_text("As text", exact=True).click()
    domain.get_by_label("Domain of res.country as text").fill("[('code', '=', 'BE')]")
    snapshot("several-models")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    page.get_by_role("link", name="As YAML").click()
    text = page.locator("#yaml")
    expect(text).to_contain_text("country_id:")
    expect(text).to_contain_text("currency_id: [symbol]")
    expect(text).to_contain_text("fields: all")
    expect(text).to_contain_text("- [code, '=', BE]")
    # The editor reads what it wrote.
    page.get_by_role("link", name="Definition", exact=True).click()
    expect(page.get_by_text("Fields of Country (2 taken along)")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="As YAML").click()
    expect(text).to_contain_text("currency_id: [symbol]")


def test_the_form_shows_what_its_type_needs_and_offers_methods(page: Page, snapshot: Snapshot) -> None:
    log_in(page)
    page.goto("/admin/apis/new")
    expect(page.get_by_label("Method", exact=True)).to_be_hidden()
    page.get_by_label("Type").select_option("key_authentication")
    expect(page.get_by_text("Models and fields").first).to_be_hidden()
    page.get_by_label("Type").select_option("rpc")
    page.get_by_label("Name", exact=True).fill("Company name")
    page.get_by_label("Route").fill("/api/company/name")
    page.get_by_label("Model", exact=True).fill("res.company")
    page.get_by_role("button", name="Add model").click()
    expect(page.get_by_role("radio", name="get_company_name_with_phone(is_uppercase=False)")).to_be_visible()
    page.get_by_label("Method", exact=True).fill("no_such_method")
    page.get_by_role("button", name="Save and publish").click()
    expect(page.locator("#method-error")).to_contain_text("no method 'no_such_method'")
    snapshot("mistake")
    page.get_by_label("Method", exact=True).fill("get_company_name_with_phone")
    page.get_by_role("button", name="Save and publish").click()
    expect(page.get_by_text("/api/company/name/{id}")).to_be_visible()


def test_mistakes_conflicts_settings_and_imports_are_readable(page: Page, snapshot: Snapshot) -> None:
    log_in(page)
    page.goto("/admin/settings/")
    page.get_by_label("Records per page", exact=True).fill("5000")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#page_size-error")).to_contain_text("larger than “Most records per page”")
    snapshot("settings")
    page.get_by_role("link", name="Log, sizes and tries").click()
    page.get_by_label("One account, one address, per hour").fill("4")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#login_tries_per_hour-error")).to_contain_text("can't take fewer than a minute")
    snapshot("settings-system")

    page.goto("/admin/models/")
    snapshot("models")
    page.goto("/admin/apis/")
    page.get_by_role("link", name="Partners", exact=True).click()
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("Rate limit").fill("5/second")
    other.get_by_role("button", name="Save", exact=True).click()
    expect(other.get_by_role("status")).to_contain_text("Saved.")
    other.close()
    page.get_by_label("Most records per page").fill("50000")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Somebody else has saved this API")).to_be_visible()
    snapshot("conflict")

    page.goto("/admin/files/")
    snapshot("files")
    page.get_by_label("Or its text").fill("apis:\n- {name: A, route: /api/a, models: [{model: no.model, fields: [x]}]}")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="This file can't be imported")).to_be_visible()
    snapshot("import-refused")
    page.get_by_label("Definition file").fill(
        "apis:\n- {name: Partners, route: /api/partner/rest, models: [{model: res.partner, fields: [name]}]}\n"
        "- {name: A, route: /api/a, models: [{model: res.country, fields: [name, code]}]}"
    )
    page.get_by_role("button", name="Preview again").click()
    expect(page.get_by_text("Nothing has been changed yet.")).to_be_visible()
    snapshot("import")


def test_somebody_who_is_no_administrator_is_told_so(page: Page, snapshot: Snapshot) -> None:
    log_in(page, "demo")
    expect(page.get_by_role("heading", name="This panel is not for you")).to_be_visible()
    snapshot("forbidden")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
