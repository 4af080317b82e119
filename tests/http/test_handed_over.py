"""A record that its writer hands over is written, and answered with what the writer may still see: its id."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.http.conftest import Client, Publish, Root, Sql
from tests.http.queries import counted_queries


@pytest.fixture
def other_id(root: Root, other: Client) -> int:
    """The user to whom records are handed over."""
    return int(root(lambda env: env["res.users"].search([("login", "=", "other")]).id))


@pytest.fixture
def route(publish: Publish) -> str:
    return publish(fields=["name", "owner_id"], id_obfuscation=False)


def owner(sql: Sql, record_id: Any) -> Any:
    return sql("SELECT owner_id FROM test_record WHERE id = %s", record_id)[0][0]


def test_an_update_that_hands_over_is_kept_and_has_no_etag(
    demo: Client, other: Client, route: str, other_id: int, sql: Sql
) -> None:
    created = demo("POST", route, json={"name": "mine"})
    path = f"{route}/{created.json['result']['id']}"
    version = demo("GET", path).headers["ETag"]
    answer = demo("PATCH", path, json={"owner_id": other_id}, headers={"If-Match": version})
    record_id = created.json["result"]["id"]
    assert answer.json["result"] == {"id": record_id, "visible": False}
    assert "ETag" not in answer.headers
    assert owner(sql, record_id) == other_id
    assert demo("GET", path).status_code == 404
    assert other.result("GET", path)["name"] == "mine"


def test_a_record_can_be_created_for_somebody_else(demo: Client, route: str, publish: Publish, other_id: int) -> None:
    # No right on the model is missing: the rule of test.record looks at reads and writes alike, so it is told here.
    assert demo.refusal("POST", route, json={"name": "theirs", "owner_id": other_id}) == (403, "forbidden")


def test_who_may_create_for_others_gets_the_id(
    demo: Client, route: str, other_id: int, root: Root, sql: Sql, request: pytest.FixtureRequest
) -> None:
    def for_reads(env: Any, reads_alone: bool) -> None:
        env.ref("gatehouse_test.record_owner").write({"perm_create": not reads_alone, "perm_write": not reads_alone})

    root(lambda env: for_reads(env, True))
    request.addfinalizer(lambda: root(lambda env: for_reads(env, False)))
    headers = {"Idempotency-Key": "handed-over-1"}
    body = {"name": "theirs", "owner_id": other_id}
    created = demo.result("POST", route, json=body, headers=headers)
    assert created == {"id": created["id"], "visible": False}
    assert owner(sql, created["id"]) == other_id
    assert demo.result("POST", route, json=body, headers=headers) == created
    several = demo.result("POST", route, json=[{"name": "own"}, body, {"name": "own too"}])
    assert [record.get("visible") for record in several] == [None, False, None]
    assert [record.get("name") for record in several] == ["own", None, "own too"]
    each = demo.result("POST", f"{route}?atomic=false", json=[body, {"name": "own"}])
    assert [(item["status"], item["result"].get("visible")) for item in each] == [(200, False), (200, None)]


@pytest.mark.parametrize("common", [True, False], ids=["common values", "own values"])
@pytest.mark.parametrize("atomic", ["true", "false"])
def test_a_bulk_update_says_of_each_record_whether_it_is_still_seen(
    atomic: str, common: bool, demo: Client, route: str, other_id: int, sql: Sql
) -> None:
    ids = [record["id"] for record in demo.result("POST", route, json=[{"name": "a"}, {"name": "b"}, {"name": "c"}])]
    if common:
        body: Any = {"ids": ids, "owner_id": other_id}
        expected: list[Any] = [{"id": record_id, "visible": False} for record_id in ids]
    else:
        body = [{"id": ids[0], "name": "A"}, {"id": ids[1], "owner_id": other_id}, {"id": ids[2], "name": "C"}]
        expected = [
            {"id": ids[0], "name": "A", "owner_id": []},
            {"id": ids[1], "visible": False},
            {"id": ids[2], "name": "C", "owner_id": []},
        ]
    answer = demo.result("PATCH", f"{route}?atomic={atomic}", json=body)
    if atomic == "false":
        assert [item["status"] for item in answer] == [200] * 3
        answer = [item["result"] for item in answer]
    assert answer == expected
    assert owner(sql, ids[1]) == other_id


def test_a_record_that_only_leaves_the_domain_is_shown(demo: Client, publish: Publish) -> None:
    route = publish(fields=["name", "flag"], domain=[["flag", "=", True]], id_obfuscation=False)
    created = demo.result("POST", route, json={"name": "within", "flag": True})
    answer = demo("PATCH", f"{route}/{created['id']}", json={"flag": False})
    assert answer.json["result"] == {"id": created["id"], "name": "within", "flag": False}
    assert "ETag" in answer.headers


def test_a_field_that_odoo_keeps_from_the_writer_still_refuses_the_write(
    demo: Client, publish: Publish, sql: Sql
) -> None:
    route = publish(fields=["name", "for_managers"])
    assert demo.error("POST", route, json={"name": "refused whole"})[0] == 403
    assert sql("SELECT 1 FROM test_record WHERE name = 'refused whole'") == []


def test_a_write_that_stays_visible_makes_no_more_queries(
    demo: Client, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{route}/{demo.result('POST', route, json={'name': 'counted'})['id']}"
    demo.result("PATCH", path, json={"name": "counted once"})
    with counted_queries(monkeypatch) as queries:
        demo.result("PATCH", path, json={"name": "counted twice"})
    own = [query for query in queries if re.match(r'\s*(SELECT|UPDATE) "test_record"', query)]
    assert len(own) == 3, queries  # found, read, and written
