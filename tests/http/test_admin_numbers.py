"""The panel's pages about what was called and changed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from lxml import html
from werkzeug.test import TestResponse

from app.analytics import log_pages, streams
from app.analytics.queries import Period
from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.panel import Panel, texts

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def panel(app: Gatehouse, admin: Client, sql: Sql) -> Iterator[Panel]:
    """An administrator in front of the panel; no call has been counted yet."""
    app.services.recorder.flush()
    for table in ("request_log", "audit", "rollup_minute", "rollup_hour", "rollup_day", "history"):
        sql(f"DELETE FROM gatehouse.{table}")
    yield Panel(admin)
    sql("DELETE FROM gatehouse.setting WHERE key = 'defaults'")
    app.services.catalog.refresh()


@pytest.fixture
def calls(app: Gatehouse, panel: Panel, demo: Client, publish: Publish) -> tuple[str, str]:
    """Some calls of an API: its route, and the id of the request that created a record."""
    route = publish(fields=["name", "count"])
    for _ in range(3):
        demo.result("GET", route)
    created = demo("POST", route, json={"name": "from the panel's test"})
    demo.error("GET", f"{route}?domain=[('secret','=',1)]")
    app.services.recorder.flush()
    return route, created.headers["X-Request-ID"]


def test_pages_without_any_call_say_so(panel: Panel) -> None:
    assert "There were no calls in this period" in texts(panel.get("/admin/analytics/"))
    assert "No call matches" in texts(panel.get("/admin/log/"))
    assert "No change matches" in texts(panel.get("/admin/audit/"))
    assert "Nothing has changed yet" in texts(panel.get("/admin/audit/definitions"))


def test_numbers_are_shown_and_downloaded(panel: Panel, calls: tuple[str, str]) -> None:
    route, _ = calls
    said = texts(panel.get("/admin/analytics/?span=hour"))
    assert "5 calls" in said
    assert "80.0 % succeeded, 1 failed" in said
    assert f"GET {route}" in said
    rows = list(csv.DictReader(io.StringIO(panel.get("/admin/analytics/data.csv?by=endpoint&span=hour").text)))
    assert {row["key"]: row["calls"] for row in rows} == {f"GET {route}": "4", f"POST {route}": "1"}
    assert panel.get("/admin/analytics/data.json?by=api").json[0]["failures"] == 1
    assert sum(row["calls"] for row in panel.get("/admin/analytics/data.json?by=time").json) == 5
    assert "There were no calls" in texts(panel.get("/admin/analytics/?span=own&first=2020-01-01&last=2020-02-01"))
    assert "There were no calls" in texts(panel.get("/admin/analytics/?api=999999"))
    assert panel.get("/admin/analytics/data.csv?by=nothing", 400)
    assert panel.get("/admin/analytics/data.xls", 400)


def test_the_log_is_filtered_and_a_call_has_its_page(panel: Panel, calls: tuple[str, str]) -> None:
    route, request_id = calls
    said = texts(panel.get("/admin/log/"))
    assert said.count(route) == 5
    assert "demo" in said
    assert texts(panel.get("/admin/log/?outcome=failed")).count(f"GET {route}") == 1
    assert texts(panel.get("/admin/log/?outcome=good")).count(route) == 4
    assert texts(panel.get(f"/admin/log/?q={request_id}")).count(route) == 1
    for query, count in (
        ("status=400", 1), ("status=2xx", 4), ("status=5XX", 0), ("status=x", 5), ("status=6xx", 5), ("status=40x", 5),
        ("q=127.0.0.1", 5),
        ("q=unknown_field", 1), (f"q=GET {route}", 4), (f"q={route[:-1]}", 5), ("q=%25", 0),
        ("q=demo", 5), ("q=admin", 0),
    ):  # fmt: skip
        assert texts(panel.get(f"/admin/log/?{query}")).count(f"{route}API") == count, query
    page = texts(panel.get(f"/admin/log/{request_id}"))
    assert f"POST {route}" in page
    assert "test.record" in page
    assert "create" in page
    assert panel.get("/admin/log/no-such-request", 404)


def test_the_audit_names_who_changed_what(panel: Panel, calls: tuple[str, str], sql: Sql) -> None:
    ((record,),) = sql("SELECT record_ids[1] FROM gatehouse.audit")
    for query in ("", "?model=test.record", f"?record={record}", "?q=demo", "?q=create", "?q=127.0.0.1"):
        said = texts(panel.get(f"/admin/audit/{query}"))
        assert "demo" in said
        assert "test.record" in said
    for query in ("model=res.partner", "q=admin", "q=nobody", "q=demo&model=res.partner"):
        assert "No change matches" in texts(panel.get(f"/admin/audit/?{query}"))
    assert panel.get("/admin/audit/data.csv?q=admin").text == ""
    assert "is a number" in texts(panel.get("/admin/audit/?record=x", 400))
    assert _lines(panel.get("/admin/audit/data.jsonl"))[0]["record_ids"] == [record]
    assert panel.get("/admin/audit/data.csv").text.startswith("id,at,request_id")


def test_the_history_names_the_administrator_and_shows_what_differs(panel: Panel) -> None:
    panel.follow(panel.send("/admin/settings/", page_size="20"))
    panel.follow(panel.send("/admin/settings/", page_size="30"))
    said = texts(panel.get("/admin/audit/definitions"))
    assert "by admin" in said
    assert "command line" not in said
    assert "Setting defaults" in said
    assert _lines(panel.get("/admin/audit/data.jsonl?of=definitions"))[0]["actor"] == "admin"
    assert '""page_size"":30' in panel.get("/admin/audit/data.csv?of=definitions").text.replace(" ", "")


@pytest.mark.parametrize(
    "query",
    ["span=x", "span=own", "span=own&first=2020-02-01&last=2020-01-01", "first=x&last=y&span=own", "page=0", "page=x",
     "api=x", "q=%00",
     "q=%27%22%25", "outcome=x", "before=x", "before=1~(0,0)'", "before=99999999999999999999~(0,1)",
     "before=99999999999999999~(0,1)", "before=²~(0,1)", "status=%", "route=%00", "client=%27&error=%25",
     "span=own&first=2020-01-01T00:00&last=2020-01-01T00:00", "span=own&first=2020-01-01T99:00&last=2020-01-02",
     "span=own&first=0001-01-01&last=9999-12-31"],
)  # fmt: skip
def test_what_an_address_cannot_mean_counts_as_not_asked_for(panel: Panel, query: str) -> None:
    for path in ("analytics", "log", "audit"):
        assert panel.get(f"/admin/{path}/?{query}")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\uff1d"])
def test_a_spreadsheet_is_given_no_formula(panel: Panel, calls: tuple[str, str], sql: Sql, begin: str) -> None:
    sql("UPDATE gatehouse.request_log SET path = %s", f"{begin}cmd()")
    rows = list(csv.DictReader(io.StringIO(panel.get("/admin/log/data.csv").text, newline="")))
    assert {row["path"] for row in rows} == {f"'{begin}cmd()"}


def _shown(page: TestResponse) -> tuple[list[str], list[str]]:
    """Return the callers of the calls that the page of a request shows, and the names of the records' creators."""
    tree = html.fromstring(page.text)
    who = [node.text_content().strip() for node in tree.xpath("//dl/dt[text()='Who']/following-sibling::dd[1]")]
    return who, [node.text_content().strip() for node in tree.xpath("//tbody//td[@data-label='Who']")]


def test_a_request_id_that_was_used_before_shows_no_calls_of_others(
    app: Gatehouse, panel: Panel, demo: Client, other: Client, publish: Callable[..., str]
) -> None:
    route, headers = publish(), {"X-Request-ID": "used-twice"}
    for caller in (demo, other):
        answer = caller("POST", route, json={"name": "of one of two"}, headers=headers)
        assert answer.headers["X-Request-ID"] == "used-twice"
    app.services.recorder.flush()
    for page in ("/admin/log/?q=used-twice", "/admin/audit/?q=used-twice"):
        links = html.fromstring(panel.get(page).text).xpath("//tbody//th/a/@href")
        assert [_shown(panel.get(link)) for link in links] == [(["other"], ["other"]), (["demo"], ["demo"])]
        assert "other calls came with the same one" in texts(panel.get(links[0]))
    assert _shown(panel.get("/admin/log/used-twice")) == (["other"], ["other"])  # the newest
    assert panel.get("/admin/log/used-twice?call=made-up", 404)
    assert panel.get("/admin/log/used-twice?call=%00", 404)


def test_the_id_of_an_answer_leads_to_its_call_though_others_send_it_too(
    app: Gatehouse, panel: Panel, demo: Client, other: Client, publish: Callable[..., str]
) -> None:
    route = publish()
    given = demo("POST", route, json={"name": "mine"}).headers["X-Request-ID"]
    for _ in range(2):
        other("GET", route, headers={"X-Request-ID": given})
    app.services.recorder.flush()
    assert _shown(panel.get(f"/admin/log/{given}")) == (["demo"], ["demo"])


def test_a_call_of_before_there_were_call_ids_is_shown(panel: Panel, sql: Sql) -> None:
    sql(
        "INSERT INTO gatehouse.request_log (at, request_id, api_id, endpoint, path, status, address, milliseconds) "
        "VALUES (now(), 'of old', 0, 'GET /old', '/old', 200, '', 1)"
    )
    (link,) = html.fromstring(panel.get("/admin/log/?q=of old").text).xpath("//tbody//th/a/@href")
    for address in (link, "/admin/log/of old"):
        page = texts(panel.get(address))
        assert "GET /old" in page
        assert "other calls" not in page


def test_a_file_holds_all_calls_that_match_and_reads_them_page_by_page(
    app: Gatehouse, panel: Panel, calls: tuple[str, str], sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    route, _ = calls
    sql(
        "INSERT INTO gatehouse.request_log (at, request_id, api_id, endpoint, path, status, address, milliseconds) "
        "SELECT date_trunc('second', now()), 'same moment', 0, 'GET /x', '/x', 200, '', n FROM generate_series(1, 20) n"
    )
    monkeypatch.setattr(streams, "SIZE", 7)
    pages = list(streams.log(app.services.database, Period.last(timedelta(hours=1))))
    assert [len(page) for page in pages] == [7, 7, 7, 4]
    found = _lines(panel.get("/admin/log/data.jsonl?q=same moment"))
    assert sorted(row["milliseconds"] for row in found) == list(range(1, 21))
    found = _lines(panel.get("/admin/log/data.jsonl?outcome=failed"))
    assert [(row["path"], row["error"]) for row in found] == [(route, "unknown_field")]
    rows = list(csv.DictReader(io.StringIO(panel.get("/admin/log/data.csv").text)))
    assert len(rows) == 25
    assert not {"request_body", "place"} & set(rows[0])
    assert panel.get("/admin/log/data.xls", 400)


def test_nothing_is_read_of_a_file_before_it_is_asked_for(
    app: Gatehouse, panel: Panel, calls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SIZE", 2)
    asked = []
    page = log_pages.log_page

    def counted(*arguments: Any, **more: Any) -> Any:
        asked.append(1)
        return page(*arguments, **more)

    monkeypatch.setattr(log_pages, "log_page", counted)
    answer = panel.client.http.get("/admin/log/data.jsonl", buffered=False)
    assert len(next(iter(answer.response)).splitlines()) == 2  # type: ignore[call-overload]
    assert len(asked) <= 2
    answer.close()


def test_the_log_is_paged_while_calls_go_on(panel: Panel, calls: tuple[str, str], sql: Sql) -> None:
    insert = (
        "INSERT INTO gatehouse.request_log (at, request_id, api_id, endpoint, path, status, address, milliseconds) "
        "SELECT {at}, %s || n, 0, 'GET /x', '/paged', 200, '', 1 FROM generate_series(1, %s) n"
    )
    # The old calls share one instant, so that only their places tell them apart. What comes meanwhile comes later: a
    # place alone is no order, PostgreSQL reuses those of rows that other tests have deleted.
    sql(insert.format(at="date_trunc('second', now())"), "old-", 120)
    seen = []
    address = "/admin/log/?q=/paged"
    for number in range(3):
        page = html.fromstring(panel.get(address).text)
        seen += [link.get("href").rsplit("/")[-1] for link in page.xpath("//tbody//th/a")]
        sql(insert.format(at="now()"), f"new-{number}-", 3)
        address = page.xpath("//a[@rel='next']/@href")[0] if number < 2 else ""
    assert len(seen) == len(set(seen)) == 120
    assert all(request_id.startswith("old-") for request_id in seen)


def _lines(answer: TestResponse) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]
