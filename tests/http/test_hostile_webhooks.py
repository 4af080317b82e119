"""Hostile client apps at the API of webhooks: they are told what is wrong, and nothing of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.clients import grants, tokens
from app.clients import store as clients
from app.networks import Networks
from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.webhooks import URL, Shop

_DEEP: Any = [["name", "=", "x"]]
for _ in range(200):
    _DEEP = [["parent_id", "any", _DEEP]]
_NUL_OR_HALF = (("=", "a\x00b"), ("in", ["a\x00b"]), ("=\x00", "a"), ("ilike", "%\x00"), ("=", "\ud800"))
_BODIES: dict[str, Any] = {
    "all": [{}, [], 5, dict.fromkeys(("url", "api", "model", "events", "fields", "domain", "thin"))],
    "api": ["\ud800"],
    "model": ["\x00", "\ud800"],
    "events": [["\udfff"], ["created"] * 100_000],
    "domain": [
        *([["name", operator, value]] for operator, value in _NUL_OR_HALF),
        _DEEP,
        ["|"] * 5000 + [["name", "=", "x"]] * 5001,
        [["count", "in", list(range(100_000))]],
        [["count", "=", 10**400]],
        [["count", "=", float("nan")]],
        [["id", "=", -(10**30)]],
        [{"name": "x"}],
        ["|"],
        [["id", "child_of", 1]],
        [["notes", "like", "a%"]],  # hidden
        [["owner_id.password", "like", "$%"]],
        [["partner_id.email", "=", "x"]],
        [["for_managers", "=", "x"]],
    ],
    "fields": [["\ud800"], ["door_password"], ["partner_id.email"], ["name"] * 100_000, [{}]],
    "url": [
        "https://8.8.8.8/\ud800",
        "https://8.8.8.8/" + "a" * 10**6,
        "https://8.8.8.8/\r\nX-Evil: 1",
        "https://8.8.8.8\r\nX-Evil: 1/",
        "https://admin:admin@8.8.8.8/",
        *(f"https://{host}/" for host in ("localhost", "[::1]", "2130706433", "0x7f.1", "0", "[64:ff9b::7f00:1]")),
        "https://１２７.０.０.１/",  # wide digits
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1%25eth0]/",
        "gopher://8.8.8.8/",
        "file:///etc/passwd",
        "https://8.8.8.8:99999/",
        "https:///",
    ],
}


@pytest.fixture(autouse=True)
def _no_networks(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust no networks, as a server does that nobody has told of any."""
    monkeypatch.setattr(app.services.webhooks, "_trusted", Networks())


@pytest.mark.parametrize("key", _BODIES)
def test_a_body_that_is_wrong_is_refused(key: str, shop: Shop) -> None:
    made = shop.make()
    del made["secret"]
    for value in _BODIES[key]:
        change = value if key == "all" else {key: value}
        body = {"url": URL, "api": shop.api, **change} if isinstance(change, dict) and change else change
        changed = shop.refused("PATCH", f"/{made['id']}", {"unknown": 1} if change == {} else change)
        for status, *_ in (shop.refused("POST", body=body), changed):
            assert 400 <= status < 500, str(value)[:80]
        assert shop("GET") == {"webhooks": [made]}, str(value)[:80]


_CONTENTS = (
    b"",
    b"{",
    b"\xff\xfe",
    b'{"url": "\\ud800"}',
    b'{"a":' * 50_000,
    b"[" * 100_000,
    b'{"url": "' + b"a" * 3_000_000 + b'"}',
    b'{"url": 1, "url": 2}',
    b"NaN",
    b"1" * 10_000,
)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_content_that_is_no_json_is_refused(kind: str, make_token: Callable[..., str], anyone: Client) -> None:
    headers = {"Authorization": f"Bearer {make_token('read', 'search')}", "Content-Type": kind}
    for content in _CONTENTS:
        for path in ("", "/hook_x", "/hook_x/rotate", "/hook_x/test", "/hook_x/deliveries/msg_x/redeliver"):
            for method in ("POST", "PATCH", "PUT", "DELETE", "GET"):
                answer = anyone(method, f"/api/webhooks{path}", data=content, headers=headers)
                is_list = (method, path) == ("GET", "")
                assert is_list or 400 <= answer.status_code < 500, (method, path, content[:20], answer.text)


def test_a_page_that_is_none_is_refused(shop: Shop) -> None:
    path = f"/{shop.make()['id']}/deliveries"
    limits = ("%00", "1e9", "-1", "99999999999999999999999", "1&limit=2", "١")
    others = ("before=%00", "before=%ed%a0%80", "status=%00", "before=msg_x' OR 1=1--")
    for asked in (*(f"limit={limit}" for limit in limits), *others):
        status, *_ = shop.refused("GET", f"{path}?{asked}")
        assert 400 <= status < 500, asked


def test_persons_have_no_webhooks_whatever_they_show(
    app: Gatehouse, root: Callable[..., Any], admin: Client, anyone: Client, make_token: Callable[..., str], shop: Shop
) -> None:
    own = make_token("read", "search")

    def work(env: Any) -> tuple[str, str]:
        client = clients.by_name(env.cr, "Reader 1")
        assert client is not None
        token, hasher, scopes = tokens.generate(tokens.ACCESS), app.services.hasher(), ("read", "search")
        grants.store_token(env.cr, hasher, token, tokens.ACCESS, client, uid=2, scopes=scopes, lifetime=60, family=None)
        user = env["res.users"].browse(2)
        return token, env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "webhooks", None)

    of_person, key = root(work)
    body = {"url": URL, "api": shop.api}
    for shown, status in ((of_person, 403), (key, 403), ("nonsense", 401), (own[:-1], 401), ("\x01", 401)):
        answer = anyone("POST", "/api/webhooks", json=body, headers={"Authorization": f"Bearer {shown}"})
        assert (answer.status_code, "secret" in json.dumps(answer.json)) == (status, False), answer.text
    assert admin("POST", "/api/webhooks", json=body).status_code == 401
    assert anyone("GET", "/api/webhooks", headers={"Authorization": f"Basic {key}"}).status_code == 401
    assert anyone("GET", f"/api/webhooks?access_token={own}").status_code == 401
