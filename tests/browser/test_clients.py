"""Client apps in a browser: made with the least rights, warned about, tried by pasting, and deleted with open eyes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Snapshot, log_in
from tests.packages import program

#: Longest time that the two commands may take, on a machine that does much else.
SECONDS = 60


def _paste(page: Page, folder: Path) -> dict[str, object]:
    """Run the two commands of the page in one shell, as they are copied, and return the answer to the call."""
    script = "\n".join(page.locator(f"#{name}").inner_text() for name in ("get-token", "first-call"))
    program("curl", "curl")
    (folder / "pasted.sh").write_text(script)
    done = subprocess.run(["sh", "pasted.sh"], capture_output=True, text=True, check=True, timeout=SECONDS, cwd=folder)
    answer: dict[str, object] = json.loads(done.stdout)
    assert "result" in answer, answer
    return answer


def _new(page: Page, name: str, *apis: str) -> None:
    page.goto("/admin/clients/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Acts as").fill("admin")
    for api in apis:
        page.get_by_label(api).check()


def test_a_new_client_app_makes_its_first_call_by_pasting_two_commands(
    page: Page, snapshot: Snapshot, tmp_path: Path
) -> None:
    log_in(page)
    _new(page, "Pasted", "Partners")
    snapshot("new")
    page.get_by_role("button", name="Create").click()
    snapshot("secret")
    result = _paste(page, tmp_path)["result"]
    assert isinstance(result, dict)
    assert len(result["records"]) == 3


def test_the_same_by_rpc(page: Page, tmp_path: Path) -> None:
    definition = {
        "name": "Company by token", "route": "/api/company/token", "type": "rpc", "published": True,
        "method": "get_company_name_with_phone", "models": [{"model": "res.company"}],
    }  # fmt: skip
    log_in(page)
    page.goto("/admin/files/")
    page.get_by_label("Or its text").fill(json.dumps({"apis": [definition]}))
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("status")).to_contain_text("imported")
    _new(page, "By RPC", "Company by token")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", name="This app can't call anything")).to_be_visible()
    page.get_by_label("rpc: call methods").check()
    page.get_by_role("button", name="Create", exact=True).click()
    assert isinstance(_paste(page, tmp_path)["result"], str)


def test_an_app_that_can_call_nothing_is_made_after_a_warning(page: Page, snapshot: Snapshot) -> None:
    log_in(page)
    _new(page, "Idle")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_text("It is connected to no API.")).to_be_visible()
    snapshot("warning")
    page.get_by_role("button", name="Create anyway").click()
    expect(page.get_by_text("it is not shown again")).to_be_visible()


def test_a_deletion_is_asked_for_with_its_facts_and_done_by_keyboard(
    page: Page, snapshot: Snapshot, tmp_path: Path
) -> None:
    log_in(page)
    _new(page, "Leaving", "Partners")
    page.get_by_role("button", name="Create").click()
    _paste(page, tmp_path)
    page.get_by_role("link", name="To the client app").click()
    page.get_by_label("Name", exact=True).fill("Gone soon")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Gone soon Active")).to_be_visible()
    snapshot("client")
    page.get_by_role("link", name="Delete").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Delete Gone soon?")).to_be_visible()
    expect(page.get_by_text("1 token", exact=True)).to_be_visible()
    snapshot("delete")
    page.get_by_role("button", name="Delete it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The client app Gone soon is deleted.")
    expect(page.get_by_role("link", name="Gone soon")).to_have_count(0)


def test_test_mode_is_entered_with_open_eyes(page: Page, snapshot: Snapshot) -> None:
    log_in(page)
    page.goto("/admin/apis/")
    page.get_by_role("link", name="Partners", exact=True).click()
    explained = page.get_by_text("Where anybody may call, no token is looked at")
    expect(explained).to_be_hidden()
    page.get_by_label("Who may call").select_option("public")
    expect(explained).to_be_visible()
    snapshot("public")
    page.get_by_label("Who may call").select_option("user")
    expect(explained).to_be_hidden()
    page.goto("/admin/apis/")
    page.get_by_role("link", name="Partners", exact=True).click()
    page.get_by_role("link", name="To test mode").click()
    expect(page.get_by_text("whatever they write is discarded")).to_be_visible()
    snapshot("test-mode")
    page.get_by_role("button", name="To test mode").click()
    expect(page.get_by_role("status")).to_contain_text("in test mode now")
    page.get_by_role("link", name="To production").click()
    page.get_by_role("button", name="To production").click()
    expect(page.get_by_role("status")).to_contain_text("in production mode now")
