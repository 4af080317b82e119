"""The audit, the request log and the statistics of calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from app import partitions
from app.analytics import log_pages, queries, retention
from app.analytics.log_pages import Wanted
from app.analytics.logged_calls import LoggedCall
from app.analytics.queries import Period
from app.analytics.recorder import Recorder
from app.web.routing import Gatehouse
from odoo_bridge import records
from tests.http.conftest import Client
from tests.server.conftest import wait_until

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]
Root = Callable[..., Any]
HOUR = timedelta(hours=1)


def _api_id(app: Gatehouse, route: str) -> int:
    (found,) = (api.id for api in app.services.catalog.snapshot.definitions.values() if api.document.route == route)
    return found


@pytest.fixture
def audit(sql: Sql) -> Callable[[str], list[tuple[Any, ...]]]:
    """Return what the audit says of a request."""

    def run(request_id: str) -> list[tuple[Any, ...]]:
        return sql(
            "SELECT action, model, cardinality(record_ids), fields, caller, client, address "
            "FROM gatehouse.audit WHERE request_id = %s ORDER BY id",
            request_id,
        )

    return run


def test_every_change_has_its_row_and_reads_have_none(
    demo: Client, publish: Publish, root: Root, audit: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    route = publish(fields=["name", "count"])
    uid = root(lambda env: env.ref("base.user_demo").id)

    def call(method: str, path: str, **options: Any) -> Any:
        answer = demo(method, path, **options)
        return answer.json["result"], audit(answer.headers["X-Request-ID"])

    who = (f"user:{uid}", None, "127.0.0.1")
    created, rows = call("POST", route, json={"name": "audited", "count": 1})
    assert rows == [("create", "test.record", 1, ["count", "name"], *who)]
    path = f"{route}/{created['id']}"
    assert call("PATCH", path, json={"count": 2})[1] == [("update", "test.record", 1, ["count"], *who)]
    assert call("GET", path)[1] == []
    assert call("GET", route)[1] == []
    assert call("DELETE", path)[1] == [("delete", "test.record", 1, [], *who)]
    many, rows = call("POST", route, json=[{"name": "a"}, {"name": "b"}])
    assert rows == [("create", "test.record", 2, ["name"], *who)]
    mixed = [{"name": "good"}, {"name": "forbidden"}]
    _, rows = call("POST", f"{route}?atomic=false", json=mixed)
    assert rows == [("create", "test.record", 1, ["name"], *who)]
    assert call("DELETE", route, json=[record["id"] for record in many])[1] == [("delete", "test.record", 2, [], *who)]


def test_a_call_that_fails_or_is_a_test_leaves_no_row_of_a_change(
    demo: Client, publish: Publish, audit: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    failed = demo("POST", publish(), json=[{"name": "a"}, {"name": "forbidden"}])
    tried = demo("POST", publish(mode="test"), json={"name": "tried"})
    for answer in (failed, tried):
        assert audit(answer.headers["X-Request-ID"]) == []


def test_a_call_that_is_tried_again_has_one_row(
    demo: Client,
    publish: Publish,
    audit: Callable[[str], list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from psycopg2.errors import SerializationFailure

    route = publish()
    create, tries = records.create, []

    def fail_once(*arguments: Any) -> Any:
        tries.append(1)
        ids = create(*arguments)
        if len(tries) == 1:
            raise SerializationFailure
        return ids

    monkeypatch.setattr(records, "create", fail_once)
    answer = demo("POST", route, json={"name": "tried twice"})
    assert len(tries) == 2
    assert len(audit(answer.headers["X-Request-ID"])) == 1


def test_an_rpc_call_is_audited_with_its_method(
    demo: Client, publish: Publish, root: Root, audit: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    (record,) = root(lambda env: env["test.record"].create({"name": "rpc"}).ids)
    route = publish(fields=(), type="rpc", method="rename", id_obfuscation=False, http_methods=["POST"])
    answer = demo("POST", f"{route}/{record}", json={"name": "renamed"})
    assert audit(answer.headers["X-Request-ID"])[0][:3] == ("rename", "test.record", 1)


@pytest.mark.parametrize(
    ("method", "audited"),
    [("echo", 0), ("commit_in_between", 1), ("commit_elsewhere", 1), ("commit_in_a_thread", 1), ("attach", 1)],
)
def test_an_rpc_call_is_audited_where_it_may_have_written_by_whatever_way(
    method: str, audited: int, demo: Client, publish: Publish, audit: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    declared = {"name": "harmless"} if method == "attach" else {}
    route = publish(fields=(), type="rpc", method=method, arguments=declared, id_obfuscation=False, run_as="admin")
    answer = demo("POST", route, json={} if method == "echo" else {"name": f"audited {method}"})
    assert "result" in answer.json, answer.text
    assert len(audit(answer.headers["X-Request-ID"])) == audited


def test_the_log_knows_each_call_and_nothing_secret(
    demo: Client, anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    route = publish()
    ok = demo("GET", f"{route}?domain=[('name','=','needle-in-query')]")
    rejected = demo("POST", route, json={"name": "forbidden"})
    missing = demo("GET", f"{route}/made-up")
    stranger = anyone("GET", route, headers={"Authorization": "Bearer needle-in-header"})
    app.services.recorder.flush()
    rows = log_pages.log_page(app.services.database, Period.last(HOUR), Wanted(_api_id(app, route)))
    assert [(row["endpoint"], row["status"], row["error"]) for row in reversed(rows)] == [
        (f"GET {route}", 200, None),
        (f"POST {route}", 200, "odoo.exceptions.ValidationError"),
        (f"GET {route}/{{id}}", 404, "not_found"),
        (f"GET {route}", 401, "invalid_token"),
    ]
    assert {row["request_id"] for row in rows} == {
        answer.headers["X-Request-ID"] for answer in (ok, rejected, missing, stranger)
    }
    assert "needle" not in repr(rows)
    failed = log_pages.log_page(app.services.database, Period.last(HOUR), Wanted(_api_id(app, route), failed=True))
    assert len(failed) == 3
    logged, audited = log_pages.request(app.services.database, rejected.headers["X-Request-ID"])
    assert (len(logged), audited) == (1, [])


def test_an_api_without_statistics_is_not_logged(demo: Client, publish: Publish, app: Gatehouse) -> None:
    route = publish(statistics=False)
    demo("GET", route)
    app.services.recorder.flush()
    assert log_pages.log_page(app.services.database, Period.last(HOUR), Wanted(_api_id(app, route))) == []


def test_statistics_count_every_call_once(demo: Client, publish: Publish, app: Gatehouse) -> None:
    route = publish()
    for _ in range(20):
        demo("GET", route)
    for _ in range(5):
        demo("GET", f"{route}/made-up")
    app.services.recorder.flush()
    database, api_id = app.services.database, _api_id(app, route)
    for period in (Period.last(HOUR), Period.last(timedelta(days=7))):
        total = queries.totals(database, period, api_id=api_id)
        assert (total.calls, total.failures, total.success_rate) == (25, 5, 0.8)
        assert total.average is not None
        assert total.p50 is not None
        assert total.p99 is not None
        assert 0 < total.p50 <= total.p99
        endpoints = queries.by(database, period, "endpoint", api_id=api_id)
        assert [(each.key, each.calls) for each in endpoints] == [(f"GET {route}", 20), (f"GET {route}/{{id}}", 5)]
        assert {each.key: each.calls for each in queries.by(database, period, "error", api_id=api_id)}["not_found"] == 5
        assert sum(each.calls for each in queries.series(database, period, api_id=api_id)) == 25
    assert queries.totals(database, Period.last(HOUR), api_id=10**6).calls == 0


def _row(at: datetime, **values: Any) -> LoggedCall:
    defaults: dict[str, Any] = {
        "request_id": "r",
        "api_id": 0,
        "endpoint": "GET /x",
        "path": "/x",
        "status": 200,
        "error": None,
        "message": None,
        "caller": None,
        "client": None,
        "uid": None,
        "address": "",
        "milliseconds": 1.0,
    }
    return LoggedCall(at=at, **{**defaults, **values})


def test_a_row_that_cannot_be_written_holds_up_no_other(app: Gatehouse, sql: Sql) -> None:
    recorder = Recorder(app.services.database)
    recorder.record(_row(datetime.now(timezone.utc), request_id="nul \x00"))
    deadline = datetime.now(timezone.utc) + timedelta(seconds=10)
    while not recorder.dropped and datetime.now(timezone.utc) < deadline:
        recorder._stopped.wait(0.1)
    recorder.record(_row(datetime.now(timezone.utc), request_id="after nul"))
    recorder.stop()
    assert recorder.dropped == 1
    assert sql("SELECT count(*) FROM gatehouse.request_log WHERE request_id = 'after nul'") == [(1,)]


def test_a_path_with_a_nul_is_logged(demo: Client, publish: Publish, app: Gatehouse) -> None:
    route = publish()
    demo("GET", f"{route}/%00x")
    app.services.recorder.flush()
    (row,) = log_pages.log_page(app.services.database, Period.last(HOUR), Wanted(_api_id(app, route)))
    assert row["path"] == f"{route}/\ufffdx"


def test_old_days_are_dropped_whole(app: Gatehouse, sql: Sql) -> None:
    recorder = Recorder(app.services.database)
    today = datetime.now(timezone.utc)
    for age in (0, 10, 100, 200):
        recorder.record(_row(today - timedelta(days=age), request_id=f"age {age}"))
    recorder.stop()
    run = app.test_cli_runner().invoke
    assert run(args=["log", "purge", "--older-than", "90d"]).output == "2 days were dropped.\n"
    assert run(args=["log", "purge", "--older-than", "90d"]).output == "No day is that old.\n"
    assert sql("SELECT request_id FROM gatehouse.request_log WHERE request_id LIKE 'age %' ORDER BY at") == [
        ("age 10",),
        ("age 0",),
    ]
    for wrong in ("90", "0d", "-1d", "90 days", "x"):
        assert run(args=["log", "purge", "--older-than", wrong]).exit_code != 0


def test_old_rows_go_by_themselves_after_the_days_that_the_setting_says(app: Gatehouse, sql: Sql) -> None:
    recorder = Recorder(app.services.database)
    now = datetime.now(timezone.utc)
    for age in (0, 3, 40, 100):
        recorder.record(_row(now - timedelta(days=age), request_id=f"kept {age}", endpoint="GET /kept"))
    recorder.stop()
    sql("UPDATE gatehouse.setting SET value = '30' WHERE key = 'log_retention_days'")
    app.services.catalog.refresh()
    app.services.recorder._clean_up()
    sql("UPDATE gatehouse.setting SET value = '90' WHERE key = 'log_retention_days'")
    assert sql("SELECT request_id FROM gatehouse.request_log WHERE request_id LIKE 'kept %' ORDER BY at DESC") == [
        ("kept 0",),
        ("kept 3",),
    ]
    counts = {
        table: sql(f"SELECT sum(calls)::int FROM gatehouse.{table} WHERE key = 'GET /kept'")[0][0]
        for table in ("rollup_minute", "rollup_hour", "rollup_day")
    }
    assert counts == {"rollup_minute": 1, "rollup_hour": 3, "rollup_day": 4}


def test_a_full_queue_drops_and_counts_and_never_blocks(app: Gatehouse) -> None:
    recorder = Recorder(app.services.database, capacity=10)
    with app.services.database.transaction() as cr:
        partitions.ensure(cr, "request_log", date.today())
        cr.execute("LOCK TABLE gatehouse.request_log IN ACCESS EXCLUSIVE MODE")
        for _ in range(40):
            recorder.record(_row(datetime.now(timezone.utc), request_id="full"))
        assert recorder.dropped >= 10
    recorder.stop()


def test_rows_are_written_while_old_ones_are_dropped(app: Gatehouse, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on = threading.Event(), threading.Event()

    def takes_long(database: Any, days: int) -> None:
        began.set()
        go_on.wait(120)

    monkeypatch.setattr(retention, "clean_up", takes_long)
    recorder = Recorder(app.services.database, interval=0.05)
    recorder._next_clean_up = 0
    try:
        for name in ("before", "meanwhile"):
            recorder.record(_row(datetime.now(timezone.utc), request_id=f"clean-up {name}"))
            wait_until(partial(sql, f"SELECT 1 FROM gatehouse.request_log WHERE request_id = 'clean-up {name}'"), 60)
            assert began.wait(60)
        wait_until(lambda: recorder.lag() == 0, 60)
    finally:
        go_on.set()
        recorder.stop()


def test_the_log_lags_by_the_time_that_its_oldest_row_has_waited(app: Gatehouse) -> None:
    recorder = Recorder(app.services.database, interval=3600)  # nothing is written but by ``flush``
    recorder.record(_row(datetime.now(timezone.utc), request_id="first"))
    recorder.flush()
    assert recorder.lag() == 0
    before = time.monotonic()
    recorder.record(_row(datetime.now(timezone.utc), request_id="oldest"))
    after = time.monotonic()
    recorder.record(_row(datetime.now(timezone.utc), request_id="younger"))
    assert time.monotonic() - after <= recorder.lag() <= time.monotonic() - before
    recorder.stop()


def test_a_flush_returns_when_the_batch_that_the_other_thread_has_begun_is_written(app: Gatehouse, sql: Sql) -> None:
    recorder = Recorder(app.services.database)
    flushing = threading.Thread(target=recorder.flush)
    with app.services.database.transaction() as cr:
        partitions.ensure(cr, "request_log", date.today())
        cr.execute("LOCK TABLE gatehouse.request_log IN ACCESS EXCLUSIVE MODE")
        recorder.record(_row(datetime.now(timezone.utc), request_id="in flight"))
        wait_until(lambda: not recorder._queue, 60)
        flushing.start()
        flushing.join(0.2)
        assert flushing.is_alive()
    flushing.join(10)
    assert sql("SELECT count(*) FROM gatehouse.request_log WHERE request_id = 'in flight'") == [(1,)]
    recorder.stop()


def test_rows_that_come_while_others_are_written_wait_for_the_next_time(
    app: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(app.services.database, interval=0.2)
    batches: list[int] = []

    def write(batch: Any) -> None:
        batches.append(len(batch.rows))
        recorder.record(_row(datetime.now(timezone.utc), request_id="meanwhile"))

    monkeypatch.setattr(recorder, "_write", write)
    recorder.record(_row(datetime.now(timezone.utc), request_id="first"))
    begin = time.monotonic()
    wait_until(lambda: len(batches) >= 3, 60)
    assert time.monotonic() - begin > 0.3  # three waits, and not one batch behind the other
    monkeypatch.setattr(recorder, "_write", lambda batch: None)
    recorder.stop()


def test_every_change_of_a_definition_is_in_the_history_without_secrets(
    app: Gatehouse, publish: Publish, sql: Sql
) -> None:
    publish("res.partner")
    (last, *_) = log_pages.history_page(app.services.database, limit=1)
    assert (last["kind"], last["before"]) == ("api", None)
    assert last["after"]["models"][0]["model"] == "res.partner"
    sql("UPDATE gatehouse.setting SET value = value WHERE key = 'secret_key'")
    secret = sql("SELECT value FROM gatehouse.setting WHERE key = 'secret_key'")[0][0]
    assert secret not in repr(log_pages.history_page(app.services.database, limit=500))
