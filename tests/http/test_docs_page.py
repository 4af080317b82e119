"""The page of the docs: who is in, how others get in, and a first call that works."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import Any

import pytest
from itsdangerous import TimestampSigner

from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish

LOG_IN = "/api/oauth2/login?next=/api/docs"


@pytest.fixture
def stranger(app: Gatehouse) -> Client:
    """A caller with cookies of their own, who logs in and out."""
    return Client(app)


def form_of(page: Any) -> dict[str, str]:
    """Return the hidden field of a page's form."""
    return {"csrf_token": page.text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]}


def enter(client: Client, address: str = LOG_IN, **changes: str) -> Any:
    """Log in by the page; return the answer."""
    form = {**form_of(client("GET", address)), "login": "demo", "password": "demo"}
    return client("POST", address, data={**form, **changes})


def lines(page: Any, name: str) -> str:
    """Return command lines of the page."""
    return unescape(re.search(rf'<pre id="{name}"[^>]*>(.*?)</pre>', page.text, re.S)[1])  # type: ignore[index]


def test_a_stranger_is_told_so_and_where_to_log_in(stranger: Client) -> None:
    page = stranger("GET", "/api/docs", query_string={"api": "Some API"})
    assert "not logged in" in page.text
    assert 'href="/api/oauth2/login?next=/api/docs?api%3DSome%2BAPI"' in page.text
    assert "Set-Cookie" not in page.headers


def test_the_login_of_the_docs_comes_back_and_says_who_is_in(stranger: Client, publish: Publish) -> None:
    route = publish("res.partner")
    answer = enter(stranger)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/api/docs")
    page = stranger("GET", "/api/docs")
    assert "logged in as <strong>demo</strong>" in page.text
    assert f'<a href="{route}?limit=3">' in page.text
    assert stranger("GET", f"{route}?limit=3").status_code == 200


def test_a_wrong_password_opens_nothing(stranger: Client) -> None:
    assert enter(stranger, password="wrong").status_code == 401
    assert "not logged in" in stranger("GET", "/api/docs").text


def test_the_login_needs_the_token_of_its_form(stranger: Client) -> None:
    enter(stranger, csrf_token="foreign")
    assert "not logged in" in stranger("GET", "/api/docs").text


@pytest.mark.parametrize(
    "following", ["//evil.example", "/api/docs//evil.example", "/api/docs/logout", "/api/docsx", "/api/docs?%0d%0aX:y"]
)
def test_the_login_leads_to_no_other_place(following: str, stranger: Client) -> None:
    answer = enter(stranger, f"/api/oauth2/login?next={following}")
    assert answer.headers["Location"] == "/api/oauth2/consents"


def test_who_logs_out_is_out_here_and_in_every_api(stranger: Client, publish: Publish) -> None:
    route = publish("res.partner")
    enter(stranger)
    form = form_of(stranger("GET", "/api/docs"))
    assert stranger("POST", "/api/docs/logout", data=form).headers["Location"] == "/api/docs"
    assert "not logged in" in stranger("GET", "/api/docs").text
    assert stranger("GET", route).status_code == 401


def test_a_foreign_page_logs_nobody_out_and_the_answer_says_so(stranger: Client) -> None:
    enter(stranger)
    stranger("GET", "/api/docs")
    answer = stranger("POST", "/api/docs/logout", data={"csrf_token": "foreign"})
    assert answer.status_code == 400
    assert "Nobody is logged out." in answer.text
    assert "logged in as" in stranger("GET", "/api/docs").text
    assert stranger("POST", "/api/docs/logout", data=form_of(answer)).status_code == 303


@pytest.mark.parametrize(("hours", "said"), [(11, "not logged in"), (13, "logged in as")])
def test_the_page_logs_out_for_a_working_day(
    hours: int, said: str, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(stranger)
    with monkeypatch.context() as earlier:
        earlier.setattr(TimestampSigner, "get_timestamp", lambda _: int(time.time()) - hours * 3600)
        form = form_of(stranger("GET", "/api/docs"))
    stranger("POST", "/api/docs/logout", data=form)
    assert said in stranger("GET", "/api/docs").text


def test_a_session_that_has_ended_is_a_strangers(stranger: Client) -> None:
    stranger.http.set_cookie("session_id", "x" * 84)
    assert "not logged in" in stranger("GET", "/api/docs").text


def test_the_panel_is_named_to_admins_alone(admin: Client, demo: Client) -> None:
    assert 'href="/admin/"' in admin("GET", "/api/docs").text
    assert 'href="/admin/"' not in demo("GET", "/api/docs").text


def test_a_stranger_learns_neither_database_nor_apis(anyone: Client, publish: Publish, database: str) -> None:
    route = publish("res.partner", name="Only for friends")
    page = anyone("GET", "/api/docs")
    assert route not in page.text
    assert database not in page.text
    assert "Only for friends" not in page.text


def test_the_lines_call_what_the_visitor_may_call(demo: Client, publish: Publish, database: str) -> None:
    route = publish("res.partner", page_size=2, max_page_size=2)
    page, call = demo("GET", "/api/docs"), f"'http://localhost{route}?limit=2'"
    assert lines(page, "key") == f"curl \\\n  -H 'Authorization: Bearer YOUR_API_KEY' \\\n  {call}"
    assert lines(page, "token").endswith(call)
    assert f'"db": "{database}", "login": "demo"' in lines(page, "session")


def test_the_lines_hold_the_address_that_the_page_was_asked_at(anyone: Client) -> None:
    page = anyone("GET", "/api/docs", base_url="https://api.example.com")
    assert "https://api.example.com/api/oauth2/token" in lines(page, "token")
    assert "https://api.example.com/web/session/authenticate" in lines(page, "session")


def test_the_first_call_is_of_the_api_that_was_asked_for(demo: Client, publish: Publish) -> None:
    publish("res.partner", name="A first")
    publish("res.partner", name="A second")
    assert "<strong>A second</strong>" in demo("GET", "/api/docs?api=A+second").text


ONE = [["email", "=", "first@example.com"]]
#: Definitions, and the first call that a stranger is shown, with what follows its address.
OPEN = [
    ({}, "GET", r"\?limit=3"),
    ({"endpoints": {"search": False}, "domain": ONE}, "GET", r"/[A-Za-z0-9]{5,}"),
    ({"type": "rpc", "method": "get_metadata", "domain": ONE}, "POST", "/[A-Za-z0-9]{5,}"),
    ({"type": "rpc", "method": "action_archive", "mode": "test", "id_obfuscation": False}, "POST", r"/\d+"),
]


@pytest.mark.parametrize(("keys", "method", "rest"), OPEN)
def test_a_first_call_is_one_that_succeeds_as_it_stands(
    keys: dict[str, Any], method: str, rest: str, anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    def make(root: Any) -> None:
        root["res.partner"].create({"name": "First", "email": "first@example.com"})

    app.services.transactions.run(make)
    route = publish("res.partner", authentication="public", run_as="demo", **keys)
    text = lines(anyone("GET", "/api/docs"), "first")
    found = re.fullmatch(
        rf"curl[^/]*?'?http://localhost({re.escape(route)}{rest})'?", re.sub(r"\\\n|-(?:H|-data-raw) '[^']*'", "", text)
    )
    assert found, text
    assert ("-X POST" in text) == (method == "POST")
    anyone.result(method, found[1], json={} if method == "POST" else None)


@pytest.mark.parametrize(
    "keys",
    [
        {"type": "rpc", "method": "action_archive"},
        {"type": "rpc", "method": "action_archive", "http_methods": ["GET"]},
        {"type": "rpc", "method": "commit_in_between", "mode": "test", "model": "test.record"},
        {"domain": [["name", "=", "nobody has this name"]], "endpoints": {"search": False}},
        {"endpoints": {"search": False, "read": False}},
    ],
)
def test_no_first_call_changes_anything_or_needs_more_than_its_address(
    keys: dict[str, Any], anyone: Client, publish: Publish
) -> None:
    publish(keys.pop("model", "res.partner"), authentication="public", run_as="demo", **keys)
    assert '<pre id="first"' not in anyone("GET", "/api/docs").text


def test_the_page_says_without_a_script_where_the_calls_are(anyone: Client) -> None:
    page = anyone("GET", "/api/docs")
    assert 'Without it, the <a href="/api/openapi.json">OpenAPI document</a>' in page.text


def test_what_an_admin_calls_an_api_is_text_in_the_page(demo: Client, publish: Publish) -> None:
    publish("res.partner", name="<script>alert(1)</script>")
    assert "<script>alert" not in demo("GET", "/api/docs?api=<script>alert(1)</script>").text


@pytest.mark.parametrize("body", [1, [], ["login"], {"login": ["admin"]}, "text", None])
@pytest.mark.parametrize("path", ["/api/docs/logout", "/api/oauth2/login", "/admin/login", "/admin/clients/new"])
def test_no_form_is_filled_in_from_json(path: str, body: Any, admin: Client) -> None:
    assert admin("POST", path, json=body).status_code < 500
