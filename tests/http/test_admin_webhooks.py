"""Webhooks in the panel: made, looked at, tested, rotated, switched and deleted; and named where they need a look."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import html
from werkzeug.test import TestResponse

from app.clients import store as clients
from app.clients.document import ClientDocument
from app.editing import client_apps
from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.followers import capture
from tests.http.panel import Panel, address_of, errors_of, texts

Sql = Callable[..., list[tuple[Any, ...]]]
#: Sends a form that asks for something that is not captured yet, and again when it is.
Captured = Callable[[Callable[[], TestResponse]], TestResponse]
#: Makes a webhook and returns its id; what is given are columns that are changed then.
Make = Callable[..., str]
LIST, NEW = "/admin/webhooks/", "/admin/webhooks/new"
URL = "http://127.0.0.1:9/hook"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def panel(admin: Client, sql: Sql) -> Iterator[Panel]:
    """An administrator in front of the panel; client apps and their webhooks are gone after the test."""
    sql("DELETE FROM gatehouse.history")
    yield Panel(admin)
    sql("DELETE FROM gatehouse.client")


@pytest.fixture
def route(followed: Callable[..., str]) -> str:
    """An API with webhooks, whose changes are captured."""
    return followed(webhooks=True, fields=["name", "count"])


def _name(app: Gatehouse, route: str) -> str:
    (found,) = (
        each.name for each in app.services.catalog.snapshot.definitions.values() if each.document.route == route
    )
    return found


@pytest.fixture
def connect(app: Gatehouse, panel: Panel) -> Callable[..., clients.Client]:
    """Return a function that makes a client app that may call the APIs at some routes."""

    def run(name: str, *routes: str) -> clients.Client:
        document = ClientDocument(name=name, user="demo", scopes=["search"])
        apis = [_name(app, route) for route in routes]
        made: clients.Client = app.services.transactions.run(lambda root: client_apps.create(root, document, apis))
        app.services.catalog.refresh()
        return made

    return run


@pytest.fixture
def shop(connect: Callable[..., clients.Client], route: str) -> clients.Client:
    """A client app that may have webhooks."""
    return connect("Shop", route)


@pytest.fixture
def captured(app: Gatehouse, settle: Callable[[], None]) -> Captured:
    """Return a function that sends a form until what it asks for is captured."""

    def run(send: Callable[[], TestResponse]) -> TestResponse:
        answer = send()
        if "Try again in a moment" not in texts(answer):  # another test has had it captured
            return answer
        assert answer.status_code == 400
        capture(app)
        settle()
        return send()

    return run


@pytest.fixture
def make(panel: Panel, shop: clients.Client, sql: Sql) -> Make:
    """Return a function that makes a webhook of the client app in the panel."""

    def run(url: str = URL, **columns: Any) -> str:
        answer = panel.send(NEW, url=url)
        assert answer.status_code == 200, texts(answer)
        ((made,),) = sql("SELECT id FROM gatehouse.webhook ORDER BY created_at DESC LIMIT 1")
        for column, value in columns.items():
            sql(f"UPDATE gatehouse.webhook SET {column} = %s WHERE id = %s", value, made)
        return str(made)

    return run


def _page(webhook: str) -> str:
    return f"{LIST}{webhook}/"


def _deliver(sql: Sql, webhook: str, **columns: Any) -> str:
    """Put a delivery among those of a webhook."""
    ((number,),) = sql("SELECT count(*) FROM gatehouse.delivery")
    values = {"id": f"msg_{number}", "webhook_id": webhook, "event": "created", "record_id": 7, **columns}
    marks = ", ".join(["%s"] * len(values))
    sql(f"INSERT INTO gatehouse.delivery ({', '.join(values)}) VALUES ({marks})", *values.values())
    return str(values["id"])


def _history(sql: Sql) -> list[tuple[str, str]]:
    return [(actor, name) for actor, name in sql(
        "SELECT actor, name FROM gatehouse.history WHERE kind = 'webhook' ORDER BY id"
    )]  # fmt: skip


# Who may.


def test_only_administrators_see_webhooks_and_only_forms_of_the_panel_change_them(
    panel: Panel, make: Make, demo: Client, anyone: Client, admin: Client, sql: Sql
) -> None:
    webhook = make()
    for path in (LIST, NEW, _page(webhook), f"{_page(webhook)}edit", f"{_page(webhook)}confirm/delete"):
        assert anyone("GET", path).status_code == 303
        assert demo("GET", path).status_code == 403
    for what in ("test", "rotate", "switch", "redeliver", "delete", "edit"):
        path = f"{_page(webhook)}{what}"
        assert demo("POST", path).status_code == 403
        assert admin("POST", path, data={"csrf_token": "x"}).status_code == 400
    assert admin("POST", NEW, data={"url": URL}).status_code == 400
    assert sql("SELECT active, old_secret FROM gatehouse.webhook") == [(True, None)]


# Made.


def test_the_secret_of_a_new_webhook_is_shown_once_and_kept_sealed(
    panel: Panel, shop: clients.Client, sql: Sql, captured: Captured
) -> None:
    wanted = {"fields": "name\ncount", "domain": "[('count', '>', 1)]", "events": ["created"]}
    answer = captured(lambda: panel.send(NEW, url=URL, **wanted))
    (secret,) = html.fromstring(answer.text).xpath("//*[@id='hook-secret']/text()")
    assert secret.startswith("whsec_")
    ((webhook, *told),) = sql("SELECT id, client_id, url, events, fields, domain, thin FROM gatehouse.webhook")
    assert told == [shop.id, URL, ["created"], ["name", "count"], [["count", ">", 1]], False]
    for path in (LIST, _page(webhook), f"{_page(webhook)}edit", "/admin/audit/definitions"):
        assert secret not in panel.get(path).text
    ((sealed,),) = sql("SELECT secret FROM gatehouse.webhook")
    assert secret not in sealed
    assert _history(sql) == [("admin", f"Shop: {webhook}")]
    read = texts(panel.get("/admin/audit/definitions"))
    assert f"Webhook Shop: {webhook} Created" in read
    assert '+ domain: [["count",">",1]]' in read


def test_only_what_is_possible_can_be_chosen(
    app: Gatehouse, panel: Panel, route: str, connect: Callable[..., clients.Client], followed: Callable[..., str]
) -> None:
    assert "is on" in texts(panel.get(LIST))
    assert "no client app yet" in texts(panel.get(NEW))
    without = followed()
    shop, _ = connect("Shop", route), connect("Other", without)
    tree = html.fromstring(panel.get(f"{NEW}?client={shop.id}").text)
    assert tree.xpath("//select[@id='client']/option/text()") == ["Shop"]
    assert tree.xpath("//select[@id='api']/option/text()") == [_name(app, route)]
    assert tree.xpath("//select[@id='model']") == []


def test_of_an_api_with_several_models_one_is_chosen(
    app: Gatehouse, panel: Panel, publish: Callable[..., str], connect: Callable[..., clients.Client], sql: Sql,
    settle: Callable[[], None],
) -> None:  # fmt: skip
    models = [{"model": "test.record", "fields": ["name"]}, {"model": "res.partner", "fields": ["name"]}]
    route = publish(models=models, webhooks=True)
    capture(app)
    settle()
    connect("Shop", route)
    assert "name one of test.record, res.partner" in errors_of(panel.send(NEW, url=URL), "model")
    assert panel.send(NEW, url=URL, model="test.record").status_code == 200
    assert sql("SELECT model FROM gatehouse.webhook") == [("test.record",)]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("url", "", "required"),
        ("url", "nowhere", "This is no URL"),
        ("url", "http://10.0.0.1/", "must begin with https://"),
        ("url", "https://10.0.0.1/", "not public"),
        ("events", [], "Tick one at least"),
        ("fields", "name\nnaem", "'naem' is no field that can be asked for here. Did you mean name?"),
        ("fields", "name\nname", "Names one twice"),
        ("domain", "[['count', '>'", "neither JSON nor a Python literal"),
        ("domain", "{}", "valid list"),
        ("domain", "[['secret', '=', 1]]", "no field that this API can filter by"),
        ("api", "nothing", "Not a valid choice"),
    ],
)
def test_each_mistake_stands_at_its_field_and_nothing_is_made(
    panel: Panel, shop: clients.Client, sql: Sql, field: str, value: Any, said: str
) -> None:
    answer = panel.send(NEW, **{"url": URL, "thin": "y", field: value})
    assert answer.status_code == 400
    assert said in errors_of(answer, field)
    assert html.fromstring(answer.text).xpath("//input[@name='thin']/@checked")
    assert sql("SELECT FROM gatehouse.webhook") == []


def test_an_api_that_the_client_app_may_not_call_is_refused_at_its_field(
    app: Gatehouse, panel: Panel, shop: clients.Client, connect: Callable[..., clients.Client],
    followed: Callable[..., str],
) -> None:  # fmt: skip
    others = followed(webhooks=True)
    connect("Other", others)
    answer = panel.send(NEW, url=URL, client=str(shop.id), api=_name(app, others))
    assert "that this client app may call" in errors_of(answer, "api")


def test_a_client_app_without_the_scope_is_told_of_above_the_form(
    app: Gatehouse, panel: Panel, shop: clients.Client, sql: Sql
) -> None:
    sql("UPDATE gatehouse.client SET scopes = '{}'")
    answer = panel.send(NEW, url=URL)
    assert answer.status_code == 400
    assert html.fromstring(answer.text).xpath("//ul[@id='summary-list']/li")
    assert sql("SELECT FROM gatehouse.webhook") == []


# Listed.


def test_those_that_need_a_look_come_first(panel: Panel, make: Make, shop: clients.Client, sql: Sql) -> None:
    by_hand = make(URL + "/off")
    panel.follow(panel.confirm(_page(by_hand), "off"))
    good, failing = make(URL + "/on"), make(URL + "/failing", failures=3)
    ended = make(URL + "/gone", active=False, reason="The API is not served.", off_at="2026-01-02 03:04:00+00")
    _deliver(sql, failing)
    _deliver(sql, failing, status="delivered")
    rows = html.fromstring(panel.get(LIST).text).xpath("//tbody/tr")
    assert [row.xpath("./th/a/@href")[0] for row in rows] == [_page(each) for each in (ended, failing, good, by_hand)]
    read = [" ".join(row.text_content().split()) for row in rows]
    assert "Off since 2026-01-02 03:04 UTC: The API is not served." in read[0]
    assert "Failing 3 failures in a row 1" in read[1]
    assert "created, updated, removed On 0" in read[2]
    assert "It was switched off by hand." in read[3]
    assert len(html.fromstring(panel.get(f"{LIST}?client={shop.id}").text).xpath("//tbody/tr")) == 4
    assert html.fromstring(panel.get(f"{LIST}?client=999999").text).xpath("//tbody/tr") == []


def test_the_first_page_and_the_client_app_name_those_that_need_a_look(
    panel: Panel, make: Make, shop: clients.Client
) -> None:
    by_hand, good = make(URL + "/off"), make(URL + "/on")
    panel.follow(panel.confirm(_page(by_hand), "off"))
    assert "Webhooks that need a look" not in texts(panel.get("/admin/"))
    ended = make(URL + "/gone", active=False, reason=f"Its receiver answered {HOSTILE}.")
    failing = make(URL + "/failing", failures=1)
    home = panel.get("/admin/")
    assert "Webhooks that need a look" in texts(home)
    assert f"Its receiver answered {HOSTILE}." in texts(home)
    assert HOSTILE not in home.text
    found = html.fromstring(home.text).xpath("//section[contains(@class, 'error')]//a/@href")
    assert found == [_page(ended), _page(failing)]
    assert _page(good) not in home.text
    page = panel.get(f"/admin/clients/{shop.id}/")
    assert "4 webhooks 2 to look at" in texts(page)
    assert f"{LIST}?client={shop.id}" in page.text


# One webhook.


def test_deliveries_are_shown_newest_first_by_status_and_in_pages(panel: Panel, make: Make, sql: Sql) -> None:
    webhook = make()
    made = [_deliver(sql, webhook, status="delivered", record_id=number) for number in range(51)]
    failed = _deliver(
        sql, webhook, status="failed", attempts=12, milliseconds=1234, answer_status=500, answer=f"{HOSTILE}{'x' * 900}"
    )
    broken = _deliver(sql, webhook, event="test", record_id=None, attempts=1, error="No connection could be made.")
    page = panel.get(_page(webhook))
    rows = [" ".join(row.text_content().split()) for row in html.fromstring(page.text).xpath("//tbody/tr")]
    assert len(rows) == 50
    assert "test – pending 1 attempt next 2" in rows[0]
    assert "No connection could be made." in rows[0]
    assert f"created 7 failed 12 attempts 500 {HOSTILE}xxx" in rows[1]
    assert "x... 1,234 ms" in rows[1]
    assert "x" * 500 not in page.text
    assert HOSTILE not in page.text
    (older,) = html.fromstring(page.text).xpath("//a[@rel='next']/@href")
    assert len(html.fromstring(panel.get(older).text).xpath("//tbody/tr")) == 3
    for status, first in (("failed", failed), ("pending", broken), ("delivered", made[-1])):
        filtered = panel.get(f"{_page(webhook)}?status={status}").text
        assert html.fromstring(filtered).xpath("//input[@name='delivery']/@value")[0] == first
    assert "No delivery is superseded." in texts(panel.get(f"{_page(webhook)}?status=superseded"))


def test_a_record_is_shown_as_callers_see_it(
    app: Gatehouse, panel: Panel, route: str, make: Make, sql: Sql, root: Callable[..., Any]
) -> None:
    webhook = make()
    _deliver(sql, webhook, record_id=7)
    sql("UPDATE gatehouse.api SET document = document || '{\"id_obfuscation\": true}'")
    app.services.catalog.refresh()
    (definition,) = (
        each for each in app.services.catalog.snapshot.definitions.values() if each.document.route == route
    )
    shown = html.fromstring(panel.get(_page(webhook)).text).xpath("//td[@data-label='Record']//text()")
    assert shown == [definition.ids.of("test.record").encode(7)]


def test_a_test_is_sent_and_a_message_sent_again(panel: Panel, make: Make, sql: Sql) -> None:
    webhook = make()
    assert "sent in a moment" in texts(panel.follow(panel.send(_page(webhook), "/test")))
    assert sql("SELECT event, status FROM gatehouse.delivery") == [("test", "pending")]
    sql("UPDATE gatehouse.delivery SET status = 'failed'")
    panel.follow(panel.send(_page(webhook), "/redeliver"))
    assert sql("SELECT event, status FROM gatehouse.delivery") == [("test", "pending")]


def test_a_new_secret_is_shown_once_and_the_old_one_signs_too_for_a_while(panel: Panel, make: Make, sql: Sql) -> None:
    webhook = make()
    asked = panel.get(address_of(panel.get(_page(webhook)), "rotate", overlap="3600"))
    assert "signed with both for one hour" in texts(asked)
    assert html.fromstring(panel.agree(asked).text).xpath("//*[@id='hook-secret']")
    rows = sql("SELECT old_secret IS NOT NULL, old_secret_until > now() + interval '59 minutes' FROM gatehouse.webhook")
    assert rows == [(True, True)]
    read = texts(panel.get("/admin/audit/definitions"))
    assert f"Webhook Shop: {webhook} Changed" in read
    assert "new secret: – → true" in read


def test_one_that_is_off_says_why_sends_nothing_and_is_switched_on_again(panel: Panel, make: Make, sql: Sql) -> None:
    webhook = make()
    page = panel.follow(panel.confirm(_page(webhook), "off"))
    assert "It was switched off by hand." in texts(page)
    assert sql("SELECT active, off_at IS NOT NULL FROM gatehouse.webhook") == [(False, True)]
    assert "Send a test" not in page.text
    refused = panel.submit(page, _page(webhook), "/switch", on="0")
    assert refused.status_code == 303  # off already: nothing happens
    sql("UPDATE gatehouse.webhook SET reason = 'It has failed for three days.', failures = 9")
    page = panel.get(_page(webhook))
    assert "and nothing is sent: It has failed for three days." in texts(page)
    panel.follow(panel.submit(page, _page(webhook), "/switch"))
    assert sql("SELECT active, reason, failures FROM gatehouse.webhook") == [(True, "", 0)]
    assert "active: true → false" in texts(panel.get("/admin/audit/definitions"))


def test_what_an_old_page_asks_of_one_that_is_off_is_refused(panel: Panel, make: Make, sql: Sql) -> None:
    webhook = make()
    page = panel.get(_page(webhook))
    sql("UPDATE gatehouse.webhook SET active = false, reason = 'x'")
    answer = panel.submit(page, _page(webhook), "/test")
    assert answer.status_code == 409
    assert "switch it on first" in texts(answer)


def test_it_is_changed_and_a_mistake_stands_at_its_field(
    panel: Panel, make: Make, sql: Sql, captured: Captured
) -> None:
    webhook = make()
    form = f"{_page(webhook)}edit"
    answer = panel.send(form, fields="nothing")
    assert answer.status_code == 400
    assert "is no field" in errors_of(answer, "fields")
    wanted = {"url": f"{URL}/new", "fields": "name", "domain": '[["count", ">", 1]]', "thin": "y"}
    panel.follow(captured(lambda: panel.send(form, **wanted)))
    assert sql("SELECT url, fields, domain, thin FROM gatehouse.webhook") == [
        (URL + "/new", ["name"], [["count", ">", 1]], True)
    ]
    tree = html.fromstring(panel.get(form).text)
    assert json.loads(tree.xpath("//textarea[@name='domain']")[0].text_content()) == [["count", ">", 1]]
    assert "fields: – → name" in texts(panel.get("/admin/audit/definitions"))


def test_one_that_somebody_else_has_changed_is_neither_saved_nor_deleted_unseen(
    panel: Panel, make: Make, sql: Sql
) -> None:
    webhook = make()
    form = f"{_page(webhook)}edit"
    page, asked = panel.get(form), panel.get(f"{_page(webhook)}confirm/delete")
    panel.follow(panel.send(form, url=URL + "/theirs"))
    answer = panel.submit(page, form, url=URL + "/mine")
    assert answer.status_code == 409
    assert f"It is now: {URL}/theirs" in texts(answer)
    assert panel.agree(asked).status_code == 409
    panel.follow(panel.submit(answer, form))
    assert sql("SELECT url FROM gatehouse.webhook") == [(URL + "/mine",)]


def test_it_is_deleted_with_its_deliveries_after_a_question(panel: Panel, make: Make, sql: Sql) -> None:
    webhook = make()
    _deliver(sql, webhook)
    asked = panel.get(address_of(panel.get(_page(webhook)), "delete"))
    assert "1 delivery" in texts(asked)
    assert "is deleted" in texts(panel.follow(panel.agree(asked)))
    assert sql("SELECT FROM gatehouse.webhook UNION ALL SELECT FROM gatehouse.delivery") == []
    assert f"Webhook Shop: {webhook} Deleted" in texts(panel.get("/admin/audit/definitions"))
    panel.get(_page(webhook), 404)


def test_who_deletes_a_client_app_or_an_api_is_told_of_their_webhooks(
    app: Gatehouse, panel: Panel, make: Make, shop: clients.Client, sql: Sql
) -> None:
    make()
    ((api,),) = sql("SELECT api_id FROM gatehouse.webhook")
    assert "Webhooks1 webhook" in texts(panel.get(f"/admin/clients/{shop.id}/confirm/delete"))
    assert "Webhooks1 webhook of Shop" in texts(panel.get(f"/admin/apis/{api}/confirm/delete"))
