"""Many records in one call: all or nothing, or each by itself; the item at fault is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.conftest import AroundCreate, Client

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def three(demo: Client, publish: Publish) -> tuple[str, list[str]]:
    """A route, and the ids of three records."""
    route = publish(fields=["name", "count", "state", "code"])
    records = demo.result("POST", route, json=[{"name": f"three {n}", "count": n} for n in range(3)])
    return route, [record["id"] for record in records]


def test_a_thousand_records_go_through_one_create(
    demo: Client, publish: Publish, sql: Sql, around_create: AroundCreate
) -> None:
    calls = []

    def counted(create: Any, records: Any, values: Any) -> Any:
        calls.append(len(values))
        return create(records, values)

    around_create(counted)
    route = publish(fields=["name", "count"])
    created = demo.result("POST", route, json=[{"name": "thousand", "count": n} for n in range(1000)])
    assert calls == [1000]
    assert [record["count"] for record in created] == list(range(1000))
    assert sql("SELECT count(*), count(DISTINCT count) FROM test_record WHERE name = 'thousand'") == [(1000, 1000)]


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        ({"name": "x", "count": "text"}, "invalid_value"),
        ({"name": "x", "nothing": 1}, "unknown_field"),
        ({"name": "forbidden"}, "odoo.exceptions.ValidationError"),
        ({"name": "x", "count": 2_000_000}, "odoo.exceptions.ValidationError"),
        (5, "invalid_value"),
    ],
)
def test_a_bulk_create_names_the_item_at_fault_and_keeps_nothing(
    bad: Any, name: str, demo: Client, three: tuple[str, list[str]], sql: Sql
) -> None:
    before = sql("SELECT count(*) FROM test_record")
    _, error = demo.error("POST", three[0], json=[{"name": "good"}, {"name": "good"}, bad, {"name": "good"}])
    assert (error["data"]["index"], error["data"]["name"]) == (2, name)
    assert error["message"].startswith("Item 2: ")
    assert sql("SELECT count(*) FROM test_record") == before


def test_an_item_that_fails_only_beside_another_is_found(demo: Client, three: tuple[str, list[str]]) -> None:
    items = [{"name": "a", "code": "same"}, {"name": "b"}, {"name": "c", "code": "same"}]
    _, error = demo.error("POST", three[0], json=items)
    assert error["data"]["index"] == 2
    assert "Another record has this code." in error["message"]


def test_a_bulk_update_names_the_item_at_fault_and_changes_nothing(
    demo: Client, three: tuple[str, list[str]], sql: Sql
) -> None:
    route, ids = three
    for body, index in (
        ([{"id": ids[0], "count": 50}, {"id": ids[1], "name": "forbidden"}], 1),
        ([{"id": ids[0], "count": 50}, {"id": "made-up", "count": 1}], 1),
        ({"ids": [*ids, "made-up"], "count": 50}, 3),
        ({"ids": ids, "code": "one"}, 1),
    ):
        _, error = demo.error("PATCH", route, json=body)
        assert (error["code"] == 404, error["data"]["index"]) == ("made-up" in str(body), index), body
    assert sql("SELECT count(*) FROM test_record WHERE name LIKE 'three _' AND (count = 50 OR code = 'one')") == [(0,)]


def test_a_bulk_delete_names_the_item_at_fault_and_deletes_nothing(
    demo: Client, three: tuple[str, list[str]], sql: Sql
) -> None:
    route, ids = three
    demo.result("PATCH", f"{route}/{ids[1]}", json={"state": "done"})
    _, error = demo.error("DELETE", route, json=ids)
    assert (error["data"]["index"], error["message"]) == (1, "Item 1: What is done can't be deleted.")
    assert demo.error("DELETE", route, json=[ids[0], "made-up"])[1]["data"]["index"] == 1
    assert len(demo.result("GET", f"{route}/bulk?ids={','.join(ids)}")) == 3
    demo.result("PATCH", f"{route}/{ids[1]}", json={"state": "draft"})


def test_not_atomic_items_stand_for_themselves(demo: Client, three: tuple[str, list[str]], sql: Sql) -> None:
    route, ids = three
    new = [{"name": "alone"}, {"name": "forbidden"}, {"nothing": 1}, {"name": "alone"}]
    created = demo.result("POST", f"{route}?atomic=false", json=new)
    assert [(item["index"], item["status"]) for item in created] == [(0, 200), (1, 422), (2, 400), (3, 200)]
    assert created[0]["result"]["name"] == "alone"
    assert created[1]["error"]["message"] == "This name is forbidden."
    assert created[2]["error"]["data"]["field"] == "nothing"
    assert sql("SELECT count(*) FROM test_record WHERE name = 'alone'") == [(2,)]

    own = [{"id": ids[0], "count": 70}, {"id": "made-up", "count": 70}, {"id": ids[1], "count": 2_000_000}]
    answers = demo.result("PATCH", f"{route}?atomic=false", json=own)
    assert [(item["status"], "result" in item) for item in answers] == [(200, True), (404, False), (422, False)]
    common = demo.result("PATCH", f"{route}?atomic=false", json={"ids": [*ids, "made-up"], "code": "one"})
    assert [item["status"] for item in common] == [200, 422, 422, 404]
    found = demo.result("GET", f"{route}/bulk?atomic=false&ids={ids[0]},made-up")
    assert [item["status"] for item in found] == [200, 404]
    deleted = demo.result("DELETE", f"{route}?atomic=false", json=[ids[0], "made-up", ids[0]])
    assert [item["status"] for item in deleted] == [200, 404, 404]
    assert deleted[0]["result"] == ids[0]


def test_lists_that_are_empty_do_nothing(demo: Client, three: tuple[str, list[str]]) -> None:
    route, _ = three
    for method, path, options in (
        ("GET", f"{route}/bulk?ids=", {}),
        ("POST", route, {"json": []}),
        ("PATCH", route, {"json": []}),
        ("PATCH", route, {"json": {"ids": [], "count": 5}}),
        ("DELETE", route, {"json": []}),
        ("DELETE", route, {"json": {"ids": []}}),
    ):
        assert demo.result(method, path, **options) == [], (method, options)


def test_ids_that_come_twice_are_read_twice_and_written_never(demo: Client, three: tuple[str, list[str]]) -> None:
    route, ids = three
    twice = [ids[0], ids[1], ids[0]]
    assert [record["id"] for record in demo.result("GET", f"{route}/bulk?ids={','.join(twice)}")] == twice
    for method, body in (
        ("PATCH", [{"id": public_id, "count": 1} for public_id in twice]),
        ("PATCH", {"ids": twice, "count": 1}),
        ("DELETE", twice),
    ):
        status, error = demo.error(method, route, json=body)
        assert (status, error["data"]["name"], error["data"]["index"]) == (400, "duplicate_id", 2)


def test_more_items_than_allowed_are_refused(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish(max_bulk=2)
    ids = ["a", "b", "c"]
    for method, path, options in (
        ("GET", f"{route}/bulk?ids=a,b,c", {}),
        ("POST", route, {"json": [{"name": "too many"}] * 3}),
        ("PATCH", route, {"json": [{"id": public_id, "name": "x"} for public_id in ids]}),
        ("PATCH", route, {"json": {"ids": ids, "name": "x"}}),
        ("DELETE", route, {"json": ids}),
    ):
        status, error = demo.error(method, path, **options)
        assert (status, error["data"]["name"]) == (400, "too_many")
        assert "maximum of 2" in error["message"]
    assert sql("SELECT 1 FROM test_record WHERE name = 'too many'") == []


def test_a_bulk_update_that_is_none_is_refused(demo: Client, publish: Publish) -> None:
    route = publish()
    for body in ({}, {"id": "x"}, "x", [5], [{"name": "no id"}], {"ids": 5}, {"ids": {}}, [None]):
        assert demo.error("PATCH", route, json=body)[0] == 400, body
    # Values for no record are checked too.
    assert demo.result("PATCH", route, json={"ids": [], "name": "x"}) == []
    assert demo.error("PATCH", route, json={"ids": [], "name": 5})[1]["data"]["field"] == "name"


def test_atomic_is_the_same_for_one_record(demo: Client, publish: Publish) -> None:
    route = publish()
    for atomic in ("true", "false"):
        assert demo.result("POST", f"{route}?atomic={atomic}", json={"name": "one"})["name"] == "one"
    assert demo.error("POST", f"{route}?atomic=maybe", json={"name": "one"})[0] == 400


def test_the_route_of_bulk_serves_no_other_method(demo: Client, publish: Publish) -> None:
    for method in ("PATCH", "DELETE", "POST"):
        answer = demo(method, f"{publish()}/bulk", json={})
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_an_api_without_bulk_serves_single_records_alone(demo: Client, publish: Publish) -> None:
    route = publish(bulk=False)
    demo.result("POST", route, json={"name": "single"})
    assert demo.error("POST", route, json=[{"name": "x"}])[1]["data"]["name"] == "bulk_disabled"
    for method in ("PATCH", "DELETE"):
        assert demo.error(method, route, json=[])[0] == 405, method
    assert demo.error("GET", f"{route}/bulk")[0] == 404
    assert demo.error("GET", f"{route}?atomic=maybe")[0] == 400


@pytest.fixture
def call_timeout(monkeypatch: pytest.MonkeyPatch, app: Any) -> Callable[[float], None]:
    """Set the seconds that a call may take."""
    return lambda seconds: monkeypatch.setattr(app.services.gateway, "_call_timeout", seconds)


def test_a_bulk_call_whose_time_is_over_keeps_what_is_done_and_says_what_is_not(
    demo: Client, publish: Publish, sql: Sql, call_timeout: Callable[[float], None], around_create: AroundCreate
) -> None:
    call_timeout(1.0)

    def slow(create: Any, records: Any, values: Any) -> Any:
        records.env.cr.execute("SELECT pg_sleep(0.4)")
        return create(records, values)

    around_create(slow)
    route = publish(fields=["name"])
    answers = demo.result("POST", f"{route}?atomic=false", json=[{"name": f"late {n}"} for n in range(10)])
    statuses = [answer["status"] for answer in answers]
    done = statuses.index(503)
    assert statuses == [200] * done + [503] * (10 - done)
    assert 0 < done < 4
    assert {answer["error"]["data"]["name"] for answer in answers[done:]} == {"call_timeout"}
    assert sql("SELECT count(*) FROM test_record WHERE name LIKE 'late %'") == [(done,)]


def test_a_call_whose_time_is_over_is_503_and_keeps_nothing(
    demo: Client, publish: Publish, sql: Sql, call_timeout: Callable[[float], None], around_create: AroundCreate
) -> None:
    call_timeout(0.3)

    def slow(create: Any, records: Any, values: Any) -> Any:
        created = create(records, values)
        records.env.cr.execute("SELECT pg_sleep(20)")
        return created

    around_create(slow)
    status, error = demo.error("POST", publish(fields=["name"]), json=[{"name": "too late"}, {"name": "too late"}])
    assert (status, error["data"]["name"]) == (503, "call_timeout")
    assert sql("SELECT count(*) FROM test_record WHERE name = 'too late'") == [(0,)]
