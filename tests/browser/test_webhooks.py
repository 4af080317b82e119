"""Webhooks in a browser: one is made, and looked at with what became of its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from playwright.sync_api import Page, expect

from dev.testbed import Testbed
from tests.browser.conftest import Snapshot, log_in
from tests.server.conftest import Server, wait_until
from tests.server.workers import serving_apis

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

_APIS = """
apis:
- name: Orders
  route: /api/orders
  published: true
  webhooks: true
  clients: [Shop, Ledger]
  models: [{model: test.record, fields: [name, count]}]
clients:
- {name: Shop, user: admin, scopes: [search]}
- {name: Ledger, user: admin, scopes: [search]}
"""
_PATIENCE = 60
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>" + "<hr>nginx " * 40


@pytest.fixture(scope="module")
def server(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an API that has webhooks; nothing delivers them."""
    folder, networks = tmp_path_factory.mktemp("webhooks"), "127.0.0.0/8"
    with serving_apis(testbed, "hooks", folder, _APIS, "/api/orders", GATEHOUSE_WEBHOOK_NETWORKS=networks) as server:
        yield server


@pytest.fixture
def sql(testbed: Testbed, server: Server) -> Iterator[Callable[..., None]]:
    connection = psycopg2.connect(testbed.dsn(server.database))
    connection.autocommit = True

    def run(statement: str, **values: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)

    yield run
    connection.close()


def _make(page: Page, client: str, url: str) -> None:
    """Make a webhook, once the tables are captured."""

    def is_made() -> bool:
        page.goto("/admin/webhooks/new")
        page.get_by_label("Client app", exact=True).select_option(label=client)
        page.get_by_label("URL").fill(url)
        page.get_by_role("button", name="Create").click()
        return page.get_by_text("it is not shown again").is_visible()

    wait_until(is_made, _PATIENCE)


def test_webhooks_are_made_and_looked_at(page: Page, snapshot: Snapshot, sql: Callable[..., None]) -> None:
    log_in(page)
    page.goto("/admin/webhooks/")
    snapshot("none")
    page.goto("/admin/webhooks/new")
    snapshot("new")
    page.get_by_label("URL").fill("http://192.168.1.7/hook")
    page.get_by_label("Only these records").fill("[['count'")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Not made yet")).to_be_visible()
    snapshot("mistakes")
    for client, path in (
        ("Shop", "orders"),
        ("Shop", "stock/of/the/first/warehouse"),
        ("Ledger", "x"),
        ("Ledger", "y"),
    ):
        _make(page, client, f"http://127.0.0.1:9/{path}")
    snapshot("secret")
    sql("UPDATE gatehouse.webhook SET failures = 12 WHERE url LIKE '%%orders'")
    sql(
        "UPDATE gatehouse.webhook SET active = false, off_at = now(), reason = 'Its receiver answered 410: it wants no "
        "more.' WHERE url LIKE '%%x'"
    )
    sql(
        "UPDATE gatehouse.webhook SET active = false, off_at = now(), reason = 'It was switched off by hand.' "
        "WHERE url LIKE '%%y'"
    )
    sql(
        "INSERT INTO gatehouse.delivery (id, webhook_id, event, record_id, status, attempts, milliseconds, "
        "answer_status, answer, error, created_at, next_at) SELECT 'msg_' || n, w.id, e.event, e.record, e.status, "
        "e.attempts, e.ms, e.code, e.answer, e.error, now() - n * interval '7 seconds', now() + n * interval '1 hour' "
        "FROM gatehouse.webhook w, generate_series(1, 60) n JOIN (VALUES "
        "(0, 'updated', 17, 'pending', 0, NULL::int, NULL::int, '', ''), "
        "(1, 'created', 4711, 'pending', 5, 15000, NULL, '', 'There was no answer within 15 seconds.'), "
        "(2, 'updated', 12, 'failed', 14, 153, 502, %(html)s, ''), "
        "(3, 'removed', 12, 'delivered', 1, 48, 204, '', ''), "
        "(4, 'test', NULL, 'delivered', 1, 61, 200, '{\"ok\": true}', ''), "
        "(5, 'resync', NULL, 'superseded', 0, NULL, NULL, '', '')"
        ") AS e (k, event, record, status, attempts, ms, code, answer, error) ON e.k = n %% 6 "
        "WHERE w.url LIKE '%%orders' ORDER BY n DESC",
        html=_HTML,
    )
    page.goto("/admin/webhooks/")
    snapshot("list")
    page.get_by_role("link", name="/orders").click()
    expect(page.get_by_text("The last 12 attempts have failed")).to_be_visible()
    snapshot("webhook")
    page.get_by_role("link", name="Change").click()
    snapshot("change")
    page.goto("/admin/webhooks/")
    page.get_by_role("link", name="9/x").click()
    expect(page.get_by_role("alert")).to_contain_text("it wants no more")
    snapshot("off")
    page.get_by_role("link", name="Delete").click()
    snapshot("delete")
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Webhooks that need a look")).to_be_visible()
    snapshot("overview")
    page.goto("/admin/audit/definitions")
    snapshot("audit")
    page.goto("/admin/clients/")
    page.get_by_role("link", name="Shop").click()
    snapshot("client")
