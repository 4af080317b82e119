"""The API of webhooks: each client app has its own, and what it asks for is checked as any call of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.followers import capture
from tests.http.webhooks import URL, MakeShops, Shop, Sql

BOTH = ("read", "search")


def test_one_is_made_and_its_secret_is_told_once(shop: Shop, sql: Sql) -> None:
    own = {"events": ["created"], "fields": ["name"], "thin": True}
    made = shop.make(**own)
    assert made.pop("secret").startswith("whsec_")
    told = {"model": "test.record", "domain": [], "active": True, "reason": None, "off_at": None, "failures": 0}
    expected = {"url": URL, "api": shop.api, **own, **told}
    assert {key: value for key, value in made.items() if key not in ("id", "created_at")} == expected
    assert shop("GET", f"/{made['id']}") == made
    assert shop("GET") == {"webhooks": [made]}
    assert "whsec" not in str(sql("SELECT w::text FROM gatehouse.webhook w"))
    shop("DELETE", f"/{made['id']}")
    assert shop("GET") == {"webhooks": []}


def test_the_key_at_fault_is_named(shop: Shop) -> None:
    for key, name, values in (
        ("url", "invalid_url", ["http://8.8.8.8/hook", "https://10.0.0.1/hook", "https://169.254.169.254/latest"]),
        ("url", "invalid_url", ["https://[::ffff:10.0.0.1]/", "nonsense", "https://8.8.8.8/\x00"]),
        ("url", "invalid_webhook", [5]),
        ("api", "unknown_api", ["Another", "\x00"]),
        ("events", "invalid_webhook", [["made"], [], ["created", "created"]]),
        ("model", "unknown_model", ["res.partner"]),
        ("fields", "unknown_field", [["notes"], ["name\x00"]]),
        ("domain", "unknown_field", [[["notes", "=", "x"]]]),
        ("domain", "invalid_webhook", ["x"]),
        ("secret", "invalid_webhook", ["mine"]),
    ):
        for value in values:
            assert shop.not_made(**{key: value}) == (400, name, key), value
    assert shop("GET") == {"webhooks": []}


def test_an_api_without_webhooks_has_none(make_shops: MakeShops) -> None:
    (shop,) = make_shops(webhooks=False, endpoints={"delta": True})
    assert shop.not_made() == (403, "webhooks_disabled", "api")


def test_an_api_of_others_is_not_known(make_shops: MakeShops) -> None:
    shop, _ = make_shops(BOTH, BOTH, clients=["Reader 1"])
    assert shop.not_made() == (400, "unknown_api", "api")


def test_each_app_has_its_own(make_shops: MakeShops) -> None:
    one, other = make_shops(BOTH, BOTH)
    made = one.make()
    sent = one("POST", f"/{made['id']}/test")["id"]
    assert other("GET") == {"webhooks": []}
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"active": False}),
        ("DELETE", "", None),
        ("POST", "/test", None),
        ("POST", "/rotate", None),
        ("GET", "/deliveries", None),
        ("POST", f"/deliveries/{sent}/redeliver", None),
    ):
        assert other.refused(method, f"/{made['id']}{path}", body) == (404, "not_found", None)
    assert one("GET", f"/{made['id']}")["active"]
    # Nor is a delivery of another's there by one's own webhook.
    mine = other.make()["id"]
    for method, path in (("GET", f"?before={sent}"), ("POST", f"/{sent}/redeliver")):
        assert other.refused(method, f"/{mine}/deliveries{path}") == (404, "not_found", None)
    assert other("GET", f"/{mine}/deliveries")["deliveries"] == []


def test_what_is_no_id_is_not_there(shop: Shop) -> None:
    made = shop.make()["id"]
    for identifier in ("nonsense", "%00", "%ff", "a" * 500, "..", "%2e%2e%2f"):
        for path in (f"/{identifier}", f"/{identifier}/deliveries", f"/{made}/deliveries?before={identifier}"):
            assert shop.refused("GET", path)[0] == 404, path
        assert shop.refused("POST", f"/{made}/deliveries/{identifier}/redeliver")[0] == 404, identifier


def test_who_is_no_client_app_is_refused(make_shops: MakeShops, admin: Client, anyone: Client) -> None:
    (shop,) = make_shops(("read",))
    assert anyone("GET", "/api/webhooks").status_code == 401
    assert admin.error("GET", "/api/webhooks")[0] == 401  # the cookie of a session counts for nothing here
    assert shop.refused("GET")[:2] == (403, "insufficient_scope")


def test_a_token_that_sees_less_than_the_app_is_refused(make_shops: MakeShops, sql: Sql) -> None:
    (shop,) = make_shops(("search",))
    assert shop("GET") == {"webhooks": []}
    sql("UPDATE gatehouse.client SET scopes = '{read,search}' WHERE name = 'Reader 0'")
    assert shop.refused("GET")[:2] == (403, "insufficient_scope")


def test_it_is_changed_switched_off_and_on(shop: Shop, app: Gatehouse, settle: Callable[[], None]) -> None:
    path = f"/{shop.make()['id']}"
    change = {"url": "https://9.9.9.9/", "events": ["removed"], "domain": [["count", ">", 1]]}
    assert shop.refused("PATCH", path, {"domain": change["domain"]})[:2] == (503, "delta_not_ready")
    capture(app)
    settle()
    changed = shop("PATCH", path, change)
    assert {key: changed[key] for key in change} == change
    off = shop("PATCH", path, {"active": False})
    assert (off["active"], off["reason"]) == (False, "It was switched off by hand.")
    assert shop.refused("POST", f"{path}/test")[:2] == (409, "webhook_off")
    on = shop("PATCH", path, {"active": True})
    assert (on["active"], on["reason"], on["off_at"]) == (True, None, None)
    assert shop.refused("PATCH", path, {"api": shop.api}) == (400, "invalid_webhook", "api")
    assert shop.refused("PATCH", path, {"url": "https://10.0.0.1/"}) == (400, "invalid_url", "url")


def test_what_is_done_with_it_is_in_the_history(shop: Shop, sql: Sql) -> None:
    path = f"/{shop.make()['id']}"
    shop("POST", f"{path}/rotate")
    shop("DELETE", path)
    rows = sql(
        "SELECT actor, before->>'url', after->>'url', after->>'rotated' FROM gatehouse.history "
        "WHERE kind = 'webhook' AND name LIKE %s ORDER BY id",
        f"%{path[1:]}",
    )
    actor = "client app Reader 0"
    assert rows == [(actor, None, URL, None), (actor, None, None, "true"), (actor, URL, None, None)]


def test_an_app_has_a_hundred_at_most(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.webhooks.subscriptions.MOST", 2)
    for _ in range(2):
        shop.make()
    assert shop.not_made()[:2] == (409, "too_many_webhooks")


def test_one_test_waits_at_a_time(shop: Shop) -> None:
    path = f"/{shop.make()['id']}"
    assert shop("POST", f"{path}/test")["id"] == shop("POST", f"{path}/test")["id"]
    assert len(shop("GET", f"{path}/deliveries")["deliveries"]) == 1


def test_deliveries_come_in_pages(shop: Shop, sql: Sql) -> None:
    made = shop.make()["id"]
    path, sent = f"/{made}/deliveries", [f"msg_{number}" for number in range(5)]
    for identifier in sent:
        sql("INSERT INTO gatehouse.delivery (id, webhook_id, event) VALUES (%s, %s, 'test')", identifier, made)
    found, before = [], ""
    while before is not None:
        page = shop("GET", f"{path}?limit=2&before={before}")
        found += [each["id"] for each in page["deliveries"]]
        before = page["next"]
    assert found == sent[::-1]
    assert len(shop("GET", f"{path}?status=pending")["deliveries"]) == 5
    assert shop("GET", f"{path}?status=failed")["deliveries"] == []
    wrong: dict[str, Any] = {"status=new": "invalid_status", "limit=0": "invalid_limit", "page=1": "unknown_parameter"}
    for asked, name in wrong.items():
        assert shop.refused("GET", f"{path}?{asked}") == (400, name, asked.partition("=")[0])
