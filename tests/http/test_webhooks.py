"""The API of webhooks: each client app has its own, and what it asks for is checked as any call of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.followers import capture

URL = "https://8.8.8.8/hook"
Sql = Callable[..., list[tuple[Any, ...]]]


class Shop:
    """A client app, with a token."""

    def __init__(self, anyone: Client, token: str) -> None:
        self._anyone = anyone
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str = "", body: Any = None) -> Any:
        """Return the result of a call that has to succeed."""
        answer = self._anyone(method, f"/api/webhooks{path}", json=body, headers=self._headers)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json["result"]

    def refused(self, method: str, path: str = "", body: Any = None) -> tuple[int, str, str | None]:
        """Return status, name and parameter of the error of a call that has to fail."""
        answer = self._anyone(method, f"/api/webhooks{path}", json=body, headers=self._headers)
        data = answer.json["error"]["data"]
        return answer.status_code, data["name"], data.get("parameter")


MakeShop = Callable[..., Shop]


@pytest.fixture
def make_shop(anyone: Client, make_token: Callable[..., str]) -> MakeShop:
    """Make client apps, called Reader 0, Reader 1 and so on."""
    return lambda *scopes, **more: Shop(anyone, make_token(*(scopes or ("read", "search")), **more))


@pytest.fixture
def api(app: Gatehouse, followed: Callable[..., str]) -> Callable[..., str]:
    """Publish an API with webhooks for Reader 0; returns its name."""

    def run(clients: tuple[str, ...] = ("Reader 0",), **keys: Any) -> str:
        keys = {"fields": ["name", "count"], "webhooks": True, "endpoints": {}, **keys}
        route = followed(clients=list(clients), **keys)
        (found,) = (each.name for each in app.services.catalog.snapshot.published if each.document.route == route)
        return found

    return run


def test_one_is_made_and_its_secret_is_told_once(make_shop: MakeShop, api: Callable[..., str], sql: Sql) -> None:
    shop, name = make_shop(), api()
    made = shop("POST", body={"url": URL, "api": name, "events": ["created"], "fields": ["name"], "thin": True})
    assert made["secret"].startswith("whsec_")
    del made["secret"]
    expected = {
        "url": URL,
        "api": name,
        "model": "test.record",
        "events": ["created"],
        "fields": ["name"],
        "domain": [],
        "thin": True,
        "active": True,
        "reason": None,
        "off_at": None,
        "failures": 0,
    }
    assert {key: value for key, value in made.items() if key not in ("id", "created_at")} == expected
    assert shop("GET", f"/{made['id']}") == made
    assert shop("GET") == {"webhooks": [made]}
    assert "whsec" not in str(sql("SELECT w::text FROM gatehouse.webhook w"))
    shop("DELETE", f"/{made['id']}")
    assert shop("GET") == {"webhooks": []}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"url": "http://8.8.8.8/hook"}, (400, "invalid_url", "url")),
        ({"url": "https://10.0.0.1/hook"}, (400, "invalid_url", "url")),
        ({"url": "https://169.254.169.254/latest"}, (400, "invalid_url", "url")),
        ({"url": "https://[::ffff:10.0.0.1]/"}, (400, "invalid_url", "url")),
        ({"url": "nonsense"}, (400, "invalid_url", "url")),
        ({"url": "https://8.8.8.8/\x00"}, (400, "invalid_url", "url")),
        ({"url": 5}, (400, "invalid_webhook", "url")),
        ({"api": "Another"}, (400, "unknown_api", "api")),
        ({"api": "\x00"}, (400, "unknown_api", "api")),
        ({"events": ["made"]}, (400, "invalid_webhook", "events")),
        ({"events": []}, (400, "invalid_webhook", "events")),
        ({"events": ["created", "created"]}, (400, "invalid_webhook", "events")),
        ({"model": "res.partner"}, (400, "unknown_model", "model")),
        ({"fields": ["notes"]}, (400, "unknown_field", "fields")),
        ({"fields": ["name\x00"]}, (400, "unknown_field", "fields")),
        ({"domain": [["notes", "=", "x"]]}, (400, "unknown_field", "domain")),
        ({"domain": "x"}, (400, "invalid_webhook", "domain")),
        ({"secret": "mine"}, (400, "invalid_webhook", "secret")),
    ],
)
def test_the_key_at_fault_is_named(
    body: dict[str, Any], error: tuple[int, str, str | None], make_shop: MakeShop, api: Callable[..., str]
) -> None:
    shop, name = make_shop(), api()
    assert shop.refused("POST", body={"url": URL, "api": name, **body}) == error
    assert shop("GET") == {"webhooks": []}


def test_text_that_postgresql_cant_hold_is_no_condition(make_shop: MakeShop, api: Callable[..., str]) -> None:
    shop, name = make_shop(), api()
    status, *_ = shop.refused("POST", body={"url": URL, "api": name, "domain": [["name", "=", "a\x00b"]]})
    assert status == 400


def test_an_api_without_webhooks_has_none(make_shop: MakeShop, api: Callable[..., str]) -> None:
    shop, name = make_shop(), api(webhooks=False, endpoints={"delta": True})
    assert shop.refused("POST", body={"url": URL, "api": name}) == (403, "webhooks_disabled", "api")


def test_an_api_of_others_is_not_known(make_shop: MakeShop, api: Callable[..., str]) -> None:
    shop, _, name = make_shop(), make_shop(), api(clients=("Reader 1",))
    assert shop.refused("POST", body={"url": URL, "api": name}) == (400, "unknown_api", "api")


def test_each_app_has_its_own(make_shop: MakeShop, api: Callable[..., str]) -> None:
    one, other, name = make_shop(), make_shop(), api(clients=("Reader 0", "Reader 1"))
    made = one("POST", body={"url": URL, "api": name})
    sent = one("POST", f"/{made['id']}/test")
    assert other("GET") == {"webhooks": []}
    missing = (404, "not_found", None)
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"active": False}),
        ("DELETE", "", None),
        ("POST", "/test", None),
        ("POST", "/rotate", None),
        ("GET", "/deliveries", None),
        ("POST", f"/deliveries/{sent['id']}/redeliver", None),
    ):
        assert other.refused(method, f"/{made['id']}{path}", body) == missing
    assert one("GET", f"/{made['id']}")["active"]


@pytest.mark.parametrize("identifier", ["nonsense", "%00", "%ff", "a" * 500, "..", "%2e%2e%2f"])
def test_what_is_no_id_is_not_there(identifier: str, make_shop: MakeShop, api: Callable[..., str]) -> None:
    shop, name = make_shop(), api()
    made = shop("POST", body={"url": URL, "api": name})
    for path in (f"/{identifier}", f"/{identifier}/deliveries", f"/{made['id']}/deliveries?before={identifier}"):
        assert shop.refused("GET", path)[0] == 404
    assert shop.refused("POST", f"/{made['id']}/deliveries/{identifier}/redeliver")[0] == 404


def test_who_is_no_client_app_is_refused(
    make_shop: MakeShop, api: Callable[..., str], admin: Client, anyone: Client
) -> None:
    api()
    assert anyone("GET", "/api/webhooks").status_code == 401
    assert admin.error("GET", "/api/webhooks")[0] == 401  # the cookie of a session counts for nothing here
    assert make_shop("read").refused("GET")[:2] == (403, "insufficient_scope")


def test_a_token_that_sees_less_than_the_app_is_refused(make_shop: MakeShop, api: Callable[..., str], sql: Sql) -> None:
    shop = make_shop("search")
    api()
    assert shop("GET") == {"webhooks": []}
    sql("UPDATE gatehouse.client SET scopes = '{read,search}' WHERE name = 'Reader 0'")
    assert shop.refused("GET")[:2] == (403, "insufficient_scope")


def test_it_is_changed_switched_off_and_on(
    make_shop: MakeShop, api: Callable[..., str], app: Gatehouse, settle: Callable[[], None]
) -> None:
    shop, name = make_shop(), api()
    made = shop("POST", body={"url": URL, "api": name})
    path = f"/{made['id']}"
    assert shop.refused("PATCH", path, {"domain": [["count", ">", 1]]})[:2] == (503, "delta_not_ready")
    capture(app)
    settle()
    changed = shop("PATCH", path, {"url": "https://9.9.9.9/", "events": ["removed"], "domain": [["count", ">", 1]]})
    assert (changed["url"], changed["events"], changed["domain"]) == (
        "https://9.9.9.9/",
        ["removed"],
        [["count", ">", 1]],
    )
    off = shop("PATCH", path, {"active": False})
    assert (off["active"], off["reason"]) == (False, "It was switched off by hand.")
    assert shop.refused("POST", f"{path}/test")[:2] == (409, "webhook_off")
    on = shop("PATCH", path, {"active": True})
    assert (on["active"], on["reason"], on["off_at"]) == (True, None, None)
    assert shop.refused("PATCH", path, {"api": name}) == (400, "invalid_webhook", "api")
    assert shop.refused("PATCH", path, {"url": "https://10.0.0.1/"}) == (400, "invalid_url", "url")


def test_what_is_done_with_it_is_in_the_history(make_shop: MakeShop, api: Callable[..., str], sql: Sql) -> None:
    shop, name = make_shop(), api()
    made = shop("POST", body={"url": URL, "api": name})
    shop("POST", f"/{made['id']}/rotate")
    shop("DELETE", f"/{made['id']}")
    rows = sql(
        "SELECT actor, before->>'url', after->>'url', after->>'rotated' FROM gatehouse.history "
        "WHERE kind = 'webhook' AND name LIKE %s ORDER BY id",
        f"%{made['id']}",
    )
    actor = "client app Reader 0"
    assert rows == [(actor, None, URL, None), (actor, None, None, "true"), (actor, URL, None, None)]


def test_an_app_has_a_hundred_at_most(
    make_shop: MakeShop, api: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.webhooks.subscriptions.MOST", 2)
    shop, name = make_shop(), api()
    for _ in range(2):
        shop("POST", body={"url": URL, "api": name})
    assert shop.refused("POST", body={"url": URL, "api": name})[:2] == (409, "too_many_webhooks")


def test_one_test_waits_at_a_time(make_shop: MakeShop, api: Callable[..., str]) -> None:
    shop, name = make_shop(), api()
    path = f"/{shop('POST', body={'url': URL, 'api': name})['id']}"
    assert shop("POST", f"{path}/test")["id"] == shop("POST", f"{path}/test")["id"]
    assert len(shop("GET", f"{path}/deliveries")["deliveries"]) == 1


def test_deliveries_come_in_pages(make_shop: MakeShop, api: Callable[..., str], sql: Sql) -> None:
    shop, name = make_shop(), api()
    made = shop("POST", body={"url": URL, "api": name})
    path, sent = f"/{made['id']}", [f"msg_{number}" for number in range(5)]
    for identifier in sent:
        sql("INSERT INTO gatehouse.delivery (id, webhook_id, event) VALUES (%s, %s, 'test')", identifier, made["id"])
    found, before = [], ""
    while before is not None:
        page = shop("GET", f"{path}/deliveries?limit=2&before={before}")
        found += [each["id"] for each in page["deliveries"]]
        before = page["next"]
    assert found == sent[::-1]
    assert len(shop("GET", f"{path}/deliveries?status=pending")["deliveries"]) == 5
    assert shop("GET", f"{path}/deliveries?status=failed")["deliveries"] == []
    assert shop.refused("GET", f"{path}/deliveries?status=new") == (400, "invalid_status", "status")
    assert shop.refused("GET", f"{path}/deliveries?limit=0") == (400, "invalid_limit", "limit")
    assert shop.refused("GET", f"{path}/deliveries?page=1") == (400, "unknown_parameter", "page")
