"""Batches: contract section 9."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest

from app.web.routing import Gatehouse
from tests.http.conftest import Client, Logged, log_in_long_ago

Publish = Callable[..., str]
Root = Callable[[Callable[[Any], Any]], Any]
Sql = Callable[..., list[tuple[Any, ...]]]
FIELDS = ["name", "code", "count", "parent_id", "partner_id", "line_ids", "tag_ids", "data", "notes", "child_ids"]


@pytest.fixture
def route(publish: Publish) -> str:
    """An API of records."""
    return publish(fields=FIELDS, upsert_keys=["name", "parent_id", "external_id"])


@pytest.fixture
def value() -> str:
    """A name that no record has."""
    return f"batch {uuid.uuid4()}"


def _batch(*steps: dict[str, Any], atomic: bool = True) -> dict[str, Any]:
    return {"atomic": atomic, "steps": list(steps)}


def _create(route: str, name: str, ref: str | None = None, **values: Any) -> dict[str, Any]:
    return {**({"ref": ref} if ref else {}), "method": "POST", "path": route, "body": {"name": name, **values}}


def _names(sql: Sql, value: str) -> list[str]:
    return [name for (name,) in sql("SELECT name FROM test_record WHERE name LIKE %s ORDER BY id", f"{value}%")]


def test_the_steps_are_made_in_order_and_answered_one_by_one(demo: Client, route: str, value: str, sql: Sql) -> None:
    steps = [
        _create(route, value, "p"),
        {"method": "PATCH", "path": f"{route}/@{{p.id}}", "body": {"notes": "b"}},
        _create(route, f"{value} child", "c", parent_id="@{p.id}"),
        {"method": "GET", "path": f"{route}/@{{p.id}}?fields=notes,child_ids"},
        {"method": "DELETE", "path": f"{route}/@{{c.id}}"},
    ]
    answers = demo.result("POST", "/api/batch", json=_batch(*steps))
    assert [(answer["ref"], answer["status"]) for answer in answers] == [
        ("p", 200), (None, 200), ("c", 200), (None, 200), (None, 200),
    ]  # fmt: skip
    parent, child = answers[0]["result"]["id"], answers[2]["result"]["id"]
    assert answers[2]["result"]["parent_id"][0] == parent
    assert answers[3]["result"] == {"id": parent, "notes": "b", "child_ids": [child]}
    assert answers[4]["result"] == [child]
    assert _names(sql, value) == [value]


@pytest.mark.parametrize(
    ("bad", "status", "name"),
    [
        ({"body": {"nome": "x"}}, 400, "unknown_field"),
        ({"body": {"name": "forbidden"}}, 422, "odoo.exceptions.ValidationError"),
        ({"method": "GET", "path": "{route}/zzzzz", "body": None}, 404, "not_found"),
        ({"method": "PUT"}, 405, "method_not_allowed"),
        ({"path": "/api/nowhere"}, 404, "not_found"),
        (
            {"method": "PUT", "path": "{route}/by/name/of nobody", "headers": {"If-Match": "*"}, "body": {}},
            412,
            "precondition_failed",
        ),
    ],
)
def test_a_step_that_fails_ends_an_atomic_batch_and_nothing_is_kept(
    demo: Client, route: str, value: str, sql: Sql, bad: dict[str, Any], status: int, name: str
) -> None:
    step = {**_create(route, value, "q"), **bad}
    step["path"] = step["path"].format(route=route)
    answer = demo("POST", "/api/batch", json=_batch(_create(route, value), _create(route, value), step))
    error = answer.json["error"]
    assert (answer.status_code, error["data"]["name"], error["data"]["step"]) == (status, name, 2), answer.text
    assert error["message"].startswith("Step 2 (q): ")
    assert error["data"]["ref"] == "q"
    assert _names(sql, value) == []
    assert sql("SELECT count(*) FROM gatehouse.audit WHERE request_id = %s", answer.headers["X-Request-ID"]) == [(0,)]


def test_each_step_stands_for_itself_where_the_batch_is_not_atomic(
    demo: Client, route: str, value: str, sql: Sql
) -> None:
    steps = [
        _create(route, f"{value} a", "a"),
        _create(route, "forbidden", "b"),
        _create(route, f"{value} c", parent_id="@{b.id}"),
        _create(route, f"{value} d", parent_id="@{a.id}"),
    ]
    answers = demo.result("POST", "/api/batch", json=_batch(*steps, atomic=False))
    assert [answer["status"] for answer in answers] == [200, 200, 400, 200]
    assert answers[1]["error"]["data"]["name"] == "odoo.exceptions.ValidationError"
    assert answers[2]["error"]["data"]["name"] == "invalid_step"
    assert answers[3]["result"]["parent_id"][0] == answers[0]["result"]["id"]
    assert _names(sql, value) == [f"{value} a", f"{value} d"]


def test_a_reference_is_written_in_the_form_of_the_api_that_takes_it(
    demo: Client, publish: Publish, route: str, value: str
) -> None:
    plain = publish(fields=FIELDS, id_obfuscation=False)
    steps = [
        _create(route, value, "p"),
        _create(plain, f"{value} b", "b", parent_id="@{p.id}"),
        {"method": "PATCH", "path": f"{route}/@{{b.id}}", "body": {"notes": "b"}},
        {"method": "GET", "path": f"{plain}/@{{p.id}}"},
    ]
    answers = demo.result("POST", "/api/batch", json=_batch(*steps))
    number = answers[1]["result"]["parent_id"][0]
    assert isinstance(number, int)
    assert answers[3]["result"]["id"] == number
    assert answers[2]["result"]["notes"] == "b"


@pytest.mark.parametrize(
    "step",
    [
        {"method": "PATCH", "path": "{route}/@{{p.id}}", "body": {"notes": "x"}},
        {"method": "PUT", "path": "{route}/by/parent_id/@{{p.id}}", "body": {"name": "{value} x"}},
        {"method": "PATCH", "path": "{route}", "body": {"ids": ["@{{p.id}}"], "notes": "x"}},
        {"method": "PATCH", "path": "{route}", "body": [{"id": "@{{p.id}}", "notes": "x"}]},
        {"method": "POST", "path": "{route}", "body": {"name": "{value} x", "parent_id": "@{{p.id}}"}},
        {"method": "POST", "path": "{route}", "body": {"name": "{value} x", "parent_id": ["@{{p.id}}", "x"]}},
        {"method": "POST", "path": "{route}", "body": {"name": "{value} x", "child_ids": ["@{{p.id}}"]}},
        {"method": "POST", "path": "{route}", "body": {"name": "{value} x", "child_ids": [[4, "@{{p.id}}"]]}},
        {
            "method": "POST",
            "path": "{route}?on_conflict=parent_id",
            "body": [{"name": "{value} x", "parent_id": "@{{p.id}}"}],
        },
        {"method": "QUERY", "path": "{route}", "body": {"domain": [["id", "=", "@{{p.id}}"]]}},
        {"method": "DELETE", "path": "{route}", "body": ["@{{p.id}}"]},
        {"method": "DELETE", "path": "{route}/@{{p.id}}"},
    ],
)
def test_a_reference_stands_wherever_an_id_stands(
    demo: Client, publish: Publish, value: str, step: dict[str, Any]
) -> None:
    route = publish(fields=FIELDS, upsert_keys=["parent_id"], related={"child_ids": ["name"]})
    step = _filled(step, route, value)
    answers = demo.result("POST", "/api/batch", json=_batch(_create(route, value, "p"), step))
    assert answers[1]["status"] in (200, 201)
    assert answers[0]["result"]["id"] in str(answers[1]["result"]) or "child_ids" in step.get("body", {})


def _filled(value: Any, route: str, name: str) -> Any:
    if isinstance(value, str):
        return value.format(route=route, value=name)
    if isinstance(value, list):
        return [_filled(item, route, name) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, route, name) for key, item in value.items()}
    return value


@pytest.mark.parametrize(
    "step",
    [
        {"method": "POST", "path": "{route}", "body": {"name": "@{{p.id}}"}},
        {"method": "POST", "path": "{route}", "body": {"name": "x", "notes": "see @{{p.id}}"}},
        {"method": "POST", "path": "{route}", "body": {"name": "x", "count": "@{{p.id}}"}},
        {"method": "POST", "path": "{route}", "body": {"name": "x", "data": {"a": ["@{{p.id}}"]}}},
        {"method": "POST", "path": "{route}", "body": {"name": "x", "@{{p.id}}": 1}},
        {"method": "POST", "path": "{route}", "body": {"name": "x", "partner_id": "@{{p.id}}"}},
        {"method": "POST", "path": "{route}", "body": {"name": "x", "parent_id": "@{{q.id}}"}},
        {"method": "POST", "path": "{route}", "body": {"name": "x", "parent_id": "@{{p.name}}"}},
        {"method": "GET", "path": "{route}/bulk?ids=@{{p.id}}"},
        {"method": "GET", "path": "{route}/x@{{p.id}}"},
        {"method": "PUT", "path": "{route}/by/name/@{{p.id}}", "body": {}},
        {"method": "PUT", "path": "{route}/by/external_id/@{{p.id}}", "body": {"name": "x"}},
        {"method": "QUERY", "path": "{route}", "body": {"domain": [["name", "=", "@{{p.id}}"]]}},
        {"method": "QUERY", "path": "{route}", "body": {"order": "@{{p.id}}"}},
    ],
)
def test_a_reference_is_refused_everywhere_else(
    demo: Client, route: str, value: str, sql: Sql, step: dict[str, Any]
) -> None:
    step = _filled(step, route, value)
    status, error = demo.error("POST", "/api/batch", json=_batch(_create(route, value, "p"), step))
    assert (status, error["data"]["step"]) == (400, 1), error
    assert _names(sql, value) == []


def test_an_argument_of_a_method_takes_a_reference_where_it_is_an_id(
    demo: Client, publish: Publish, route: str, value: str
) -> None:
    partners = publish("res.partner", fields=["name"])
    naming = publish(
        type="rpc",
        method="name_of_partner",
        fields=[],
        arguments={"partner_id": "res.partner", "others": "res.partner"},
    )
    steps = [
        _create(partners, value, "p"),
        {"method": "POST", "path": naming, "body": {"partner_id": "@{p.id}", "others": ["@{p.id}"]}},
    ]
    assert value in str(demo.result("POST", "/api/batch", json=_batch(*steps))[1]["result"])
    echo = publish(type="rpc", method="echo", fields=[])
    steps[1] = {"method": "POST", "path": echo, "body": {"value": ["@{p.id}"]}}
    status, error = demo.error("POST", "/api/batch", json=_batch(*steps))
    assert (status, error["data"]["name"]) == (400, "invalid_arguments")


def test_a_method_is_called_on_a_record_that_a_step_has_made(
    demo: Client, publish: Publish, route: str, value: str, sql: Sql
) -> None:
    renaming = publish(type="rpc", method="rename", fields=[])
    steps = [
        _create(route, value, "p"),
        {"method": "POST", "path": f"{renaming}/@{{p.id}}", "body": {"name": f"{value} b"}},
    ]
    demo.result("POST", "/api/batch", json=_batch(*steps))
    assert _names(sql, value) == [f"{value} b"]


def test_text_that_looks_like_a_reference_is_escaped(demo: Client, route: str, value: str, sql: Sql) -> None:
    steps = [
        _create(route, f"{value} @@{{p.id}}"),
        {"method": "PUT", "path": f"{route}/by/name/{value} @@{{x", "body": {}},
        _create(route, f"{value} @@@{{{{"),
    ]
    demo.result("POST", "/api/batch", json=_batch(*steps))
    assert _names(sql, value) == [f"{value} @{{p.id}}", f"{value} @{{x", f"{value} @@{{{{"]


def test_what_a_step_commits_is_kept_with_its_batch_alone(
    demo: Client, publish: Publish, route: str, value: str, sql: Sql
) -> None:
    committing = publish(type="rpc", method="commit_in_between", fields=[])
    steps = [
        _create(route, value, "p"),
        {"method": "POST", "path": committing, "body": {"name": f"{value} b"}},
    ]
    demo.error("POST", "/api/batch", json=_batch(*steps, _create(route, "forbidden")))
    assert _names(sql, value) == []
    demo.result("POST", "/api/batch", json=_batch(*steps))
    assert _names(sql, value) == [value, f"{value} b", f"{value} b"]


def test_hooks_that_follow_a_commit_follow_the_real_one(
    demo: Client, publish: Publish, route: str, value: str, tmp_path: Any
) -> None:
    writing = publish(type="rpc", method="write_after_commit", fields=[], arguments={"path": "harmless"})
    file = tmp_path / "written"
    step = {"method": "POST", "path": writing, "body": {"path": str(file)}}
    demo.error("POST", "/api/batch", json=_batch(step, _create(route, "forbidden")))
    assert not file.exists()
    demo.result("POST", "/api/batch", json=_batch(step))
    assert file.exists()


def test_a_conflict_has_the_whole_batch_tried_again(
    demo: Client, route: str, value: str, sql: Sql, app: Gatehouse, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    model = app.services.transactions.run(lambda root: type(root["test.record"]), keep=False)
    create, tries = model.create, []

    def failing(records: Any, values: Any) -> Any:
        tries.append(values)
        if len(tries) == 2:
            raise psycopg2.errors.SerializationFailure()
        return create(records, values)

    failing._api_model = True  # type: ignore[attr-defined]
    monkeypatch.setattr(model, "create", failing)
    answer = demo("POST", "/api/batch", json=_batch(_create(route, f"{value} a"), _create(route, f"{value} b")))
    assert answer.status_code == 200, answer.text
    assert len(tries) == 4
    assert _names(sql, value) == [f"{value} a", f"{value} b"]
    app.services.recorder.flush()
    rows = sql("SELECT status FROM gatehouse.request_log WHERE request_id = %s", answer.headers["X-Request-ID"])
    assert rows == [(200,), (200,)]


def test_one_user_executes_all_steps_of_an_atomic_batch(
    demo: Client, publish: Publish, route: str, value: str, sql: Sql
) -> None:
    other = publish(fields=FIELDS, run_as="other")
    steps = [_create(route, value), _create(other, value)]
    status, error = demo.error("POST", "/api/batch", json=_batch(*steps))
    assert (status, error["data"]["name"], error["data"]["step"]) == (400, "batch_of_several_users", 1)
    assert _names(sql, value) == []
    assert [each["status"] for each in demo.result("POST", "/api/batch", json=_batch(*steps, atomic=False))] == [
        200,
        200,
    ]


def test_test_mode_and_production_do_not_go_together(
    demo: Client, publish: Publish, route: str, value: str, sql: Sql
) -> None:
    testing = publish(fields=FIELDS, mode="test")
    status, error = demo.error("POST", "/api/batch", json=_batch(_create(route, value), _create(testing, value)))
    assert (status, error["data"]["name"]) == (400, "batch_of_several_modes")
    steps = [_create(testing, value, "p"), {"method": "GET", "path": f"{testing}/@{{p.id}}"}]
    answers = demo.result("POST", "/api/batch", json=_batch(*steps))
    assert answers[1]["result"]["name"] == value
    assert _names(sql, value) == []


def test_a_dry_run_of_a_batch_keeps_nothing(demo: Client, route: str, value: str, sql: Sql) -> None:
    steps = [_create(route, value, "p"), {"method": "PATCH", "path": f"{route}/@{{p.id}}", "body": {"notes": "b"}}]
    answer = demo("POST", "/api/batch", json=_batch(*steps), headers={"Prefer": "tx=rollback"})
    assert answer.headers["Preference-Applied"] == "tx=rollback"
    assert answer.json["result"][1]["result"]["notes"] == "b"
    assert _names(sql, value) == []


def test_each_step_has_a_row_in_the_log_and_the_audit(
    demo: Client, route: str, value: str, sql: Sql, app: Gatehouse
) -> None:
    good = demo("POST", "/api/batch", json=_batch(_create(route, value), _create(route, value)))
    bad = demo("POST", "/api/batch", json=_batch(_create(route, value), _create(route, "forbidden")))
    app.services.recorder.flush()
    query = "SELECT endpoint, status, error FROM gatehouse.request_log WHERE request_id = %s ORDER BY at"
    assert sql(query, good.headers["X-Request-ID"]) == [(f"POST {route}", 200, None)] * 2
    assert sql(query, bad.headers["X-Request-ID"]) == [
        (f"POST {route}", 200, "batch_undone"),
        (f"POST {route}", 200, "odoo.exceptions.ValidationError"),
    ]
    audit = "SELECT count(*), count(DISTINCT call_id) FROM gatehouse.audit WHERE request_id = %s"
    assert sql(audit, good.headers["X-Request-ID"]) == [(2, 2)]


@pytest.mark.parametrize("atomic", [True, False])
def test_a_repeated_batch_with_one_idempotency_key_does_nothing(
    demo: Client, route: str, value: str, sql: Sql, atomic: bool
) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    batch = _batch(_create(route, value, "p"), _create(route, value, parent_id="@{p.id}"), atomic=atomic)
    answers = [demo.result("POST", "/api/batch", json=batch, headers=headers) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(_names(sql, value)) == 2
    other = demo.error("POST", "/api/batch", json=_batch(_create(route, value), atomic=atomic), headers=headers)
    assert other[1]["data"]["name"] == "idempotency_key_reused"


def test_nobody_makes_by_a_batch_what_they_may_not_make_alone(
    anyone: Client, demo: Client, publish: Publish, route: str, value: str
) -> None:
    steps = [_create(route, value)]
    status, error = anyone.error("POST", "/api/batch", json=_batch(*steps))
    assert (status, error["data"]["step"]) == (401, 0)
    assert anyone.result("POST", "/api/batch", json=_batch(*steps, atomic=False))[0]["status"] == 401
    off = publish(fields=["name"], endpoints={"create": False})
    assert demo.error("POST", "/api/batch", json=_batch(_create(off, value)))[0] == 405
    limited = publish(fields=["name"], rate_limit="2/hour")
    status, error = demo.error("POST", "/api/batch", json=_batch(*[_create(limited, value)] * 3))
    assert (status, error["data"]["step"]) == (429, 2)


def test_a_foreign_page_can_not_make_one_with_a_cookie(demo: Client, route: str, value: str) -> None:
    headers = {"Origin": "https://evil.example"}
    status, error = demo.error("POST", "/api/batch", json=_batch(_create(route, value)), headers=headers)
    assert (status, error["data"]["name"]) == (403, "foreign_origin")
    assert demo("POST", "/api/batch", data="{}", content_type="text/plain").status_code == 415


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ([], "invalid_batch"),
        ({}, "invalid_batch"),
        ({"steps": []}, "too_many"),
        ({"steps": [{"method": "GET", "path": "/api/x"}] * 51}, "too_many"),
        ({"steps": [{"method": "GET", "path": "/api/x"}], "atomic": "yes"}, "invalid_batch"),
        ({"steps": [{"method": "GET", "path": "/api/x"}], "more": 1}, "invalid_batch"),
        ({"steps": ["x"]}, "invalid_step"),
        ({"steps": [{"method": "TRACE", "path": "/api/x"}]}, "invalid_step"),
        ({"steps": [{"method": "GET", "path": "/web/session"}]}, "invalid_step"),
        ({"steps": [{"method": "GET", "path": "/api/x#y"}]}, "invalid_step"),
        ({"steps": [{"method": "GET", "path": "/api/x\n"}]}, "invalid_step"),
        ({"steps": [{"method": "GET", "path": "/api/x", "ref": "1"}]}, "invalid_step"),
        ({"steps": [{"method": "GET", "path": "/api/x", "ref": "p"}] * 2}, "invalid_step"),
        ({"steps": [{"method": "GET", "path": "/api/x", "headers": {"Authorization": "x"}}]}, "invalid_step"),
        ({"steps": [{"method": "GET", "path": "/api/x", "headers": {"If-Match": "x\ny"}}]}, "invalid_step"),
        ({"steps": [{"method": "GET", "path": "/api/x", "what": 1}]}, "invalid_step"),
        ({"steps": [{"method": "POST", "path": "/api/batch", "body": {}}]}, "invalid_step"),
        ({"steps": [{"method": "GET", "path": "/api/openapi.json"}]}, "invalid_step"),
        ({"steps": [{"method": "POST", "path": "/api/oauth2/token", "body": {}}]}, "invalid_step"),
    ],
)
def test_a_batch_that_is_none_is_refused_with_the_place(demo: Client, document: Any, name: str) -> None:
    status, error = demo.error("POST", "/api/batch", json=document)
    assert (status, error["data"]["name"]) == (400, name)


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("atomic", [False, True])
def test_what_is_no_endpoint_for_data_is_no_step_however_its_path_is_written(
    demo: Client, publish: Publish, atomic: bool, encoded: bool
) -> None:
    exported, keys = publish(fields=["name"], endpoints={"export": True}), publish(models=[], type="key_authentication")
    for method, path in (
        ("GET", f"{exported}/export"),
        ("POST", f"{exported}/import"),
        ("POST", keys),
        ("POST", "/api/batch"),
        ("POST", "/api/oauth2/token"),
        ("GET", "/api/docs"),
    ):
        written = f"{path[:-1]}%{ord(path[-1]):x}" if encoded else path
        step = {"method": method, "path": written, "body": {}}
        status, error = demo.error("POST", "/api/batch", json=_batch(step, atomic=atomic))
        assert (status, error["data"]["name"], error["data"]["step"]) == (400, "invalid_step", 0), path


def test_an_encoded_path_is_a_step_of_the_same_transaction(demo: Client, route: str, value: str, sql: Sql) -> None:
    written = f"{route[:-1]}%{ord(route[-1]):x}"
    demo.error("POST", "/api/batch", json=_batch(_create(written, value), _create(route, "forbidden")))
    assert _names(sql, value) == []
    assert demo.result("POST", "/api/batch", json=_batch(_create(written, value)))[0]["result"]["name"] == value
    assert _names(sql, value) == [value]


def test_a_path_may_hold_letters_of_any_language(demo: Client, route: str, value: str, sql: Sql) -> None:
    name = f"{value} Café/漢"
    step = {"method": "PUT", "path": f"{route}/by/name/{value} Café%2F漢", "body": {}}
    assert demo.result("POST", "/api/batch", json=_batch(step))[0]["status"] == 201
    assert demo.result("GET", f"{route}/by/name/{quote(name, safe='')}")["name"] == name
    assert _names(sql, value) == [name]


def test_a_dry_run_that_begins_with_a_read_keeps_nothing(demo: Client, route: str, value: str, sql: Sql) -> None:
    steps = [{"method": "GET", "path": f"{route}?limit=1"}, _create(route, value)]
    answer = demo("POST", "/api/batch", json=_batch(*steps), headers={"Prefer": "tx=rollback"})
    assert answer.json["result"][1]["result"]["name"] == value
    assert _names(sql, value) == []


@pytest.mark.parametrize("atomic", [False, True])
def test_the_answer_kept_for_a_batch_is_for_nobody_else(
    demo: Client, anyone: Client, other: Client, publish: Publish, route: str, value: str, atomic: bool
) -> None:
    public = publish(fields=["name"], authentication="public", run_as="demo")
    batch = _batch({"method": "GET", "path": f"{public}?limit=1"}, _create(route, value), atomic=atomic)
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    first = demo.result("POST", "/api/batch", json=batch, headers=headers)
    assert anyone.error("POST", "/api/batch", json=batch, headers=headers)[0] == 401
    assert other("POST", "/api/batch", json=batch, headers=headers).json.get("result") != first
    assert demo.result("POST", "/api/batch", json=batch, headers=headers) == first


def test_the_answer_kept_for_a_batch_is_not_that_of_a_changed_api(
    demo: Client, route: str, value: str, sql: Sql, app: Gatehouse
) -> None:
    headers, batch = {"Idempotency-Key": str(uuid.uuid4())}, _batch(_create(route, value))
    demo.result("POST", "/api/batch", json=batch, headers=headers)
    sql("UPDATE gatehouse.api SET revision = revision + 1 WHERE document->>'route' = %s", route)
    app.services.catalog.refresh()
    assert demo.error("POST", "/api/batch", json=batch, headers=headers)[1]["data"]["name"] == "idempotency_key_reused"


def test_a_method_that_is_called_to_read_gets_no_cursor_that_writes(
    demo: Client, publish: Publish, route: str, value: str, sql: Sql
) -> None:
    elsewhere = publish(type="rpc", method="commit_elsewhere", http_methods=["GET"], fields=[])
    alone = demo.error("GET", f"{elsewhere}?name={value}")
    step = {"method": "GET", "path": f"{elsewhere}?name={quote(value)}"}
    together = demo.error("POST", "/api/batch", json=_batch(step))
    assert together[1]["data"]["name"] == alone[1]["data"]["name"]
    assert _names(sql, value) == []


def test_a_session_that_is_renewed_in_a_batch_that_fails_is_told(
    anyone: Client, route: str, value: str, database: str, app: Gatehouse
) -> None:
    old = log_in_long_ago(anyone, database, app)
    assert anyone.error("POST", "/api/batch", json=_batch(_create(route, value), _create(route, "forbidden")))[0] == 422
    renewed = anyone.http.get_cookie("session_id")
    assert renewed is not None
    assert renewed.value != old.name
    assert anyone.result("POST", "/api/batch", json=_batch(_create(route, value)))[0]["status"] == 200


def test_a_cookie_of_any_text_is_handed_on_as_it_is(anyone: Client, route: str, value: str) -> None:
    headers = {"Cookie": 'session_id="abc\\012def"; more=\xe9'}
    answers = anyone.result("POST", "/api/batch", json=_batch(_create(route, value), atomic=False), headers=headers)
    assert answers[0]["status"] == 401


def test_a_batch_that_fails_behind_its_commit_is_logged_as_kept(
    demo: Client, publish: Publish, route: str, value: str, sql: Sql, app: Gatehouse
) -> None:
    writing = publish(type="rpc", method="write_after_commit", fields=[], arguments={"path": "harmless"})
    step = {"method": "POST", "path": writing, "body": {"path": "/nonexistent/folder/file"}}
    answer = demo("POST", "/api/batch", json=_batch(_create(route, value), step))
    assert answer.status_code == 500
    assert _names(sql, value) == [value]
    app.services.recorder.flush()
    query = "SELECT error FROM gatehouse.request_log WHERE request_id = %s"
    assert sql(query, answer.headers["X-Request-ID"]) == [(None,), (None,)]


@pytest.mark.parametrize("atomic", [False, True])
def test_a_batch_that_is_answered_again_is_in_the_log(
    demo: Client, route: str, value: str, sql: Sql, app: Gatehouse, atomic: bool
) -> None:
    headers, batch = {"Idempotency-Key": str(uuid.uuid4())}, _batch(_create(route, value), atomic=atomic)
    demo.result("POST", "/api/batch", json=batch, headers=headers)
    again = demo("POST", "/api/batch", json=batch, headers=headers)
    app.services.recorder.flush()
    query = "SELECT endpoint, status, caller IS NOT NULL FROM gatehouse.request_log WHERE request_id = %s"
    assert sql(query, again.headers["X-Request-ID"]) == [("POST /api/batch", 200, True)]


def test_what_a_method_commits_by_a_cursor_of_its_own_is_kept_with_its_batch_alone(
    demo: Client, publish: Publish, route: str, value: str, sql: Sql
) -> None:
    elsewhere = publish(type="rpc", method="commit_elsewhere", fields=[])
    step = {"method": "POST", "path": elsewhere, "body": {"name": value}}
    demo.error("POST", "/api/batch", json=_batch(step, _create(route, "forbidden")))
    assert _names(sql, value) == []
    demo.result("POST", "/api/batch", json=_batch(step))
    assert _names(sql, value) == [value]


@pytest.mark.parametrize("atomic", [False, True])
def test_a_client_app_makes_no_step_that_it_lacks_the_api_or_the_scope_for(
    anyone: Client, publish: Publish, make_token: Callable[..., str], value: str, sql: Sql, atomic: bool
) -> None:
    headers = {"Authorization": f"Bearer {make_token('create', 'read')}"}
    mine = publish(fields=FIELDS, clients=["Reader 0"], upsert_keys=["name"])
    not_mine = publish(fields=FIELDS, clients=[])
    first = _create(mine, value, "p")
    for step in (
        _create(not_mine, value),
        {"method": "GET", "path": f"{not_mine}/@{{p.id}}"},
        {"method": "DELETE", "path": f"{mine}/@{{p.id}}"},
        {"method": "PUT", "path": f"{mine}/by/name/{value}", "body": {}},
    ):
        answer = anyone("POST", "/api/batch", json=_batch(first, step, atomic=atomic), headers=headers)
        if atomic:
            assert (answer.status_code, answer.json["error"]["data"]["step"]) == (403, 1), answer.text
        else:
            assert [each["status"] for each in answer.json["result"]] == [200, 403], answer.text
    assert len(_names(sql, value)) == (0 if atomic else 4)
