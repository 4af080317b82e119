"""Records by the value of a key: contract section 9."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from app.errors import ApiError
from app.web.routing import Gatehouse
from tests.http.conftest import Client, Logged

Publish = Callable[..., str]
Root = Callable[[Callable[[Any], Any]], Any]
Sql = Callable[..., list[tuple[Any, ...]]]
FIELDS = ["name", "code", "count", "notes", "partner_id", "state", "active", "owner_id"]
KEYS = ["external_id", "name", "count", "partner_id"]


@pytest.fixture
def route(publish: Publish) -> str:
    """An API whose records have keys of all kinds."""
    return publish(fields=FIELDS, upsert_keys=KEYS)


@pytest.fixture
def value() -> str:
    """A value that no record has."""
    return f"key {uuid.uuid4()}"


@pytest.fixture
def path(route: str, value: str) -> str:
    """The path of the record whose name is the value."""
    return f"{route}/by/name/{quote(value)}"


def test_a_record_is_created_and_then_updated_under_the_same_path(
    demo: Client, route: str, path: str, value: str
) -> None:
    first = demo("PUT", path, json={"notes": "a"})
    second = demo("PUT", path, json={"notes": "b", "name": value})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json["result"]["id"] == second.json["result"]["id"]
    assert first.json["result"]["name"] == value
    assert (first.json["result"]["notes"], second.json["result"]["notes"]) == ("a", "b")
    assert first.headers["Location"] == f"{route}/{first.json['result']['id']}"
    assert "Location" not in second.headers


def test_what_was_saved_can_be_read_and_deleted_under_its_path(demo: Client, path: str) -> None:
    saved = demo("PUT", path, json={"notes": "a"})
    read = demo("GET", path)
    assert read.json["result"] == saved.json["result"]
    assert read.headers["ETag"] == saved.headers["ETag"]
    assert demo("GET", path, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
    identifier = saved.json["result"]["id"]
    assert demo.result("GET", path, query_string={"fields": "notes"}) == {"id": identifier, "notes": "a"}
    assert demo.result("DELETE", path) == [identifier]
    assert demo.error("GET", path)[0] == demo.error("DELETE", path)[0] == 404


@pytest.mark.parametrize("hostile", ["a/b", "a%2Fb", "../x", "äöü €", "?x=1#y", "a+b c", " ", "by/name/x", "%", "a\\b"])
def test_a_value_can_hold_anything_percent_encoded(demo: Client, route: str, value: str, hostile: str) -> None:
    whole = f"{value}{hostile}"
    path = f"{route}/by/name/{quote(whole, safe='')}"
    assert demo("PUT", path, json={}).json["result"]["name"] == whole
    assert demo.result("GET", path)["name"] == whole
    assert demo.result("DELETE", path)


@pytest.mark.parametrize("end", ["x/y", "x/", "%FF", "by/name/x"])
def test_a_value_that_is_no_segment_of_utf_8_is_refused(demo: Client, route: str, end: str) -> None:
    status, error = demo.error("PUT", f"{route}/by/name/{end}", json={})
    assert (status, error["data"]["name"], error["data"]["parameter"]) == (400, "invalid_path", "name")


@pytest.mark.parametrize(
    ("key", "text"),
    [("count", "x"), ("count", "1.0"), ("count", "٣"), ("count", "99999999999"), ("partner_id", "zzzzz")],
)
def test_a_value_of_the_wrong_kind_is_refused(demo: Client, route: str, key: str, text: str) -> None:
    for method in ("PUT", "GET", "DELETE"):
        body = {"json": {"name": "x"}} if method == "PUT" else {}
        status, error = demo.error(method, f"{route}/by/{key}/{quote(text)}", **body)
        assert (status, error["data"]["name"], error["data"]["field"]) == (400, "invalid_value", key)


def test_a_number_and_a_relation_are_keys_as_well(demo: Client, route: str, root: Root, value: str) -> None:
    partner = root(lambda env: env["res.partner"].create({"name": value}).id)
    shown = _public(demo, route, "res.partner", partner)
    for path, field, stored in (
        (f"by/count/-{partner}", "count", -partner),
        (f"by/partner_id/{shown}", "partner_id", shown),
    ):
        saved = demo("PUT", f"{route}/{path}", json={"name": value})
        assert saved.status_code == 201
        found = saved.json["result"][field]
        assert (found[0] if isinstance(found, list) else found) == stored
        assert demo("PUT", f"{route}/{path}", json={"name": value}).status_code == 200


def _public(caller: Client, route: str, model: str, record_id: int) -> str:
    """Return an id as the API shows it."""
    services = caller.http.application.services  # type: ignore[attr-defined]
    definition = next(each for each in services.catalog.snapshot.definitions.values() if each.document.route == route)
    return str(definition.ids.of(model).encode(record_id))


def test_a_key_of_a_record_that_the_caller_may_not_name_is_refused(demo: Client, route: str) -> None:
    unknown = _public(demo, route, "res.partner", 2**31 - 2)
    status, error = demo.error("PUT", f"{route}/by/partner_id/{unknown}", json={"name": "x"})
    assert (status, error["data"]["field"]) == (400, "partner_id")


def test_a_body_that_names_another_record_than_its_path_is_refused(demo: Client, route: str, value: str) -> None:
    status, error = demo.error("PUT", f"{route}/by/name/{quote(value)}", json={"name": f"{value}!"})
    assert (status, error["data"]["name"], error["data"]["field"]) == (400, "key_differs", "name")


def test_what_is_no_key_has_no_path(demo: Client, route: str) -> None:
    assert demo.error("PUT", f"{route}/by/code/x", json={})[0] == 404
    status, error = demo.error("POST", f"{route}?on_conflict=code", json={"code": "x"})
    assert (status, error["data"]["name"]) == (400, "unknown_key")
    assert error["data"]["allowed"][0] in KEYS


@pytest.mark.parametrize("key", ["name", "external_id"])
def test_several_records_are_saved_at_once_with_the_outcome_of_each(
    demo: Client, route: str, value: str, key: str
) -> None:
    first = [{key: f"{value} {n}", "name": f"{value} {n}", "count": n} for n in range(3)]
    made = demo.result("POST", f"{route}?on_conflict={key}", json=first)
    told = [(each["index"], each["status"], each["outcome"]) for each in made]
    assert told == [(n, 201, "created") for n in range(3)]
    again = [*first[1:], {**first[0], key: f"{value} new", "name": f"{value} new"}]
    done = demo.result("POST", f"{route}?on_conflict={key}", json=[{**each, "count": 7} for each in again])
    assert [each["outcome"] for each in done] == ["updated", "updated", "created"]
    assert [each["result"]["id"] for each in done[:2]] == [each["result"]["id"] for each in made[1:]]
    assert [each["result"]["count"] for each in done] == [7, 7, 7]


def test_of_two_items_with_one_key_the_second_updates_the_first(demo: Client, route: str, value: str) -> None:
    items = [{"name": value, "count": 1}, {"name": f"{value} b"}, {"name": value, "count": 2}]
    done = demo.result("POST", f"{route}?on_conflict=name", json=items)
    assert [each["outcome"] for each in done] == ["created", "created", "updated"]
    assert done[0]["result"] == done[2]["result"]
    assert done[2]["result"]["count"] == 2


def test_one_object_is_saved_as_under_a_path(demo: Client, route: str, value: str) -> None:
    answers = [demo("POST", f"{route}?on_conflict=name", json={"name": value, "count": n}) for n in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert [answer.json["result"]["count"] for answer in answers] == [0, 1]
    assert answers[1].headers["ETag"]


def test_the_item_at_fault_is_named_and_nothing_is_kept(demo: Client, route: str, value: str, sql: Sql) -> None:
    items: list[Any] = [{"name": f"{value} {n}"} for n in range(3)]
    for bad, status, name in (
        ({"name": f"{value} x", "state": "no such"}, 400, "invalid_value"),
        ({"code": "nokey"}, 400, "invalid_value"),
        ({"name": ""}, 400, "invalid_value"),
        ("text", 400, "invalid_value"),
        ({"name": "forbidden"}, 200, "odoo.exceptions.ValidationError"),
    ):
        found = demo.error("POST", f"{route}?on_conflict=name", json=[*items, bad])
        assert (found[0], found[1]["data"]["name"], found[1]["data"]["index"]) == (status, name, 3), bad
    assert sql("SELECT count(*) FROM test_record WHERE name LIKE %s", f"{value}%") == [(0,)]


def test_each_item_stands_for_itself_where_it_is_asked_for(demo: Client, route: str, value: str) -> None:
    items = [{"name": value}, {"name": "forbidden"}, {"name": value, "count": 3}]
    done = demo.result("POST", f"{route}?on_conflict=name&atomic=false", json=items)
    assert [(each["status"], each.get("outcome")) for each in done] == [(201, "created"), (422, None), (200, "updated")]
    assert done[1]["error"]["data"]["name"] == "odoo.exceptions.ValidationError"


def test_a_value_that_several_records_have_and_one_that_is_hidden_are_refused_alike(
    demo: Client, route: str, path: str, value: str, root: Root, sql: Sql
) -> None:
    owner = root(lambda env: env.ref("base.user_admin").id)
    made = [{"name": f"{value} twice"}, {"name": f"{value} twice"}, {"name": f"{value} hidden", "owner_id": owner}]
    root(lambda env: env["test.record"].create(made).ids)
    errors = []
    for end in ("twice", "hidden"):
        status, error = demo.error("PUT", f"{path}{quote(f' {end}')}", json={"notes": "x"})
        assert status == 409
        errors.append({**error, "data": {**error["data"], "request_id": ""}})
        items = [{"name": value}, {"name": f"{value} {end}"}]
        status, error = demo.error("POST", f"{route}?on_conflict=name", json=items)
        assert (status, error["data"]["name"], error["data"]["index"]) == (409, "key_conflict", 1)
    assert errors[0] == errors[1]
    for method, end, status in (("GET", "hidden", 404), ("DELETE", "hidden", 404), ("GET", "twice", 409)):
        assert demo.error(method, f"{path}{quote(f' {end}')}")[0] == status
    assert sql("SELECT count(*) FROM test_record WHERE name = %s", value) == [(0,)]


@pytest.mark.parametrize("body", [{"state": "done"}, {"owner_id": None, "notes": "gone"}])
def test_a_record_that_would_not_be_found_again_is_not_kept(
    demo: Client, publish: Publish, value: str, body: dict[str, Any], sql: Sql
) -> None:
    route = publish(fields=FIELDS, upsert_keys=["name"], domain=["&", ["state", "!=", "done"], ["notes", "!=", "gone"]])
    path = f"{route}/by/name/{quote(value)}"
    assert demo.error("PUT", path, json=body)[1]["data"]["name"] == "key_conflict"
    assert demo("PUT", path, json={}).status_code == 201
    assert demo.error("PUT", path, json=body)[0] == 409
    assert sql("SELECT state, notes FROM test_record WHERE name = %s", value) == [(None, None)]


def test_a_record_that_is_handed_over_is_not_kept(
    demo: Client, route: str, path: str, value: str, root: Root, sql: Sql
) -> None:
    admin = _public(demo, route, "res.users", root(lambda env: env.ref("base.user_admin").id))
    assert demo.error("PUT", path, json={"owner_id": admin})[0] == 403  # Odoo's own word on what is new
    assert sql("SELECT count(*) FROM test_record WHERE name = %s", value) == [(0,)]
    assert demo("PUT", path, json={}).status_code == 201
    assert demo.error("PUT", path, json={"owner_id": admin})[0] == 409
    assert sql("SELECT owner_id FROM test_record WHERE name = %s", value) == [(None,)]


def test_an_archived_record_is_found_by_its_key(demo: Client, path: str) -> None:
    made = demo("PUT", path, json={"active": False}).json["result"]
    again = demo("PUT", path, json={"notes": "back"})
    assert (again.status_code, again.json["result"]["id"]) == (200, made["id"])
    assert demo.result("GET", path)["active"] is False


def test_a_condition_lets_it_create_or_update_alone(demo: Client, path: str) -> None:
    assert demo.error("PUT", path, json={}, headers={"If-Match": "*"})[0] == 412
    made = demo("PUT", path, json={"notes": "a"}, headers={"If-None-Match": "*"})
    assert made.status_code == 201
    assert demo.error("PUT", path, json={"notes": "b"}, headers={"If-None-Match": "*"})[0] == 412
    changed = demo("PUT", path, json={"notes": "c"}, headers={"If-Match": made.headers["ETag"]})
    assert changed.status_code == 200
    assert demo.error("PUT", path, json={"notes": "d"}, headers={"If-Match": '"old.old"'})[0] == 412
    assert demo.error("DELETE", path, headers={"If-Match": '"old.old"'})[0] == 412
    assert demo.result("GET", path)["notes"] == "c"


def test_a_condition_holds_for_each_of_several_records(demo: Client, route: str, value: str, sql: Sql) -> None:
    demo("PUT", f"{route}/by/name/{quote(value)}", json={})
    items = [{"name": f"{value} new"}, {"name": value}]
    for condition, index in (({"If-None-Match": "*"}, 1), ({"If-Match": "*"}, 0)):
        status, error = demo.error("POST", f"{route}?on_conflict=name", json=items, headers=condition)
        assert (status, error["data"]["index"]) == (412, index)
    assert sql("SELECT count(*) FROM test_record WHERE name LIKE %s", f"{value}%") == [(1,)]


def test_conditions_that_are_of_no_use_are_refused(demo: Client, route: str, path: str, value: str) -> None:
    many = [{"name": value}]
    for method, address, body, headers in (
        ("PUT", path, {}, {"If-None-Match": '"x"'}),
        ("PUT", path, {}, {"If-None-Match": "*", "If-Match": "*"}),
        ("PUT", path, {}, {"If-None-Match": 'W/"x", *'}),
        ("POST", f"{route}?on_conflict=name", many, {"If-Match": '"a.b"'}),  # it can't stand for several records
    ):
        status, error = demo.error(method, address, json=body, headers=headers)
        assert (status, error["data"]["name"]) == (400, "invalid_condition"), headers


def test_a_repeated_call_with_one_idempotency_key_answers_as_the_first(demo: Client, route: str, value: str) -> None:
    path, headers = f"{route}/by/name/{quote(value)}", {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (demo("PUT", path, json={"notes": "a"}, headers=headers) for _ in range(2))
    for answer in (first, second):
        told = (answer.status_code, answer.json, answer.headers["ETag"], answer.headers["Location"])
        assert told == (201, first.json, first.headers["ETag"], first.headers["Location"])
    other = demo.error("PUT", path, json={"notes": "a"}, headers={**headers, "If-Match": "*"})
    assert other[1]["data"]["name"] == "idempotency_key_reused"
    bulk = {"Idempotency-Key": str(uuid.uuid4())}
    answers = [demo.result("POST", f"{route}?on_conflict=name", json=[{"name": value}], headers=bulk) for _ in range(2)]
    assert answers[0] == answers[1]


def test_the_audit_says_what_was_created_and_what_updated(demo: Client, route: str, value: str, sql: Sql) -> None:
    answers = [demo("PUT", f"{route}/by/name/{quote(value)}", json={"notes": code}) for code in "ab"]
    for answer, action, fields in zip(answers, ("create", "update"), (["name", "notes"], ["notes"]), strict=True):
        found = sql("SELECT action, fields FROM gatehouse.audit WHERE request_id = %s", answer.headers["X-Request-ID"])
        assert found == [(action, fields)]


def test_external_ids_are_odoos_own_and_each_callers_own(demo: Client, admin: Client, route: str, root: Root) -> None:
    value = f"order/{uuid.uuid4()} ä.1"
    path = f"{route}/by/external_id/{quote(value, safe='')}"
    mine = demo("PUT", path, json={"name": "mine"})
    other = admin("PUT", path, json={"name": "other"})
    assert (mine.status_code, other.status_code) == (201, 201)
    assert mine.json["result"]["id"] != other.json["result"]["id"]
    assert demo("PUT", path, json={"external_id": value, "name": "mine"}).status_code == 200
    uid = root(lambda env: env.ref("base.user_demo").id)

    def row(env: Any) -> Any:
        name = f"test.record/{quote(value, safe='')}"
        found = env["ir.model.data"].search([("module", "=", f"__gatehouse_user_{uid}"), ("name", "=", name)])
        record = env.ref(f"__gatehouse_user_{uid}.{name}")
        return found.model, found.noupdate, record.name

    assert root(row) == ("test.record", True, "mine")


def test_records_show_their_external_ids_where_these_are_asked_for(
    demo: Client, admin: Client, route: str, value: str
) -> None:
    answer = demo("PUT", f"{route}/by/external_id/{quote(value)}?fields=external_id", json={"name": value})
    named = answer.json["result"]
    assert named["external_id"] == value
    plain = demo.result("POST", route, json={"name": value})
    assert "external_id" not in plain
    asked = {"fields": "name,external_id", "domain": f'[["name", "=", "{value}"]]', "order": "id"}
    found = demo.result("GET", route, query_string=asked)["records"]
    assert [record["external_id"] for record in found] == [value, ""]
    assert demo.result("GET", f"{route}/{named['id']}", query_string={"fields": "external_id"}) == named
    ids = {"ids": f"{plain['id']},{named['id']}", "fields": "external_id"}
    assert [each["external_id"] for each in demo.result("GET", f"{route}/bulk", query_string=ids)] == ["", value]
    # Each caller sees its own.
    assert admin.result("GET", f"{route}/{named['id']}", query_string={"fields": "external_id"})["external_id"] == ""
    walk = {**asked, "paging": "cursor", "limit": "1"}
    assert demo.result("GET", route, query_string=walk)["records"] == found[:1]


def test_an_external_id_goes_with_its_record_or_is_given_to_the_next(
    demo: Client, route: str, value: str, sql: Sql
) -> None:
    path = f"{route}/by/external_id/{quote(value)}"
    first = demo("PUT", path, json={"name": value}).json["result"]
    sql("DELETE FROM test_record WHERE name = %s", value)  # as a cascade of the database's would
    assert demo.error("GET", path)[0] == 404
    second = demo("PUT", path, json={"name": value})
    assert second.status_code == 201
    assert second.json["result"]["id"] != first["id"]
    assert demo.result("GET", path)["id"] == second.json["result"]["id"]
    demo.result("DELETE", path)
    assert sql("SELECT count(*) FROM ir_model_data WHERE name LIKE %s", f"%{quote(value)}") == [(0,)]


def test_two_models_can_have_one_external_id(admin: Client, publish: Publish, route: str, value: str) -> None:
    tags = publish("test.tag", fields=["name"], upsert_keys=["external_id"])
    answers = [admin("PUT", f"{each}/by/external_id/{quote(value)}", json={"name": value}) for each in (route, tags)]
    assert [answer.status_code for answer in answers] == [201, 201]


def test_an_external_id_is_not_too_long_and_given_by_its_key_alone(demo: Client, route: str) -> None:
    status, error = demo.error("PUT", f"{route}/by/external_id/{'x' * 1001}", json={"name": "x"})
    assert (status, error["data"]["field"]) == (400, "external_id")
    status, error = demo.error("POST", route, json={"name": "x", "external_id": "y"})
    assert (status, error["data"]["name"]) == (400, "unknown_field")


def test_test_mode_keeps_neither_the_record_nor_its_key(demo: Client, publish: Publish, value: str, sql: Sql) -> None:
    route = publish(fields=FIELDS, upsert_keys=KEYS, mode="test")
    for key in ("name", "external_id"):
        answers = [demo("PUT", f"{route}/by/{key}/{quote(value)}", json={"name": value}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
    assert sql("SELECT count(*) FROM ir_model_data WHERE name LIKE %s", f"%{quote(value)}") == [(0,)]


@pytest.mark.parametrize(
    ("switches", "served"),
    [
        ({}, {"PUT", "GET", "DELETE"}),
        ({"create": False}, {"GET", "DELETE"}),
        ({"update": False}, {"GET", "DELETE"}),
        ({"read": False}, {"PUT", "DELETE"}),
        ({"delete": False}, {"PUT", "GET"}),
    ],
)
def test_what_is_switched_off_is_not_done_by_key_either(
    demo: Client, publish: Publish, value: str, switches: dict[str, bool], served: set[str]
) -> None:
    route = publish(fields=FIELDS, upsert_keys=["name"], endpoints=switches)
    path = f"{route}/by/name/{quote(value)}"
    allowed = {method for method in ("PUT", "GET", "DELETE") if demo(method, path, json={}).status_code != 405}
    assert allowed == served
    if "create" not in switches and "update" in switches:
        status, error = demo.error("POST", f"{route}?on_conflict=name", json={"name": value})
        assert (status, error["data"]["name"]) == (400, "upsert_disabled")


@pytest.mark.parametrize("off", ["bulk_create", "bulk_update"])
def test_several_at_once_need_both_bulk_forms(demo: Client, publish: Publish, value: str, off: str) -> None:
    route = publish(fields=FIELDS, upsert_keys=["name"], endpoints={off: False})
    status, error = demo.error("POST", f"{route}?on_conflict=name", json=[{"name": value}])
    assert (status, error["data"]["name"]) == (400, "bulk_disabled")
    assert demo("POST", f"{route}?on_conflict=name", json={"name": value}).status_code == 201


def test_a_key_that_the_log_hides_stands_in_no_path_of_it(
    demo: Client, publish: Publish, value: str, logged: Logged
) -> None:
    route = publish(fields=FIELDS, upsert_keys=["name", "count"], masked_fields=["name"])
    answer = demo("PUT", f"{route}/by/name/{quote(value)}", json={})
    assert logged(answer)["path"] == f"{route}/by/name/{{value}}"
    assert logged(answer)["endpoint"] == f"PUT {route}/by/name/{{value}}"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["notes"], "is of type text"),
        (["title"], "has a value for each language"),
        (["per_company"], "has a value for each company"),
        (["partner_email"], "is no column of its own"),
        (["doubled"], "not among writable_fields: doubled"),
        (["code"], "not among fields: code"),
    ],
)
def test_a_field_that_can_not_be_a_key_is_refused_with_the_reason(
    app: Gatehouse, publish: Publish, keys: list[str], message: str
) -> None:
    fields = ["name", "notes", "title", "per_company", "partner_email", "doubled"]
    with pytest.raises((ApiError, AssertionError), match=message):
        publish(fields=fields, upsert_keys=keys)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/x-ndjson", '{{"id":"{id}","external_id":"{value}"}}\n'),
        ("text/csv", "id,external_id\r\n{id},{value}\r\n"),
    ],
)
def test_an_export_shows_external_ids_where_they_are_asked_for(
    demo: Client, publish: Publish, value: str, accept: str, expected: str
) -> None:
    route = publish(fields=FIELDS, upsert_keys=["external_id"], endpoints={"export": True})
    saved = demo("PUT", f"{route}/by/external_id/{quote(value)}", json={"name": value}).json["result"]
    asked = {"fields": "external_id", "domain": f'[["name", "=", "{value}"]]'}
    answer = demo("GET", f"{route}/export", query_string=asked, headers={"Accept": accept})
    assert answer.text == expected.format(id=saved["id"], value=value)


@pytest.mark.parametrize(("fields", "status"), [(["name", "for_managers"], 403), ("all", 400)])
def test_a_field_that_odoo_keeps_from_the_caller_names_nothing_for_them(
    admin: Client, demo: Client, publish: Publish, value: str, fields: Any, status: int
) -> None:
    route = publish(fields=fields, upsert_keys=["for_managers"])
    path = f"{route}/by/for_managers/{quote(value)}"
    assert demo.error("PUT", path, json={"name": value})[0] == status
    assert admin("PUT", path, json={"name": value}).status_code == 201
    for method in ("PUT", "GET", "DELETE"):
        body = {"json": {"name": value}} if method == "PUT" else {}
        assert demo.error(method, path, **body)[0] == status
