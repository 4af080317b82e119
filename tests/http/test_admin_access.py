"""Who gets into the panel, and who does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.blueprints.admin.guard import safe_target
from app.web.routing import Gatehouse
from tests.http.conftest import PASSWORD, Client, Root, Sql
from tests.http.panel import Panel, csrf_of, texts

pytestmark = pytest.mark.usefixtures("waits")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OPEN = {"panel.log_in", "panel.second_step", "panel.static"}
SECRET = "JBSWY3DPEHPK3PXP"
HARDENED = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


#: What stands for the variable parts of routes; 1 for all others.
FILLED = {"kind": "yaml", "filename": "panel.css", "path": "x"}


def _paths(app: Gatehouse) -> Iterator[tuple[str, str]]:
    """Every route of the panel as (endpoint, path), and paths that it does not have."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/admin"):
            yield rule.endpoint, re.sub(r"<(?:\w+:)?(\w+)>", lambda part: FILLED.get(part[1], "1"), rule.rule)
    yield from (("", path) for path in ("/admin", "/admin/nothing", "/admin/apis", "/admin//apis/", "/admin/apis/x/y"))


def test_a_stranger_reaches_no_page_by_any_method(app: Gatehouse, anyone: Client) -> None:
    paths = list(_paths(app))
    assert len(paths) > 30
    for endpoint, path in paths:
        for method in METHODS:
            if endpoint in OPEN:
                continue
            answer = anyone(method, path)
            assert answer.status_code == 303, (method, path, answer.status_code)
            assert answer.headers["Location"].split("?")[0] == "/admin/login", (method, path)


def test_a_user_who_is_no_administrator_reaches_no_page_by_any_method(app: Gatehouse, demo: Client) -> None:
    for endpoint, path in _paths(app):
        if endpoint in OPEN or endpoint == "panel.log_out":
            continue
        for method in METHODS:
            answer = demo(method, path)
            assert answer.status_code == 403, (method, path, answer.status_code)
    assert "This panel is not for you" in demo("GET", "/admin/").text


def test_every_answer_of_the_panel_is_hardened(app: Gatehouse, admin: Client, anyone: Client) -> None:
    for client in (admin, anyone):
        for _, path in _paths(app):
            if path == "/admin/logout":
                continue
            headers = client("GET", path).headers
            policy = headers["Content-Security-Policy"]
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert {name: headers[name] for name in HARDENED} == HARDENED, path


def test_pages_hold_no_script_or_style_of_their_own_and_nothing_foreign(app: Gatehouse, admin: Client) -> None:
    for endpoint, path in _paths(app):
        answer = admin("GET", path)
        if answer.mimetype == "text/html" and endpoint != "panel.log_out":
            for text in ("<style", " style=", " onclick", "<script>", 'src="http', 'src="//'):
                assert text not in answer.text, path


def test_a_form_without_the_token_of_this_browser_changes_nothing(app: Gatehouse, admin: Client, sql: Sql) -> None:
    foreign = csrf_of(Panel(Client(app)).get("/admin/login"))
    before = sql("SELECT version FROM gatehouse.catalog_version")
    for endpoint, path in _paths(app):
        if endpoint in {"panel.static", ""}:
            continue
        for data in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": foreign}):
            answer = admin("POST", path, data={**data, "model": "res.partner", "name": "x", "text": "apis: []"})
            assert answer.status_code == 400, (path, answer.status_code)
    assert admin("POST", "/admin/logout").status_code == 400
    assert sql("SELECT version FROM gatehouse.catalog_version") == before
    assert admin("GET", "/admin/").status_code == 200


def test_logging_in_leads_to_the_page_that_was_asked_for(anyone: Client) -> None:
    panel = Panel(anyone)
    asked = anyone("GET", "/admin/models/?q=partner")
    form = asked.headers["Location"]
    assert panel.send(form, login="admin", password="wrong").status_code == 401
    before = anyone.http.get_cookie("gatehouse_form", path="/admin")
    opened = panel.send(form, login="admin", password="admin")
    assert opened.headers["Location"] == "/admin/models/?q=partner"
    cookies = opened.headers.getlist("Set-Cookie")
    (session,) = (cookie for cookie in cookies if cookie.startswith("session_id="))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert panel.follow(opened)
    after = anyone.http.get_cookie("gatehouse_form", path="/admin")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert panel.send("/admin/", "/logout").headers["Location"] == "/admin/login"
    assert anyone("GET", "/admin/").status_code == 303


def test_logging_in_leads_nowhere_else(app: Gatehouse) -> None:
    panel = Panel(Client(app))
    opened = panel.submit(
        panel.get("/admin/login"), "/admin/login?next=https://example.com/admin/", login="admin", password="admin"
    )
    assert opened.headers["Location"] == "/admin/"
    for target in ("//example.com/admin/", "/\\example.com", "/web", "/admin/\\x", "x", "//["):
        with app.test_request_context("/admin/login"):
            assert safe_target(target) == "/admin/", target


def test_the_cookie_of_forms_goes_to_the_panel_alone_and_over_https_only_where_it_came_so(app: Gatehouse) -> None:
    plain = app.test_client().get("/admin/login").headers["Set-Cookie"]
    assert "Path=/admin" in plain
    assert "HttpOnly" in plain
    assert "Secure" not in plain
    assert "Secure" in app.test_client().get("/admin/login", base_url="https://localhost").headers["Set-Cookie"]


def _administrator(env: Any, login: str, **values: Any) -> int:
    groups = [(6, 0, [env.ref("base.group_system").id, env.ref("base.group_user").id])]
    user = env["res.users"].create({"name": login, "login": login, "password": PASSWORD, "group_ids": groups})
    user.write(values)
    return int(user.id)


def test_rights_are_asked_for_at_every_request(app: Gatehouse, root: Root) -> None:
    uid = root(lambda env: _administrator(env, "chief"))

    def change(values: Callable[[Any], dict[str, Any]]) -> None:
        root(lambda env: env["res.users"].browse(uid).write(values(env)))

    panel = Panel(Client(app))
    assert panel.follow(panel.send("/admin/login", login="chief", password=PASSWORD))
    change(lambda env: {"group_ids": [(3, env.ref("base.group_system").id)]})
    assert panel.get("/admin/apis/", 403)
    change(lambda env: {"group_ids": [(4, env.ref("base.group_system").id)]})
    assert panel.get("/admin/apis/")
    change(lambda env: {"active": False})
    assert panel.get("/admin/apis/", 303)


@pytest.mark.usefixtures("three_tries")
def test_wrong_passwords_are_throttled(app: Gatehouse) -> None:
    panel = Panel(Client(app), "192.0.2.50")
    answers = [panel.send("/admin/login", login="nobody", password=str(number)) for number in range(4)]
    assert "Too many tries" in texts(answers[-1])
    assert [answer.status_code for answer in answers] == [401] * 3 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


# Two factors.


def _code(counter: int | None = None) -> str:
    """RFC 6238, as an authenticator app does it."""
    moment = struct.pack(">Q", int(time.time()) // 30 if counter is None else counter)
    digest = hmac.digest(base64.b32decode(SECRET), moment, hashlib.sha1)
    start = digest[-1] & 15
    return f"{(struct.unpack_from('>I', digest, start)[0] & 0x7FFFFFFF) % 10**6:06d}"


@pytest.fixture
def careful(root: Root) -> Iterator[str]:
    """The login of an administrator with two factors."""
    uid = root(lambda env: _administrator(env, "cautious", totp_secret=SECRET))
    yield "cautious"
    root(lambda env: env["res.users"].browse(uid).write({"active": False, "login": f"gone-{uid}"}))


def test_a_password_opens_nothing_without_the_code(app: Gatehouse, careful: str) -> None:
    client = Client(app)
    panel = Panel(client, "192.0.2.51")
    asked = panel.send("/admin/login?next=/admin/apis/", login=careful, password=PASSWORD)
    assert client.http.get_cookie("session_id") is None
    assert client("GET", "/admin/").status_code == 303
    form = asked.headers["Location"]
    assert form == "/admin/login/code?next=/admin/apis/"
    for wrong in ("000000", "12345", "abcdef", "1234567", "-00001"):
        if wrong != _code():
            assert panel.send(form, code=wrong).status_code == 401
    assert client("GET", "/admin/").status_code == 303
    code = _code()
    opened = panel.send(form, code=f"{code[:3]} {code[3:]}")
    assert opened.headers["Location"] == "/admin/apis/"
    assert panel.follow(opened)
    # A code is good once, whoever has the password too.
    second = Panel(Client(app), "192.0.2.52")
    form = second.send("/admin/login", login=careful, password=PASSWORD).headers["Location"]
    assert second.send(form, code=code).status_code == 401


def test_the_code_ends_the_session_that_the_cookie_named_and_the_password_alone_does_not(
    app: Gatehouse, careful: str, database: str
) -> None:
    client, copy = Client(app), Client(app)
    client.log_in(database, "admin", "admin")
    before = client.http.get_cookie("session_id")
    assert before is not None
    copy.http.set_cookie("session_id", before.value)
    panel = Panel(client, "192.0.2.55")
    form = panel.send("/admin/login", login=careful, password=PASSWORD).headers["Location"]
    assert copy("GET", "/admin/").status_code == 200
    assert panel.send(form, code=_code()).status_code == 303
    assert copy("GET", "/admin/").status_code == 303
    assert panel.get("/admin/")


def test_the_code_is_asked_for_only_after_the_password_and_not_for_long(
    app: Gatehouse, careful: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = Panel(Client(app), "192.0.2.53")
    assert panel.get("/admin/login/code", 303).headers["Location"] == "/admin/login"
    form = panel.send("/admin/login", login=careful, password=PASSWORD).headers["Location"]
    assert panel.get(form)
    later = time.time() + 301
    monkeypatch.setattr("app.blueprints.admin.login.time.time", lambda: later)
    assert panel.get(form, 303)


def test_codes_cannot_be_guessed(app: Gatehouse, careful: str) -> None:
    panel = Panel(Client(app), "192.0.2.54")
    form = panel.send("/admin/login", login=careful, password=PASSWORD).headers["Location"]
    wrong = next(code for code in ("111111", "222222", "333333", "444444") if code != _code())
    for _ in range(5):
        assert panel.send(form, code=wrong).status_code == 401
    assert panel.send(form, code=_code()).status_code == 401
    assert panel.client("GET", "/admin/").status_code == 303
