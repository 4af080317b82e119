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
from tests.http.test_webhooks import URL, MakeShop, api, make_shop  # noqa: F401  they are fixtures here too

_DEEP: Any = [["name", "=", "x"]]
for _ in range(200):
    _DEEP = [["parent_id", "any", _DEEP]]
_BODIES: dict[str, Any] = {
    "nothing": {},
    "null for all": dict.fromkeys(("url", "api", "model", "events", "fields", "domain", "thin")),
    "a list": [],
    "a number": 5,
    "NUL in a model": {"model": "\x00"},
    "NUL in a value": {"domain": [["name", "=", "a\x00b"]]},
    "NUL in a list of values": {"domain": [["name", "in", ["a\x00b"]]]},
    "NUL in an operator": {"domain": [["name", "=\x00", "a"]]},
    "NUL in a pattern": {"domain": [["name", "ilike", "%\x00"]]},
    "half a surrogate in a value": {"domain": [["name", "=", "\ud800"]]},
    "half a surrogate in a URL": {"url": "https://8.8.8.8/\ud800"},
    "half a surrogate in an API": {"api": "\ud800"},
    "half a surrogate in a field": {"fields": ["\ud800"]},
    "half a surrogate in a model": {"model": "\ud800"},
    "a surrogate in an event": {"events": ["\udfff"]},
    "a deep domain": {"domain": _DEEP},
    "a long domain": {"domain": ["|"] * 5000 + [["name", "=", "x"]] * 5001},
    "a long list of values": {"domain": [["count", "in", list(range(100_000))]]},
    "a number that is too large": {"domain": [["count", "=", 10**400]]},
    "a float that is none": {"domain": [["count", "=", float("nan")]]},
    "an id that is none": {"domain": [["id", "=", -(10**30)]]},
    "an object in a domain": {"domain": [{"name": "x"}]},
    "a domain that is not complete": {"domain": ["|"]},
    "a hierarchy": {"domain": [["id", "child_of", 1]]},
    "a hidden field": {"domain": [["notes", "like", "a%"]]},
    "a path to a hidden field": {"domain": [["owner_id.password", "like", "$%"]]},
    "a path through a relation": {"domain": [["partner_id.email", "=", "x"]]},
    "a field of managers": {"domain": [["for_managers", "=", "x"]]},
    "a hidden field among fields": {"fields": ["door_password"]},
    "a path among fields": {"fields": ["partner_id.email"]},
    "many fields": {"fields": ["name"] * 100_000},
    "an object among fields": {"fields": [{}]},
    "many events": {"events": ["created"] * 100_000},
    "a long URL": {"url": "https://8.8.8.8/" + "a" * 10**6},
    "a header in a URL": {"url": "https://8.8.8.8/\r\nX-Evil: 1"},
    "a header in a host": {"url": "https://8.8.8.8\r\nX-Evil: 1/"},
    "a user in a URL": {"url": "https://admin:admin@8.8.8.8/"},
    "this machine": {"url": "https://localhost/"},
    "this machine by IPv6": {"url": "https://[::1]/"},
    "this machine in digits": {"url": "https://2130706433/"},
    "this machine in hexadecimal": {"url": "https://0x7f.1/"},
    "this machine by 0": {"url": "https://0/"},
    "this machine by NAT64": {"url": "https://[64:ff9b::7f00:1]/"},
    "wide digits": {"url": "https://１２７.０.０.１/"},
    "metadata of a cloud": {"url": "https://169.254.169.254/latest/meta-data"},
    "a zone": {"url": "https://[fe80::1%25eth0]/"},
    "another scheme": {"url": "gopher://8.8.8.8/"},
    "a file": {"url": "file:///etc/passwd"},
    "a port that is none": {"url": "https://8.8.8.8:99999/"},
    "no host": {"url": "https:///"},
}


@pytest.fixture(autouse=True)
def _no_networks(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust no networks, as a server does that nobody has told of any."""
    monkeypatch.setattr(app.services.webhooks, "_trusted", Networks())


@pytest.mark.parametrize("what", _BODIES)
def test_a_body_that_is_wrong_is_refused(
    what: str,
    make_shop: MakeShop,  # noqa: F811
    api: Callable[..., str],  # noqa: F811
) -> None:
    shop, name = make_shop(), api()
    changed = _BODIES[what]
    body = {"url": URL, "api": name, **changed} if isinstance(changed, dict) and changed else changed
    status, *_ = shop.refused("POST", body=body)
    assert 400 <= status < 500
    assert shop("GET") == {"webhooks": []}
    made = shop("POST", body={"url": URL, "api": name})
    status, *_ = shop.refused("PATCH", f"/{made['id']}", changed if changed != {} else {"unknown": 1})
    assert 400 <= status < 500
    del made["secret"]
    assert shop("GET", f"/{made['id']}") == made


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
def test_content_that_is_no_json_is_refused(
    kind: str,
    make_token: Callable[..., str],
    api: Callable[..., str],  # noqa: F811
    anyone: Client,
) -> None:
    headers = {"Authorization": f"Bearer {make_token('read', 'search')}", "Content-Type": kind}
    api()
    for content in _CONTENTS:
        for path in ("", "/hook_x", "/hook_x/rotate", "/hook_x/test", "/hook_x/deliveries/msg_x/redeliver"):
            for method in ("POST", "PATCH", "PUT", "DELETE", "GET"):
                answer = anyone(method, f"/api/webhooks{path}", data=content, headers=headers)
                is_list = (method, path) == ("GET", "")
                assert is_list or 400 <= answer.status_code < 500, (method, path, content[:20], answer.text)


@pytest.mark.parametrize(
    "asked",
    [
        "limit=%00",
        "limit=1e9",
        "limit=-1",
        "limit=99999999999999999999999",
        "before=%00",
        "before=%ed%a0%80",
        "status=%00",
        "before=msg_x' OR 1=1--",
        "limit=1&limit=2",
        "limit=١",
    ],
)
def test_a_page_that_is_none_is_refused(
    asked: str,
    make_shop: MakeShop,  # noqa: F811
    api: Callable[..., str],  # noqa: F811
) -> None:
    shop, name = make_shop(), api()
    made = shop("POST", body={"url": URL, "api": name})
    status, *_ = shop.refused("GET", f"/{made['id']}/deliveries?{asked}")
    assert 400 <= status < 500


def test_a_delivery_of_another_is_not_there_by_ones_own_webhook(
    make_shop: MakeShop,  # noqa: F811
    api: Callable[..., str],  # noqa: F811
) -> None:
    one, other, name = make_shop(), make_shop(), api(clients=("Reader 0", "Reader 1"))
    mine = one("POST", body={"url": URL, "api": name})["id"]
    theirs = other("POST", body={"url": URL, "api": name})["id"]
    sent = other("POST", f"/{theirs}/test")["id"]
    for method, path in (
        ("GET", f"/{mine}/deliveries?before={sent}"),
        ("POST", f"/{mine}/deliveries/{sent}/redeliver"),
        ("POST", f"/{theirs}/deliveries/{sent}/redeliver"),
    ):
        assert one.refused(method, path) == (404, "not_found", None)
    assert one("GET", f"/{mine}/deliveries")["deliveries"] == []


def test_persons_have_no_webhooks_whatever_they_show(
    app: Gatehouse,
    root: Callable[..., Any],
    admin: Client,
    anyone: Client,
    api: Callable[..., str],  # noqa: F811
    make_token: Callable[..., str],
) -> None:
    own = make_token("read", "search")
    name = api()

    def work(env: Any) -> tuple[str, str]:
        client = clients.by_name(env.cr, "Reader 0")
        assert client is not None
        token = tokens.generate(tokens.ACCESS)
        grants.store_token(
            env.cr,
            app.services.hasher(),
            token,
            tokens.ACCESS,
            client,
            uid=2,
            scopes=("read", "search"),
            lifetime=60,
            family=None,
        )
        user = env["res.users"].browse(2)
        return token, env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "webhooks", None)

    of_person, key = root(work)
    body = {"url": URL, "api": name}
    for shown, status in ((of_person, 403), (key, 403), ("nonsense", 401), (own[:-1], 401), ("\x01", 401)):
        answer = anyone("POST", "/api/webhooks", json=body, headers={"Authorization": f"Bearer {shown}"})
        assert (answer.status_code, "secret" in json.dumps(answer.json)) == (status, False), answer.text
    assert admin("POST", "/api/webhooks", json=body).status_code == 401
    assert anyone("GET", "/api/webhooks", headers={"Authorization": f"Basic {key}"}).status_code == 401
    assert anyone("GET", f"/api/webhooks?access_token={own}").status_code == 401
