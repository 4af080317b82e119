"""The panel's first page, and the way from numbers to the calls behind them."""

from __future__ import annotations

import pytest
from lxml import html

from app.analytics import recent
from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish, Sql
from tests.http.console import Console
from tests.http.panel import Panel, texts

TABLES = ("request_log", "audit", "rollup_minute", "rollup_hour", "rollup_day", "history")


@pytest.fixture
def panel(app: Gatehouse, admin: Client, sql: Sql) -> Panel:
    """An administrator in front of the panel; no call has been counted yet, and there is no client app."""
    app.services.recorder.flush()
    for table in TABLES:
        sql(f"DELETE FROM gatehouse.{table}")
    return Panel(admin)


def _steps(panel: Panel) -> list[tuple[str, bool]]:
    """Return the steps of the checklist, and which are done."""
    found = html.fromstring(panel.get("/admin/").text).xpath("//*[contains(@class, 'first-steps')]//li")
    return [(step.xpath("./a")[0].text_content(), "Done" in step.text_content()) for step in found]


def test_the_checklist_ticks_itself_off_and_is_gone_when_all_is_done(
    app: Gatehouse, panel: Panel, demo: Client, publish: Publish, sql: Sql
) -> None:
    names = ["Expose", "Publish", "Try", "Client app"]
    before = sql("SELECT id, document FROM gatehouse.api")
    assert before == []
    assert _steps(panel) == [(name, False) for name in names]
    route = publish()
    sql("UPDATE gatehouse.api SET document = document || '{\"published\": false}'")
    assert [done for _, done in _steps(panel)] == [True, False, False, False]
    sql("UPDATE gatehouse.api SET document = document || '{\"published\": true}'")
    assert [done for _, done in _steps(panel)] == [True, True, False, False]
    app.services.catalog.refresh()
    demo.result("GET", route)
    app.services.recorder.flush()
    assert [done for _, done in _steps(panel)] == [True, True, True, False]
    sql("INSERT INTO gatehouse.client (name, public_id, scopes) VALUES ('Steps', 'steps', '{}')")
    assert _steps(panel) == []
    sql("DELETE FROM gatehouse.client WHERE name = 'Steps'")


@pytest.mark.parametrize("keys", [{"published": False}, {"statistics": False}])
def test_a_call_that_nothing_counts_is_tried_too(
    app: Gatehouse, panel: Panel, publish: Publish, sql: Sql, keys: dict[str, bool]
) -> None:
    route = publish(**keys)
    assert ("Try", False) in _steps(panel)
    for _ in range(2):
        assert Console(panel, app)(route).status == 200
    assert ("Try", True) in _steps(panel)
    noted = "SELECT actor, after FROM gatehouse.history WHERE kind = 'panel'"
    assert sql(noted) == [("admin", {"tried": f"GET {route}"})]
    assert f"tried: – → GET {route}" in texts(panel.get("/admin/audit/definitions"))


def test_each_step_leads_to_the_page_that_does_it(panel: Panel, publish: Publish) -> None:
    publish()
    tree = html.fromstring(panel.get("/admin/").text)
    for address in tree.xpath("//*[contains(@class, 'first-steps')]//a/@href"):
        assert panel.get(address)


def test_the_last_hour_and_day_are_drawn_with_axes_and_lead_to_their_calls(
    app: Gatehouse, panel: Panel, demo: Client, publish: Publish
) -> None:
    route = publish()
    demo.result("GET", route)
    demo.error("GET", f"{route}?limit=x")
    app.services.recorder.flush()
    tree = html.fromstring(panel.get("/admin/").text)
    labels = tree.xpath("//*[local-name()='svg' and @role='img']/@aria-label")
    assert [label.split(":")[0] for label in labels] == ["Calls", "Errors", "Latency"] * 2
    assert labels[0].startswith("Calls: 2, of which 1 failed")
    assert len(tree.xpath("//*[local-name()='text' and @data-time]")) >= 6
    assert tree.xpath("//*[@style]") == []
    (link,) = tree.xpath("//figure//a[contains(@href, 'outcome=failed') and contains(@href, 'span=hour')]/@href")
    assert len(html.fromstring(panel.get(link).text).xpath("//tbody//tr")) == 1


def test_the_last_failures_stand_there_with_their_reasons(
    app: Gatehouse, panel: Panel, demo: Client, publish: Publish
) -> None:
    route = publish()
    demo.result("GET", route)
    demo.error("POST", route, json={"name": "forbidden"})
    app.services.recorder.flush()
    said = texts(panel.get("/admin/"))
    assert "This name is forbidden." in said
    assert said.count(f"POST {route}") == 1
    assert f"GET {route}" not in said
    assert len(recent.failures(app.services.database, 8)) == 1


def test_who_was_limited_is_named_and_leads_to_the_refused_calls(
    app: Gatehouse, panel: Panel, demo: Client, publish: Publish
) -> None:
    route = publish(rate_limit="1/hour")
    assert "Who was limited" not in texts(panel.get("/admin/"))
    for _ in range(4):
        demo("GET", route)
    app.services.recorder.flush()
    tree = html.fromstring(panel.get("/admin/").text)
    (row,) = tree.xpath("//section[h2[contains(., 'Who was limited')]]//tbody/tr")
    assert "demo" in row.text_content()
    (link,) = row.xpath(".//a/@href")
    assert len(html.fromstring(panel.get(link).text).xpath("//tbody//tr")) == 3


def test_every_row_of_the_numbers_leads_to_its_calls_in_the_same_period(
    app: Gatehouse, panel: Panel, demo: Client, publish: Publish
) -> None:
    route, other = publish(), publish()
    for _ in range(3):
        demo.result("GET", route)
    demo.error("GET", f"{route}?limit=x")
    demo.result("POST", other, json={"name": "numbers"})
    app.services.recorder.flush()
    tree = html.fromstring(panel.get("/admin/analytics/?span=hour").text)
    found = {}
    for row in tree.xpath("//tbody/tr"):
        (link,) = row.xpath("./th/a")
        log = html.fromstring(panel.get(link.get("href")).text)
        assert len(log.xpath("//tbody//tr")) == int(row.xpath("./td[@data-label='Calls']")[0].text_content())
        found[link.text_content()] = log
    assert {f"GET {route}", f"POST {other}", "invalid_limit"} <= set(found)
    # Another filter keeps it, until it is taken off.
    log = found[f"GET {route}"]
    assert log.xpath("//input[@type='hidden' and @name='route']/@value") == [f"GET {route}"]
    (off,) = log.xpath("//*[contains(@class, 'chip')]//a/@href")
    assert len(html.fromstring(panel.get(off).text).xpath("//tbody//tr")) == 5


def test_calls_of_a_client_app_are_found_by_its_name_and_lead_to_it(
    app: Gatehouse, panel: Panel, publish: Publish, sql: Sql
) -> None:
    publish()
    ((client,),) = sql(
        "INSERT INTO gatehouse.client (name, public_id, scopes) VALUES ('Shop & Co', 'shop', '{}') RETURNING id"
    )
    insert = (
        "INSERT INTO gatehouse.request_log "
        "(at, request_id, api_id, endpoint, path, status, client, caller, address, milliseconds) "
        "VALUES (now(), %s, 0, 'GET /x', '/x', 200, %s, %s, '', 1)"
    )
    sql(insert, "of-shop", "Shop & Co", f"client:{client}")
    sql(insert, "of-gone", "Gone", "client:999999")
    try:
        tree = html.fromstring(panel.get("/admin/log/?client=Shop+%26+Co").text)
        assert tree.xpath("//td[@class='caller']/a/@href") == [f"/admin/clients/{client}/"]
        tree = html.fromstring(panel.get("/admin/log/?client=Gone").text)
        assert tree.xpath("//td[@class='caller']/a") == []
        assert tree.xpath("//td[@class='caller']")[0].text_content() == "Gone"
    finally:
        sql("DELETE FROM gatehouse.client WHERE name = 'Shop & Co'")


def test_what_came_after_a_call_is_told_with_what_came_a_little_before(
    app: Gatehouse, panel: Panel, demo: Client, publish: Publish, sql: Sql
) -> None:
    route = publish()
    demo.result("GET", route)
    app.services.recorder.flush()
    page = html.fromstring(panel.get("/admin/log/").text)
    (button,) = page.xpath("//button[@id='live']")
    keys = page.xpath("//tr/@data-key")
    assert button.get("data-after") == keys[0]
    address = f"{button.get('data-url')}?after={keys[0]}"
    demo.error("GET", f"{route}?limit=x")
    app.services.recorder.flush()
    found = html.fromstring(panel.get(address).text).xpath("//tr/@data-key")
    assert len(found) == 2
    assert found[1:] == keys
    sql("UPDATE gatehouse.request_log SET at = at - interval '10 seconds' WHERE error IS NULL")
    assert html.fromstring(panel.get(address).text).xpath("//tr/@data-key") == found[:1]
    assert html.fromstring(panel.get(f"{address}&outcome=good").text).xpath("//tr") == []
    for after in ("", "x", "%00", "99999999999999999~(0,1)"):
        assert panel.get(f"/admin/log/live/rows?after={after}", 200 if "9" in after else 400)


def test_times_are_in_utc_and_machines_can_read_them(
    app: Gatehouse, panel: Panel, demo: Client, publish: Publish, sql: Sql
) -> None:
    demo.result("GET", publish())
    app.services.recorder.flush()
    sql("UPDATE gatehouse.request_log SET at = date_trunc('minute', at)")
    (time,) = html.fromstring(panel.get("/admin/log/").text).xpath("//tbody//time")
    assert time.get("datetime") == time.text.replace(" ", "T") + ".000Z"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("first=2026-01-02T03:00&last=2026-01-02T03:01", 1),
        ("first=2026-01-02T03:01&last=2026-01-02T04:00", 0),
        ("first=2026-01-02&last=2026-01-02", 1),
        ("first=2026-01-02T03:00&last=2026-01-02", 1),
    ],
)
def test_a_period_is_of_days_or_to_the_minute(panel: Panel, sql: Sql, query: str, found: int) -> None:
    sql(
        "CREATE TABLE IF NOT EXISTS gatehouse.request_log_20260102 PARTITION OF gatehouse.request_log "
        "FOR VALUES FROM ('2026-01-02 00:00:00+00') TO ('2026-01-03 00:00:00+00')"
    )
    sql(
        "INSERT INTO gatehouse.request_log (at, request_id, api_id, endpoint, path, status, address, milliseconds) "
        "VALUES ('2026-01-02 03:00:30+00', 'old', 0, 'GET /x', '/x', 200, '', 1)"
    )
    tree = html.fromstring(panel.get(f"/admin/log/?span=own&{query}").text)
    assert len(tree.xpath("//tbody/tr")) == found


def test_a_failed_call_can_be_tried_again_while_its_api_is_there(
    app: Gatehouse, panel: Panel, demo: Client, publish: Publish, sql: Sql
) -> None:
    route = publish()
    good = demo("GET", route).headers["X-Request-ID"]
    failed = demo("GET", f"{route}?limit=x").headers["X-Request-ID"]
    app.services.recorder.flush()
    again = "//a[normalize-space()='Try again']/@href"
    assert html.fromstring(panel.get(f"/admin/log/{good}").text).xpath(again) == []
    (link,) = html.fromstring(panel.get(f"/admin/log/{failed}").text).xpath(again)
    assert f"log={failed}" in link
    assert panel.get(link)
    sql("UPDATE gatehouse.request_log SET api_id = 999999")
    assert html.fromstring(panel.get(f"/admin/log/{failed}").text).xpath(again) == []


def test_the_history_names_users_and_what_took_whose_place(app: Gatehouse, panel: Panel, sql: Sql) -> None:
    ((client,),) = sql(
        "INSERT INTO gatehouse.client (name, public_id, scopes) VALUES ('Named', 'named', '{read}') RETURNING id"
    )
    try:
        sql(
            "UPDATE gatehouse.client SET uid = (SELECT id FROM res_users WHERE login = 'admin'), active = false, "
            "scopes = '{read,search}' WHERE id = %s",
            client,
        )
        sql("UPDATE gatehouse.client SET uid = 999999 WHERE id = %s", client)
        said = texts(panel.get("/admin/audit/definitions"))
        for line in ("user: – → admin", "active: true → false", "scopes: read → read, search", "admin → user 999999"):
            assert line in said
        assert "uid" not in said
        panel.follow(panel.send("/admin/settings/", page_size="20"))
        panel.follow(panel.send("/admin/settings/", page_size="30"))
        assert "page_size: 20 → 30" in texts(panel.get("/admin/audit/definitions"))
    finally:
        sql("DELETE FROM gatehouse.client WHERE id = %s", client)
        sql("DELETE FROM gatehouse.setting WHERE key = 'defaults'")
        app.services.catalog.refresh()
