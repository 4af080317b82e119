"""Reasons of failures and queries in the request log: for admins alone, without what an API masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.analytics.bodies import MAX_PARSED, MAX_TEXT
from app.analytics.logged_calls import LONGEST
from app.web.routing import Gatehouse
from tests.http.conftest import Client, Logged
from tests.http.panel import Panel, texts

Publish = Callable[..., str]

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def _method(publish: Publish, method: str, **keys: Any) -> str:
    return publish(fields=(), type="rpc", method=method, id_obfuscation=False, **keys)


def test_a_defect_is_told_to_the_log_and_not_to_the_client(
    admin: Client, demo: Client, publish: Publish, root: Any, logged: Logged
) -> None:
    (record,) = root(lambda env: env["test.record"].create({"name": "rpc"}).ids)
    answer = demo("POST", f"{_method(publish, 'break_down')}/{record}", json={})
    assert answer.status_code == 500
    assert "defect" not in answer.text
    assert logged(answer)["reason"] == "RuntimeError: a defect with a secret inside"
    page = texts(Panel(admin).get(f"/admin/log/{answer.headers['X-Request-ID']}"))
    assert "RuntimeError: a defect with a secret inside" in page


def test_what_odoo_said_stands_beside_what_the_client_was_told(demo: Client, publish: Publish, logged: Logged) -> None:
    answer = demo("POST", publish("res.country", fields=["name", "code"]), json={"name": "Utopia", "code": "UX"})
    assert answer.status_code == 403
    row = logged(answer)
    assert row["message"] == "The user that executes this call has no right to do this."
    assert row["reason"].startswith("odoo.exceptions.AccessError: ")
    assert "res.country" in row["reason"]


def test_the_reason_of_an_item_at_fault_is_kept_too(demo: Client, publish: Publish, logged: Logged) -> None:
    route = publish("res.country", fields=["name", "code"])
    answer = demo("POST", route, json=[{"name": "Utopia", "code": "UX"}, {"name": "Erewhon", "code": "EH"}])
    assert answer.status_code == 403
    assert logged(answer)["reason"].startswith("odoo.exceptions.AccessError: ")


def test_odoos_own_sentence_is_kept_once(demo: Client, publish: Publish, logged: Logged) -> None:
    row = logged(demo("POST", publish(), json={"name": "forbidden"}))
    assert (row["message"], row["reason"]) == ("This name is forbidden.", None)


def test_texts_of_failures_hide_what_is_masked_also_where_no_bodies_are_kept(
    demo: Client, publish: Publish, logged: Logged
) -> None:
    route = publish(fields=["name", "count"], masked_fields=["count"])
    for answer in (
        demo("POST", route, json={"name": "x", "count": "needle-1"}),
        demo("GET", f"{route}?domain=[('count','=','needle-1')]"),
    ):
        assert "needle-1" in answer.text
        row = logged(answer)
        assert "***" in row["message"]
        assert "needle" not in repr(row)
        assert (row["request_body"], row["request_note"], row["query"]) == (None, None, None)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"count": "needle", "name": "' + b"-" * MAX_PARSED + b'"}', JSON),
        (b'{"count": "needle"', JSON),
        (b"domain=[('count','=','needle'),('name','=','" + b"-" * MAX_TEXT + b"')]", FORM),
        (b"domain=[('count','=','needle')]", "image/png"),
    ],
    ids=["large", "broken", "large form", "no text"],
)
@pytest.mark.parametrize("kept", [True, False])
def test_of_a_body_that_cannot_be_taken_apart_the_log_repeats_nothing(
    kept: bool, body: bytes, content_type: str, demo: Client, publish: Publish, logged: Logged
) -> None:
    route = publish(fields=["name", "count"], masked_fields=["count"], log_bodies=kept)
    answer = demo("POST" if content_type == JSON else "GET", route, data=body, content_type=content_type)
    assert answer.status_code == 400
    row = logged(answer)
    assert "needle" not in repr(row)
    assert (row["message"], row["reason"]) == (None, None)
    assert row["error"] == answer.json["error"]["data"]["name"]


def test_postgresqls_reason_holds_no_values_of_the_record(demo: Client, publish: Publish, logged: Logged) -> None:
    route = publish(fields=["name", "notes", "count"], masked_fields=["notes"])
    record = demo.result("POST", route, json={"name": "stored", "notes": "needle"})
    row = logged(demo("PATCH", f"{route}/{record['id']}", json={"count": 2_000_000}))
    assert row["reason"].startswith("psycopg2.errors.CheckViolation: ")
    assert "test_record_count_is_small" in row["reason"]
    assert "DETAIL" not in row["reason"]
    assert "needle" not in repr(row)


def test_a_text_is_masked_before_it_is_cut(app: Gatehouse, demo: Client, publish: Publish, logged: Logged) -> None:
    route = publish(fields=["name", "count"], masked_fields=["count"])
    secret = "needle" * 200
    row = logged(demo("POST", route, json={"name": "x", "count": secret}))
    assert "needle" not in repr(row)
    assert len(row["message"]) <= LONGEST["message"]


def test_the_query_is_kept_with_the_bodies_and_masked_like_them(
    admin: Client, demo: Client, publish: Publish, logged: Logged
) -> None:
    quiet = logged(demo("GET", f"{publish()}?limit=3"))
    assert (quiet["query"], quiet["query_note"]) == (None, None)
    route = publish(fields=["name", "notes"], log_bodies=True, masked_fields=["notes"])
    answer = demo("GET", f'{route}?domain=[["notes","=","needle"],["name","=","<b>"]]&limit=3')
    row = logged(answer)
    assert row["query"] == '{"domain":"[[\\"notes\\",\\"=\\",\\"***\\"],[\\"name\\",\\"=\\",\\"<b>\\"]]","limit":"3"}'
    assert "needle" not in repr(row)
    page = Panel(admin).get(f"/admin/log/{answer.headers['X-Request-ID']}")
    assert "Query" in texts(page)
    assert "&lt;b&gt;" in page.text
    assert logged(demo("GET", f"{route}?password=needle"))["query"] == '{"password":"***"}'
    unmaskable = logged(demo("GET", f"{route}?notes needle"))
    assert unmaskable["query"] is None
    assert "nothing in it could be masked" in unmaskable["query_note"]


def test_a_stranger_writes_no_query_into_the_log(anyone: Client, publish: Publish, logged: Logged) -> None:
    row = logged(anyone("GET", f"{publish(log_bodies=True)}?name=needle"))
    assert "needle" not in repr(row)
