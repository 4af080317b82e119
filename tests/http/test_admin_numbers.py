"""The panel's pages about what was called and changed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.routing import Gatehouse
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
    assert len(panel.get("/admin/log/data.json").json) == 5
    assert panel.get("/admin/log/data.csv").text.startswith("at,request_id")
    page = texts(panel.get(f"/admin/log/{request_id}"))
    assert f"POST {route}" in page
    assert "test.record" in page
    assert "create" in page
    assert panel.get("/admin/log/no-such-request", 404)


def test_the_audit_names_who_changed_what(panel: Panel, calls: tuple[str, str], sql: Sql) -> None:
    ((record,),) = sql("SELECT record_ids[1] FROM gatehouse.audit")
    for query in ("", "?model=test.record", f"?record={record}"):
        said = texts(panel.get(f"/admin/audit/{query}"))
        assert "demo" in said
        assert "test.record" in said
    assert "No change matches" in texts(panel.get("/admin/audit/?model=res.partner"))
    assert "is a number" in texts(panel.get("/admin/audit/?record=x", 400))
    assert panel.get("/admin/audit/data.json").json[0]["record_ids"] == [record]


def test_the_history_names_the_administrator_and_shows_what_differs(panel: Panel) -> None:
    panel.follow(panel.send("/admin/settings/", page_size="20"))
    panel.follow(panel.send("/admin/settings/", page_size="30"))
    said = texts(panel.get("/admin/audit/definitions"))
    assert "by admin" in said
    assert "command line" not in said
    assert "Setting defaults" in said
    assert panel.get("/admin/audit/data.json?of=definitions").json[0]["actor"] == "admin"


@pytest.mark.parametrize(
    "query",
    ["span=x", "span=own", "span=own&first=2020-02-01&last=2020-01-01", "first=x&last=y&span=own", "page=0", "page=x",
     "api=x", "q=%00", "outcome=x", "span=own&first=0001-01-01&last=9999-12-31"],
)  # fmt: skip
def test_what_an_address_cannot_mean_counts_as_not_asked_for(panel: Panel, query: str) -> None:
    for path in ("analytics", "log", "audit"):
        assert panel.get(f"/admin/{path}/?{query}")


def test_a_spreadsheet_is_given_no_formula(panel: Panel, calls: tuple[str, str], sql: Sql) -> None:
    sql("UPDATE gatehouse.request_log SET path = '=cmd()'")
    assert "'=cmd()" in panel.get("/admin/log/data.csv").text
