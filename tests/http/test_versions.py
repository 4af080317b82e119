"""No update is lost, and what has not changed is not sent again."""

from __future__ import annotations

import pytest

from tests.http.conftest import Client, Publish, Sql


@pytest.fixture
def record(demo: Client, publish: Publish) -> str:
    """The path of a record."""
    route = publish(fields=["name", "count", "title"])
    return f"{route}/{demo.result('POST', route, json={'name': 'versioned', 'count': 1, 'title': 'Title'})['id']}"


def test_a_record_that_has_not_changed_is_304_without_a_body(demo: Client, record: str) -> None:
    first = demo("GET", record)
    again = demo("GET", record, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    demo.result("PATCH", record, json={"count": 2})
    changed = demo("GET", record, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.json["result"]["count"] == 2


def test_a_304_has_the_headers_of_the_answer_that_it_stands_for(demo: Client, record: str) -> None:
    first = demo("GET", record)
    again = demo("GET", record, headers={"If-None-Match": f'W/{first.headers["ETag"]}, "other"'})
    of_content, of_each_call = {"Content-Type", "Content-Length"}, {"X-Request-ID"}
    assert {name: value for name, value in again.headers if name not in of_each_call} == {
        name: value for name, value in first.headers if name not in of_content | of_each_call
    }
    assert "Date" not in first.headers  # the server says it


def test_a_read_may_be_for_one_version_alone(demo: Client, record: str) -> None:
    known = demo("GET", record).headers["ETag"]
    for tag in (known, "*"):
        assert demo("GET", record, headers={"If-Match": tag}).status_code == 200
        assert demo("GET", record, headers={"If-Match": tag, "If-None-Match": known}).status_code == 304
    for others in ({}, {"If-None-Match": known}):
        headers = {"If-Match": '"of before"', **others}
        assert demo.refusal("GET", record, headers=headers) == (412, "precondition_failed")


def test_another_selection_of_fields_has_another_etag(demo: Client, record: str) -> None:
    whole = demo("GET", record)
    part = demo("GET", f"{record}?fields=name", headers={"If-None-Match": whole.headers["ETag"]})
    assert part.status_code == 200


def test_a_change_of_a_related_record_is_no_304(demo: Client, admin: Client, publish: Publish) -> None:
    tag_route = publish("test.tag")
    route = publish(fields=["name", "tag_ids"], related={"tag_ids": ["name"]})
    tag = admin.result("POST", tag_route, json={"name": "before"})
    created = demo.result("POST", route, json={"name": "tagged", "tag_ids": [tag["id"]]})
    first = demo("GET", f"{route}/{created['id']}")
    admin.result("PATCH", f"{tag_route}/{tag['id']}", json={"name": "after"})
    second = demo("GET", f"{route}/{created['id']}", headers={"If-None-Match": first.headers["ETag"]})
    assert second.json["result"]["tag_ids"][0]["name"] == "after"


def test_a_change_based_on_an_old_version_is_412_and_changes_nothing(demo: Client, record: str, sql: Sql) -> None:
    mine = demo("GET", f"{record}?fields=name").headers["ETag"]
    theirs = demo("PATCH", record, json={"count": 5}, headers={"If-Match": mine})
    assert theirs.status_code == 200
    for method, options in (("PATCH", {"json": {"count": 6}}), ("DELETE", {})):
        assert demo.refusal(method, record, headers={"If-Match": mine}, **options) == (412, "precondition_failed")
    assert demo.result("GET", record)["count"] == 5
    assert demo("PATCH", record, json={"count": 7}, headers={"If-Match": theirs.headers["ETag"]}).status_code == 200
    assert demo("PATCH", record, json={"count": 8}, headers={"If-Match": "*"}).status_code == 200
    latest = demo("GET", record).headers["ETag"]
    assert demo.error("PATCH", record, json={"count": 9}, headers={"If-Match": f"W/{latest}"})[0] == 412
    assert demo("DELETE", record, headers={"If-Match": f'"other", {latest}'}).status_code == 200


def test_if_match_belongs_to_one_record(demo: Client, publish: Publish) -> None:
    route = publish()
    for method, body in (("PATCH", []), ("DELETE", [])):
        assert demo.error(method, route, json=body, headers={"If-Match": '"x"'})[0] == 400
    assert demo.error("PATCH", f"{route}/made-up", json={}, headers={"If-Match": "*"})[0] == 404


def test_a_key_makes_a_retried_create_harmless(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish(fields=["name", "moment"])
    headers = {"Idempotency-Key": "order-4711"}
    body = {"name": "once", "moment": "2026-01-31T08:00:00Z"}
    first = demo("POST", route, json=body, headers=headers)
    again = demo("POST", route, json=body, headers=headers)
    assert again.json == first.json
    assert sql("SELECT count(*) FROM test_record WHERE name = 'once'") == [(1,)]
    assert demo.refusal("POST", route, json={"name": "once more"}, headers=headers) == (422, "idempotency_key_reused")
    demo.result("POST", route, json=body, headers={"Idempotency-Key": "order-4712"})
    assert sql("SELECT count(*) FROM test_record WHERE name = 'once'") == [(2,)]


def test_a_key_belongs_to_its_caller_and_api(demo: Client, other: Client, publish: Publish, sql: Sql) -> None:
    headers = {"Idempotency-Key": "shared"}
    route, second = publish(), publish()
    ids = [
        client.result("POST", path, json={"name": "mine"}, headers=headers)["id"]
        for client, path in ((demo, route), (other, route), (demo, second))
    ]
    assert len(set(ids)) == 3


def test_a_call_that_fails_keeps_no_key(demo: Client, publish: Publish) -> None:
    route = publish()
    headers = {"Idempotency-Key": "fails-first"}
    assert "error" in demo("POST", route, json={"name": "forbidden"}, headers=headers).json
    assert demo.result("POST", route, json={"name": "allowed"}, headers=headers)["name"] == "allowed"


def test_a_key_is_forgotten_after_a_day(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish()
    headers = {"Idempotency-Key": "yesterday"}
    first = demo.result("POST", route, json={"name": "old"}, headers=headers)
    sql("UPDATE gatehouse.idempotency SET created_at = now() - interval '25 hours' WHERE key = 'yesterday'")
    second = demo.result("POST", route, json={"name": "old"}, headers=headers)
    assert second["id"] != first["id"]
    assert sql("SELECT count(*) FROM gatehouse.idempotency WHERE created_at < now() - interval '1 day'") == [(0,)]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "with space", "ümlaut"])
def test_a_key_of_another_form_is_refused(key: str, demo: Client, publish: Publish) -> None:
    assert demo.refusal(
        "POST", publish(), json={"name": "x"}, headers={"Idempotency-Key": key.encode().decode("latin-1")}
    ) == (400, "invalid_idempotency_key")
