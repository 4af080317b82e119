"""Bodies in the request log: only where a definition says so, masked and cut."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from app.analytics.bodies import Body, Exchange
from app.analytics.logged_calls import LoggedCall
from app.analytics.recorder import Recorder
from app.definitions.masking import Masking
from app.web.routing import Gatehouse
from tests.http.conftest import Client, Logged
from tests.http.panel import Panel, texts

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]


def _bodies(row: dict[str, Any]) -> list[Any]:
    return [row[name] for name in ("request_body", "request_note", "response_body", "response_note")]


def test_without_the_key_no_body_is_kept(demo: Client, publish: Publish, logged: Logged) -> None:
    assert _bodies(logged(demo("POST", publish(), json={"name": "x"}))) == [None] * 4


def test_reads_writes_and_errors_are_kept_without_what_the_api_masks(
    demo: Client, publish: Publish, logged: Logged
) -> None:
    route = publish(fields=["name", "count", "notes"], log_bodies=True, masked_fields=["NOTES"])
    created = logged(demo("POST", route, json={"name": "seen", "count": 3, "notes": "needle-note"}))
    assert '"name":"seen"' in created["request_body"]
    assert '"count":3' in created["response_body"]
    domain = "domain=[('notes','=','needle-note'),('name','=','seen')]"
    read = logged(demo("GET", route, data=domain, content_type="application/json"))
    assert "seen" in read["request_body"]
    assert '"length":1' in read["response_body"]
    failed = logged(demo("POST", route, json={"name": "forbidden", "notes": "needle-note"}))
    assert "ValidationError" in failed["response_body"]
    unknown = logged(demo("POST", route, json={"name": "x", "nothing": "needle-note", "notes": "needle-note"}))
    assert "nothing" in unknown["response_body"]
    for row in (created, read, failed, unknown):
        assert "needle" not in repr(row)


def test_positional_arguments_of_a_method_are_masked(demo: Client, publish: Publish, logged: Logged, root: Any) -> None:
    (record,) = root(lambda env: env["test.record"].create({"name": "rpc"}).ids)
    keys: dict[str, Any] = {"type": "rpc", "method": "rename", "id_obfuscation": False}
    route = publish(fields=(), log_bodies=True, masked_fields=["name"], **keys)
    row = logged(demo("POST", f"{route}/{record}", json=["needle"]))
    assert row["request_body"] == '["***"]'


def test_a_stranger_writes_nothing_into_the_log(anyone: Client, publish: Publish, logged: Logged) -> None:
    answer = anyone("POST", publish(log_bodies=True), json={"name": "x"})
    assert answer.status_code == 401
    assert _bodies(logged(answer)) == [None] * 4


def test_content_of_images_is_no_body(demo: Client, publish: Publish, logged: Logged) -> None:
    route = publish("res.partner", fields=["name", "image_128"], log_bodies=True, domain=[["image_128", "!=", False]])
    (record, *_) = demo.result("GET", f"{route}?limit=1")["records"]
    row = logged(demo("GET", record["image_128"]))
    assert row["response_body"] is None
    assert "Left out: image/" in row["response_note"]
    inline = publish("res.partner", fields=["name", "image_128"], log_bodies=True, binary="base64")
    row = logged(demo("GET", f"{inline}/{record['id']}"))
    assert "(content, " in row["response_body"]


def test_log_ins_are_never_kept(
    app: Gatehouse, anyone: Client, publish: Publish, database: str, sql: Sql, logged: Logged
) -> None:
    route = publish(type="key_authentication", models=[], log_bodies=True)
    credentials = {"db": database, "login": "demo", "password": "needle-of-a-key"}
    assert _bodies(logged(anyone("POST", route, json=credentials))) == [None] * 4
    anyone("POST", "/web/session/authenticate", json=credentials)
    anyone("POST", "/api/oauth2/token", data={"client_id": "needle-of-a-key"})
    app.services.recorder.flush()
    assert sql("SELECT count(*) FROM gatehouse.request_log WHERE request_log::text LIKE '%needle-of-a-key%'") == [(0,)]


def test_what_is_too_long_is_cut_to_the_size_of_the_settings(
    app: Gatehouse, demo: Client, publish: Publish, sql: Sql, logged: Logged
) -> None:
    route = publish(log_bodies=True)
    sql("UPDATE gatehouse.setting SET value = '300' WHERE key = 'log_body_size'")
    app.services.catalog.refresh()
    try:
        row = logged(demo("POST", route, json={"name": "x " * 500}))
    finally:
        sql("UPDATE gatehouse.setting SET value = '16384' WHERE key = 'log_body_size'")
        app.services.catalog.refresh()
    assert len(row["request_body"]) == 300
    assert "first 300 of 1,011 bytes" in row["request_note"]


def test_the_page_of_a_request_shows_them_on_lines_and_the_list_leaves_them_out(
    app: Gatehouse, admin: Client, demo: Client, publish: Publish, logged: Logged
) -> None:
    route = publish(log_bodies=True)
    answer = demo("POST", route, json={"name": "<script>", "password": "needle"})
    logged(answer)
    page = Panel(admin).get(f"/admin/log/{answer.headers['X-Request-ID']}")
    assert "  &#34;name&#34;: &#34;&lt;script&gt;&#34;,\n  &#34;password&#34;: &#34;***&#34;" in page.text
    assert "Response body" in texts(page)
    assert "needle" not in page.text
    assert "<script>" not in Panel(admin).get("/admin/log/").text.split("</script>", 2)[-1]


def test_bodies_for_which_there_is_no_room_are_left_out_and_their_calls_are_logged(app: Gatehouse, sql: Sql) -> None:
    recorder = Recorder(app.services.database, room=100)
    body = Body.of(b'{"name": "' + b"x" * 60 + b'"}', "application/json")
    for number in range(3):
        exchange = Exchange(body, Body(), Masking(), 1000)
        row = LoggedCall(
            datetime.now(timezone.utc), f"room {number}", 0, "", "", 200, None, None, None, None, None, "", 1.0
        )
        recorder.record(LoggedCall(**{**{name: getattr(row, name) for name in row.__slots__}, "exchange": exchange}))
    recorder.stop()
    rows = sql(
        "SELECT request_id, request_body IS NULL, request_note FROM gatehouse.request_log "
        "WHERE request_id LIKE 'room %' ORDER BY request_id"
    )
    full = "Left out: too many bodies were waiting to be written."
    assert rows == [("room 0", False, None), ("room 1", True, full), ("room 2", True, full)]
