"""Dry runs: contract section 9."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.http.conftest import Client, Logged

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]
DRY = {"Prefer": "tx=rollback"}


@pytest.fixture
def value() -> str:
    """A name that no record has."""
    return f"dry {uuid.uuid4()}"


@pytest.fixture
def route(publish: Publish) -> str:
    """An API of records."""
    return publish(fields=["name", "count"], upsert_keys=["name", "external_id"])


def _records(sql: Sql, value: str) -> list[tuple[Any, ...]]:
    return sql("SELECT name, count FROM test_record WHERE name LIKE %s ORDER BY id", f"{value}%")


def test_each_write_is_answered_as_it_would_be_and_nothing_is_kept(
    demo: Client, route: str, value: str, sql: Sql
) -> None:
    there = demo.result("POST", route, json={"name": value, "count": 1})
    one = f"{route}/{there['id']}"
    calls: list[tuple[str, str, Any, int]] = [
        ("POST", route, {"name": f"{value} new"}, 200),
        ("POST", route, [{"name": f"{value} new"}, {"name": f"{value} more"}], 200),
        ("POST", f"{route}?on_conflict=name", [{"name": f"{value} new"}, {"name": value, "count": 2}], 200),
        ("PUT", f"{route}/by/external_id/{quote(value)}", {"name": f"{value} new"}, 201),
        ("PUT", f"{route}/by/name/{quote(value)}", {"count": 2}, 200),
        ("PATCH", one, {"count": 2}, 200),
        ("PATCH", route, [{"id": there["id"], "count": 2}], 200),
        ("DELETE", f"{route}/by/name/{quote(value)}", None, 200),
        ("DELETE", route, [there["id"]], 200),
        ("DELETE", one, None, 200),
    ]
    for method, path, body, status in calls:
        options = {} if body is None else {"json": body}
        answer = demo(method, path, headers=DRY, **options)
        assert (answer.status_code, "error" in answer.json) == (status, False), (method, path, answer.text)
        assert answer.headers["Preference-Applied"] == "tx=rollback"
        assert _records(sql, value) == [(value, 1)], (method, path)
        assert sql("SELECT count(*) FROM gatehouse.audit WHERE request_id = %s", answer.headers["X-Request-ID"]) == [
            (0,)
        ]
    assert sql("SELECT count(*) FROM ir_model_data WHERE name LIKE %s", f"%{quote(value)}") == [(0,)]


def test_what_would_be_refused_is_refused(demo: Client, route: str) -> None:
    for body, status, name in (
        ({"name": "forbidden"}, 200, "odoo.exceptions.ValidationError"),
        ({"nome": "x"}, 400, "unknown_field"),
    ):
        answer = demo("POST", route, json=body, headers=DRY)
        assert (answer.status_code, answer.json["error"]["data"]["name"]) == (status, name)
        assert answer.headers["Preference-Applied"] == "tx=rollback"


def test_an_idempotency_key_is_neither_read_nor_kept(demo: Client, route: str, value: str, sql: Sql) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    dry = demo.result("POST", route, json={"name": value}, headers={**DRY, **key})
    assert sql("SELECT count(*) FROM gatehouse.idempotency WHERE key = %s", key["Idempotency-Key"]) == [(0,)]
    made = demo.result("POST", route, json={"name": value}, headers=key)
    assert made["id"] != dry["id"]
    again = demo.result("POST", route, json={"name": value}, headers={**DRY, **key})
    assert again["id"] != made["id"]
    assert len(_records(sql, value)) == 1


@pytest.mark.parametrize("method", ["rename", "commit_in_between"])
def test_a_method_is_called_and_what_it_did_is_taken_back(
    demo: Client, publish: Publish, value: str, sql: Sql, method: str
) -> None:
    records, renaming = publish(fields=["name"]), publish(type="rpc", method=method, fields=[])
    made = demo.result("POST", records, json={"name": value})
    answer = demo("POST", f"{renaming}/{made['id']}", json={"name": f"{value} new"}, headers=DRY)
    assert answer.headers["Preference-Applied"] == "tx=rollback"
    assert "error" not in answer.json, answer.text
    assert _records(sql, value) == [(value, None)]


def test_a_read_is_what_it_is(demo: Client, route: str) -> None:
    answer = demo("GET", route, headers=DRY)
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers


def test_the_log_says_which_calls_were_dry_runs(demo: Client, route: str, value: str, logged: Logged) -> None:
    answers = [demo("POST", route, json={"name": value}, headers=headers) for headers in (DRY, {})]
    assert [logged(answer)["dry_run"] for answer in answers] == [True, False]


def test_a_foreign_page_may_ask_for_one(demo: Client, publish: Publish, value: str) -> None:
    route = publish(fields=["name"], cors_origins=["https://shop.example"])
    headers = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "prefer",
    }
    answer = demo("OPTIONS", route, headers=headers)
    assert "Prefer" in answer.headers["Access-Control-Allow-Headers"]
    assert "Preference-Applied" in answer.headers["Access-Control-Expose-Headers"]
