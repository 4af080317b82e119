"""Imports: contract section 9, streams in."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from app.errors import TooManyRequests, Unavailable
from app.web.routing import Gatehouse
from tests.http.conftest import AroundCreate, Client, log_in_long_ago

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]
Root = Callable[[Callable[[Any], Any]], Any]
FIELDS = ["name", "code", "count", "ratio", "flag", "day", "notes", "parent_id", "tag_ids", "data", "active"]
NDJSON, CSV = "application/x-ndjson", "text/csv"
TOO_MANY = 1_000_000  # a constraint of the table's is against it


@pytest.fixture
def route(publish: Publish) -> str:
    """An API of records, which takes three lines in one transaction."""
    return publish(fields=FIELDS, upsert_keys=["name", "external_id"], max_bulk=3)


@pytest.fixture
def value() -> str:
    """A name that no record has."""
    return f"import {uuid.uuid4()}"


def _lines(answer: Any) -> list[Any]:
    assert answer.mimetype == NDJSON, answer.text
    return [json.loads(line) for line in answer.data.splitlines()]


def _ndjson(client: Client, route: str, *bodies: Any, **options: Any) -> Any:
    data = b"".join((body if isinstance(body, bytes) else json.dumps(body).encode()) + b"\n" for body in bodies)
    return client("POST", route, data=data, content_type=NDJSON, **options)


def _numbered(value: str, count: int) -> list[dict[str, Any]]:
    return [{"name": f"{value} {number}"} for number in range(count)]


def _names(sql: Sql, value: str) -> list[str]:
    return [name for (name,) in sql("SELECT name FROM test_record WHERE name LIKE %s ORDER BY id", f"{value}%")]


def test_each_line_is_answered_in_order_and_a_summary_follows(demo: Client, route: str, value: str, sql: Sql) -> None:
    *found, summary = _lines(_ndjson(demo, route, *_numbered(value, 8)))
    assert [(each["line"], each["status"], each["outcome"]) for each in found] == [
        (number, 201, "created") for number in range(1, 9)
    ]
    assert summary == {"summary": {"lines": 8, "created": 8, "updated": 0, "failed": 0}}
    assert _names(sql, value) == [f"{value} {number}" for number in range(8)]
    assert demo.result("GET", f"{route}/{found[4]['id']}")["name"] == f"{value} 4"


def test_lines_create_and_update_by_a_key(demo: Client, route: str, value: str, sql: Sql) -> None:
    bodies = [{"external_id": f"{value} {number % 5}", "name": f"{value} {number}"} for number in range(7)]
    *found, summary = _lines(_ndjson(demo, f"{route}?on_conflict=external_id", *bodies))
    assert [each["outcome"] for each in found] == ["created"] * 5 + ["updated"] * 2
    assert summary == {"summary": {"lines": 7, "created": 5, "updated": 2, "failed": 0}}
    *again, _ = _lines(_ndjson(demo, f"{route}?on_conflict=external_id", *bodies))
    assert {each["outcome"] for each in again} == {"updated"}
    assert len(_names(sql, value)) == 5


def test_a_line_that_is_refused_is_no_matter_of_the_others(demo: Client, route: str, value: str, sql: Sql) -> None:
    bodies = [
        {"name": f"{value} 1"},
        {"name": f"{value} 2", "count": "many"},
        b"{",
        b"  ",
        {"name": "forbidden"},
        {"name": f"{value} 6"},
        ["no object"],
        {"name": f"{value} 8", "nome": "x"},
        {"name": f"{value} 9"},
    ]
    *found, summary = _lines(_ndjson(demo, route, *bodies))
    told = [(each["line"], each["status"], each.get("error", {}).get("data", {}).get("name")) for each in found]
    assert told == [
        (1, 201, None),
        (2, 400, "invalid_value"),
        (3, 400, "invalid_json"),
        (5, 422, "odoo.exceptions.ValidationError"),
        (6, 201, None),
        (7, 400, "invalid_value"),
        (8, 400, "unknown_field"),
        (9, 201, None),
    ]
    assert summary["summary"] == {"lines": 8, "created": 3, "updated": 0, "failed": 5}
    assert _names(sql, value) == [f"{value} {number}" for number in (1, 6, 9)]


def test_csv_is_read_by_the_types_of_its_columns(
    demo: Client, publish: Publish, value: str, sql: Sql, root: Root
) -> None:
    route = publish(fields=FIELDS, id_obfuscation=False)
    parent, tag = root(
        lambda env: (env["test.record"].create({"name": value}).id, env["test.tag"].create({"name": value}).id)
    )
    text = (
        "name,count,ratio,flag,day,notes,parent_id.id,tag_ids,data\r\n"
        f'{value} 1,7,1.5,true,2026-02-03,"two\nlines, and a ""quote""",{parent},[{tag}],"{{""a"": 1}}"\r\n'
        f"{value} 2,,,false,,,,,\r\n"
        f"{value} 3,,,,,,,,\r\n"
    )
    *found, summary = _lines(demo("POST", route, data=b"\xef\xbb\xbf" + text.encode(), content_type=CSV))
    assert [(each["line"], each["status"]) for each in found] == [(2, 201), (4, 201), (5, 201)], found
    assert summary["summary"]["created"] == 3
    first, second, third = (demo.result("GET", f"{route}/{each['id']}") for each in found)
    del first["id"], first["code"], first["active"]
    assert first == {
        "name": f"{value} 1", "count": 7, "ratio": 1.5, "flag": True, "day": "2026-02-03",
        "notes": 'two\nlines, and a "quote"', "parent_id": [parent, value], "tag_ids": [tag], "data": {"a": 1},
    }  # fmt: skip
    assert (second["count"], second["parent_id"], second["notes"]) == (0, [], "")
    assert third["flag"] is False


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nome\nx\n", "unknown_field"),
        ("name,name\nx,y\n", "invalid_line"),
        ("name,parent_id,parent_id.id\nx,,\n", "invalid_line"),
        ("", "invalid_line"),
        ("name\n\xff\n", "invalid_line"),
        ('name\n"x', "invalid_line"),
    ],
)
def test_csv_that_nothing_can_be_made_of_is_refused(demo: Client, route: str, text: str, name: str) -> None:
    status, error = demo.error("POST", route, data=text.encode("latin-1"), content_type=CSV)
    assert (status, error["data"]["name"]) == (400, name)


def test_a_row_that_is_wrong_has_an_error_of_its_own(demo: Client, route: str, value: str, sql: Sql) -> None:
    deep = "[" * 2000 + "]" * 2000
    text = f"name,tag_ids,count\n{value} 1,,1\n{value} 2\n{value} 3,,x\n{value} 4,{deep},\n{value} 5,,4\n"
    *found, _ = _lines(demo("POST", route, data=text, content_type=CSV))
    assert [(each["line"], each["status"]) for each in found] == [(2, 201), (3, 400), (4, 400), (5, 400), (6, 201)]
    assert _names(sql, value) == [f"{value} 1", f"{value} 5"]


def test_what_it_does_not_take_is_an_error_before_the_first_line(
    demo: Client, publish: Publish, route: str, value: str, sql: Sql
) -> None:
    bulkless = publish(fields=["name"], endpoints={"bulk_create": False})
    for path, headers, status, name in (
        (route, {"Idempotency-Key": "x"}, 400, "idempotency_of_stream"),
        (f"{route}?on_conflict=count", {}, 400, "unknown_key"),
        (f"{route}?atomic=false", {}, 400, "unknown_parameter"),
        (route, {"Authorization": "Bearer nobody"}, 401, "invalid_token"),
        (bulkless, {}, 400, "bulk_disabled"),
        (publish("test.tag", fields=["name"]), {}, 403, "forbidden"),  # which demo may not create
    ):
        answer = _ndjson(demo, path, {"name": value}, headers=headers)
        assert (answer.status_code, answer.json["error"]["data"]["name"]) == (status, name), answer.text
    answer = _ndjson(demo, route, {"name": value}, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json["error"]["data"]["parameter"]) == (415, "Content-Encoding")
    assert _names(sql, value) == []


def test_a_dry_run_answers_and_keeps_nothing(demo: Client, route: str, value: str, sql: Sql) -> None:
    answer = _ndjson(demo, route, {"name": value}, headers={"Prefer": "tx=rollback"})
    assert answer.headers["Preference-Applied"] == "tx=rollback"
    assert _lines(answer)[-1]["summary"]["created"] == 1
    assert _names(sql, value) == []


def test_conditions_hold_for_each_line(demo: Client, route: str, value: str) -> None:
    demo.result("POST", route, json={"name": value})
    bodies = [{"name": value, "count": 1}, {"name": f"{value} new"}]
    *found, _ = _lines(_ndjson(demo, f"{route}?on_conflict=name", *bodies, headers={"If-None-Match": "*"}))
    assert [each["status"] for each in found] == [412, 201]


def test_it_is_one_row_of_the_log_and_each_piece_has_its_audit(
    demo: Client, route: str, value: str, sql: Sql, app: Gatehouse
) -> None:
    answer = _ndjson(demo, route, *_numbered(value, 7), {"name": "forbidden"})
    request_id, size = answer.headers["X-Request-ID"], len(answer.data)
    app.services.recorder.flush()
    query = "SELECT endpoint, status, error, records, bytes FROM gatehouse.request_log WHERE request_id = %s"
    assert sql(query, request_id) == [(f"POST {route}", 200, None, 7, size)]
    audit = "SELECT cardinality(record_ids) FROM gatehouse.audit WHERE request_id = %s ORDER BY id"
    assert sql(audit, request_id) == [(3,), (3,), (1,)]


def test_a_rate_counts_it_once(demo: Client, publish: Publish, value: str) -> None:
    route = publish(fields=["name"], max_bulk=1, rate_limit="2/minute")
    answer = _ndjson(demo, route, *_numbered(value, 4))
    assert _lines(answer)[-1]["summary"]["created"] == 4
    assert answer.headers["X-RateLimit-Remaining"] == "1"


def test_what_can_not_be_read_ends_it_behind_the_lines_before(demo: Client, route: str, value: str, sql: Sql) -> None:
    text = f"name,count\n{value} 1,1\n{value} 2,2\n\xff\n".encode("latin-1")
    *found, last = _lines(demo("POST", route, data=text, content_type=CSV))
    assert [each["line"] for each in found] == [2, 3]
    assert (last["error"]["data"]["name"], last["error"]["data"]["line"]) == ("invalid_line", 4)
    assert _names(sql, value) == [f"{value} 1", f"{value} 2"]


def test_what_is_committed_is_answered_where_the_rest_of_its_piece_fails(
    demo: Client, publish: Publish, value: str, sql: Sql, app: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = publish(fields=["name"], max_bulk=4)
    run, calls = app.services.gateway.run, []

    def failing(call: Any, work: Any) -> Any:
        calls.append(call)
        if len(calls) == 4:  # the check, the whole piece, its first half, and its second
            raise Unavailable("The database is away.")
        return run(call, work)

    monkeypatch.setattr(app.services.gateway, "run", failing)
    bodies = _numbered(value, 3)
    *found, last = _lines(_ndjson(demo, route, *bodies, {"name": "forbidden"}))
    assert [(each["line"], each["status"]) for each in found] == [(1, 201), (2, 201)]
    assert last["error"]["message"] == "The database is away."
    assert _names(sql, value) == [f"{value} 0", f"{value} 1"]


def test_calls_of_the_same_caller_meanwhile_do_not_end_it(
    demo: Client, route: str, value: str, app: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    concurrency = app.services.gateway._admission._concurrency
    enter, entered = concurrency.enter, []

    def once(caller: str) -> None:
        entered.append(caller)
        if len(entered) > 1:
            raise TooManyRequests("Too many at once.", retry_after=1)
        enter(caller)

    monkeypatch.setattr(concurrency, "enter", once)
    *_, summary = _lines(_ndjson(demo, route, *_numbered(value, 9)))
    assert summary["summary"]["created"] == 9


def test_a_session_is_not_renewed_amid_it(
    anyone: Client, route: str, value: str, database: str, app: Gatehouse
) -> None:
    old = log_in_long_ago(anyone, database, app)
    answer = _ndjson(anyone, route, *_numbered(value, 9))
    assert _lines(answer)[-1]["summary"]["created"] == 9
    renewed = anyone.http.get_cookie("session_id")
    assert renewed is not None  # at the beginning, where the client can be told
    assert renewed.value != old.name
    assert {each.name for each in old.parent.glob(f"{old.name[:42]}*")} == {old.name, renewed.value}


def test_only_the_first_errors_list_what_is_allowed(demo: Client, route: str) -> None:
    *found, _ = _lines(_ndjson(demo, route, *[{"nome": 1}] * 60))
    listed = ["allowed" in each["error"]["data"] for each in found]
    assert listed[:3] == [True] * 3
    assert not any(listed[30:])


def test_it_has_an_address_of_its_own_too(demo: Client, route: str, value: str, sql: Sql) -> None:
    *_, summary = _lines(_ndjson(demo, f"{route}/import?on_conflict=name", {"name": value}, {"name": value}))
    assert summary["summary"] == {"lines": 2, "created": 1, "updated": 1, "failed": 0}
    status, error = demo.error("POST", f"{route}/import", json={"name": value})
    assert (status, error["data"]["parameter"]) == (415, "Content-Type")
    assert _names(sql, value) == [value]


def test_only_creating_takes_lines_from_a_cookie(demo: Client, publish: Publish) -> None:
    echo = publish(type="rpc", method="echo", fields=[])
    assert demo("POST", echo, data=b"name\nx\n", content_type=CSV).status_code == 415
    assert demo("POST", "/web/session/destroy", data=b"name\nx\n", content_type=CSV).status_code == 415


def test_a_caller_has_half_of_the_places(demo: Client, route: str, value: str, app: Gatehouse) -> None:
    places = app.services.imports._places
    taken = [places.take("user 7") for _ in range(places._most // 2)]
    try:
        with pytest.raises(TooManyRequests) as refused:
            places.take("user 7")
        assert refused.value.name == "too_many_imports"
        taken += [places.take("user 8") for _ in range(places._most // 2)]
        answer = _ndjson(demo, route, {"name": value})
        assert (answer.status_code, answer.json["error"]["data"]["name"]) == (503, "imports_busy")
    finally:
        for give_back in taken:
            give_back()
    assert _lines(_ndjson(demo, route, {"name": value}))[-1]["summary"]["created"] == 1


def test_a_record_that_breaks_odoos_code_is_no_matter_of_the_others(
    demo: Client, publish: Publish, value: str, sql: Sql, around_create: AroundCreate
) -> None:
    route = publish(fields=["name"], max_bulk=20)

    def breaking(create: Any, records: Any, values: Any) -> Any:
        if any(each["name"].endswith("breaks") for each in values):
            raise KeyError("of an addon")
        return create(records, values)

    around_create(breaking)
    bodies = _numbered(value, 30)
    bodies[7] = {"name": f"{value} breaks"}
    *found, summary = _lines(_ndjson(demo, route, *bodies))
    assert [each["status"] for each in found] == [201] * 7 + [500] + [201] * 22
    assert found[7]["error"]["data"]["name"] == "internal_error"
    assert summary["summary"] == {"lines": 30, "created": 29, "updated": 0, "failed": 1}
    assert len(_names(sql, value)) == 29


def test_of_lines_with_one_key_each_is_judged(demo: Client, route: str, value: str, sql: Sql) -> None:
    bodies = [
        {"name": value, "count": 1},
        {"name": value, "count": TOO_MANY, "notes": "of the refused line"},
        {"name": value, "count": 3},
    ]
    *found, _ = _lines(_ndjson(demo, f"{route}?on_conflict=name", *bodies))
    assert [each["status"] for each in found] == [201, 422, 200]
    assert sql("SELECT count, notes FROM test_record WHERE name = %s", value) == [(3, None)]


def test_only_empty_lines_have_no_answer(demo: Client, route: str, value: str, sql: Sql) -> None:
    text = f"name\n\u00a0{value}\n\n \n\r\n\u3000\n"
    *found, _ = _lines(demo("POST", route, data=text.encode(), content_type=CSV))
    assert [each["line"] for each in found] == [2, 4, 6]


def test_what_fails_behind_a_commit_has_nothing_saved_twice(
    demo: Client, publish: Publish, value: str, sql: Sql, around_create: AroundCreate
) -> None:
    route = publish(fields=["name"], max_bulk=20)

    def failing() -> None:
        raise KeyError("of a hook")

    def hooking(create: Any, records: Any, values: Any) -> Any:
        records.env.cr.postcommit.add(failing)
        return create(records, values)

    around_create(hooking)
    *found, summary = _lines(_ndjson(demo, route, *_numbered(value, 4)))
    assert [each["status"] for each in found] == [201] * 4
    assert summary["summary"]["created"] == 4
    assert len(_names(sql, value)) == 4
