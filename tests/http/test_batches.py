"""Batches: contract section 9."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest
from werkzeug.test import TestResponse

from app.web.routing import Gatehouse
from tests.http.conftest import AroundCreate, Client, log_in_long_ago

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]
Json = dict[str, Any]
FIELDS = ["name", "code", "count", "parent_id", "partner_id", "line_ids", "tag_ids", "data", "notes", "child_ids"]


class Batch:
    """Makes batches with a caller, by default `demo`, on ``route``; names of its records begin with ``value``."""

    def __init__(self, client: Client, app: Gatehouse, route: str, sql: Sql) -> None:
        self._client, self._app, self.route, self._sql = client, app, route, sql
        self.value = f"batch {uuid.uuid4()}"
        self.forbidden = {"method": "POST", "path": route, "body": {"name": "forbidden"}}

    def create(self, name: str, ref: str | None = None, *, path: str | None = None, **values: Any) -> Json:
        """Return a step."""
        body = {"name": f"{self.value} {name}", **values}
        return {**({"ref": ref} if ref else {}), "method": "POST", "path": path or self.route, "body": body}

    def __call__(self, *steps: Json, atomic: bool = True, client: Client | None = None, **headers: str) -> TestResponse:
        """Make a batch; underscores in names of headers are hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return (client or self._client)("POST", "/api/batch", json={"atomic": atomic, "steps": steps}, headers=named)

    def results(self, *steps: Json, **options: Any) -> list[Json]:
        """Return the results of a batch that has to succeed."""
        answer = self(*steps, **options)
        assert answer.status_code == 200, answer.text
        results: list[Json] = answer.json["result"]
        return results

    def refused(self, *steps: Json, **options: Any) -> tuple[int, str, int | None]:
        """Return status, name and step of the error of a batch that has to fail."""
        answer = self(*steps, **options)
        assert "Traceback" not in answer.text
        data = answer.json["error"]["data"]
        return answer.status_code, data["name"], data.get("step")

    @property
    def names(self) -> list[str]:
        """What the names of the records that there are have after ``value``."""
        rows = self._sql("SELECT name FROM test_record WHERE name LIKE %s ORDER BY id", f"{self.value}%")
        return [name.removeprefix(f"{self.value} ") for (name,) in rows]

    def logged(self, answer: TestResponse, columns: str) -> list[tuple[Any, ...]]:
        """Return columns of the rows that the log has of an answer's call."""
        self._app.services.recorder.flush()
        query = f"SELECT {columns} FROM gatehouse.request_log WHERE request_id = %s ORDER BY at"
        return self._sql(query, answer.headers["X-Request-ID"])


@pytest.fixture
def batch(demo: Client, app: Gatehouse, publish: Publish, sql: Sql) -> Batch:
    return Batch(demo, app, publish(fields=FIELDS, upsert_keys=["name", "parent_id", "external_id"]), sql)


def test_the_steps_are_made_in_order_and_answered_one_by_one(batch: Batch) -> None:
    answers = batch.results(
        batch.create("one", "p"),
        {"method": "PATCH", "path": f"{batch.route}/@{{p.id}}", "body": {"notes": "b"}},
        batch.create("child", "c", parent_id="@{p.id}"),
        {"method": "GET", "path": f"{batch.route}/@{{p.id}}?fields=notes,child_ids"},
        {"method": "DELETE", "path": f"{batch.route}/@{{c.id}}"},
    )
    told = [(answer["ref"], answer["status"]) for answer in answers]
    assert told == [("p", 200), (None, 200), ("c", 200), (None, 200), (None, 200)]
    parent, child = answers[0]["result"]["id"], answers[2]["result"]["id"]
    assert answers[2]["result"]["parent_id"][0] == parent
    assert answers[3]["result"] == {"id": parent, "notes": "b", "child_ids": [child]}
    assert answers[4]["result"] == [child]
    assert batch.names == ["one"]


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
    batch: Batch, sql: Sql, bad: Json, status: int, name: str
) -> None:
    step = {**batch.create("c", "q"), **bad}
    step["path"] = step["path"].format(route=batch.route)
    answer = batch(batch.create("a"), batch.create("b"), step)
    error = answer.json["error"]
    assert (answer.status_code, error["data"]["name"], error["data"]["step"]) == (status, name, 2), answer.text
    assert error["message"].startswith("Step 2 (q): ")
    assert error["data"]["ref"] == "q"
    assert batch.names == []
    assert sql("SELECT count(*) FROM gatehouse.audit WHERE request_id = %s", answer.headers["X-Request-ID"]) == [(0,)]


def test_each_step_stands_for_itself_where_the_batch_is_not_atomic(batch: Batch) -> None:
    answers = batch.results(
        batch.create("a", "a"),
        {**batch.forbidden, "ref": "b"},
        batch.create("c", parent_id="@{b.id}"),
        batch.create("d", parent_id="@{a.id}"),
        atomic=False,
    )
    assert [answer["status"] for answer in answers] == [200, 200, 400, 200]
    assert answers[1]["error"]["data"]["name"] == "odoo.exceptions.ValidationError"
    assert answers[2]["error"]["data"]["name"] == "invalid_step"
    assert answers[3]["result"]["parent_id"][0] == answers[0]["result"]["id"]
    assert batch.names == ["a", "d"]


def test_a_reference_is_written_in_the_form_of_the_api_that_takes_it(batch: Batch, publish: Publish) -> None:
    plain = publish(fields=FIELDS, id_obfuscation=False)
    answers = batch.results(
        batch.create("a", "p"),
        batch.create("b", "b", path=plain, parent_id="@{p.id}"),
        {"method": "PATCH", "path": f"{batch.route}/@{{b.id}}", "body": {"notes": "b"}},
        {"method": "GET", "path": f"{plain}/@{{p.id}}"},
    )
    number = answers[1]["result"]["parent_id"][0]
    assert isinstance(number, int)
    assert answers[3]["result"]["id"] == number
    assert answers[2]["result"]["notes"] == "b"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/@{p.id}", {"notes": "x"}),
        ("PUT", "/by/parent_id/@{p.id}", {"name": "batch x"}),
        ("PATCH", "", {"ids": ["@{p.id}"], "notes": "x"}),
        ("PATCH", "", [{"id": "@{p.id}", "notes": "x"}]),
        ("POST", "", {"name": "batch x", "parent_id": "@{p.id}"}),
        ("POST", "", {"name": "batch x", "parent_id": ["@{p.id}", "x"]}),
        ("POST", "", {"name": "batch x", "child_ids": ["@{p.id}"]}),
        ("POST", "", {"name": "batch x", "child_ids": [[4, "@{p.id}"]]}),
        ("POST", "?on_conflict=parent_id", [{"name": "batch x", "parent_id": "@{p.id}"}]),
        ("QUERY", "", {"domain": [["id", "=", "@{p.id}"]]}),
        ("DELETE", "", ["@{p.id}"]),
        ("DELETE", "/@{p.id}", None),
    ],
)
def test_a_reference_stands_wherever_an_id_stands(
    batch: Batch, publish: Publish, method: str, path: str, body: Any
) -> None:
    route = publish(fields=FIELDS, upsert_keys=["parent_id"], related={"child_ids": ["name"]})
    step = {"method": method, "path": route + path, **({} if body is None else {"body": body})}
    answers = batch.results(batch.create("a", "p", path=route), step)
    assert answers[1]["status"] in (200, 201)
    assert answers[0]["result"]["id"] in str(answers[1]["result"]) or "child_ids" in body


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", {"name": "@{p.id}"}),
        ("POST", "", {"name": "x", "notes": "see @{p.id}"}),
        ("POST", "", {"name": "x", "count": "@{p.id}"}),
        ("POST", "", {"name": "x", "data": {"a": ["@{p.id}"]}}),
        ("POST", "", {"name": "x", "@{p.id}": 1}),
        ("POST", "", {"name": "x", "partner_id": "@{p.id}"}),
        ("POST", "", {"name": "x", "parent_id": "@{q.id}"}),
        ("POST", "", {"name": "x", "parent_id": "@{p.name}"}),
        ("GET", "/bulk?ids=@{p.id}", None),
        ("GET", "/x@{p.id}", None),
        ("PUT", "/by/name/@{p.id}", {}),
        ("PUT", "/by/external_id/@{p.id}", {"name": "x"}),
        ("QUERY", "", {"domain": [["name", "=", "@{p.id}"]]}),
        ("QUERY", "", {"order": "@{p.id}"}),
    ],
)
def test_a_reference_is_refused_everywhere_else(batch: Batch, method: str, path: str, body: Any) -> None:
    step = {"method": method, "path": batch.route + path, **({} if body is None else {"body": body})}
    status, _, index = batch.refused(batch.create("a", "p"), step)
    assert (status, index) == (400, 1)
    assert batch.names == []


def test_an_argument_of_a_method_takes_a_reference_where_it_is_an_id(batch: Batch, publish: Publish) -> None:
    created = batch.create("a", "p", path=publish("res.partner", fields=["name"]))
    arguments = {"partner_id": "res.partner", "others": "res.partner"}
    naming = publish(type="rpc", method="name_of_partner", fields=[], arguments=arguments)
    step = {"method": "POST", "path": naming, "body": {"partner_id": "@{p.id}", "others": ["@{p.id}"]}}
    assert batch.value in str(batch.results(created, step)[1]["result"])
    echo = publish(type="rpc", method="echo", fields=[])
    step = {"method": "POST", "path": echo, "body": {"value": ["@{p.id}"]}}
    assert batch.refused(created, step)[:2] == (400, "invalid_arguments")


def test_a_method_is_called_on_a_record_that_a_step_has_made(batch: Batch, publish: Publish) -> None:
    renaming = publish(type="rpc", method="rename", fields=[])
    step = {"method": "POST", "path": f"{renaming}/@{{p.id}}", "body": {"name": f"{batch.value} b"}}
    batch.results(batch.create("a", "p"), step)
    assert batch.names == ["b"]


def test_text_that_looks_like_a_reference_is_escaped(batch: Batch) -> None:
    by_key = {"method": "PUT", "path": f"{batch.route}/by/name/{batch.value} @@{{x", "body": {}}
    batch.results(batch.create("@@{p.id}"), by_key, batch.create("@@@{{"))
    assert batch.names == ["@{p.id}", "@{x", "@@{{"]


@pytest.mark.parametrize(("method", "made"), [("commit_in_between", ["b", "b"]), ("commit_elsewhere", ["b"])])
def test_what_a_step_commits_is_kept_with_its_batch_alone(
    batch: Batch, publish: Publish, method: str, made: list[str]
) -> None:
    committing = publish(type="rpc", method=method, fields=[])
    steps = [
        batch.create("a"),
        {"method": "POST", "path": committing, "body": {"name": f"{batch.value} b"}},
    ]
    batch.refused(*steps, batch.forbidden)
    assert batch.names == []
    batch.results(*steps)
    assert sorted(batch.names) == ["a", *made]


def test_hooks_that_follow_a_commit_follow_the_real_one(batch: Batch, publish: Publish, tmp_path: Any) -> None:
    writing = publish(type="rpc", method="write_after_commit", fields=[], arguments={"path": "harmless"})
    file = tmp_path / "written"
    step = {"method": "POST", "path": writing, "body": {"path": str(file)}}
    batch.refused(step, batch.forbidden)
    assert not file.exists()
    batch.results(step)
    assert file.exists()


def test_a_conflict_has_the_whole_batch_tried_again(batch: Batch, around_create: AroundCreate) -> None:
    tries = []

    def failing(create: Any, records: Any, values: Any) -> Any:
        tries.append(values)
        if len(tries) == 2:
            raise psycopg2.errors.SerializationFailure()
        return create(records, values)

    around_create(failing)
    answer = batch(batch.create("a"), batch.create("b"))
    assert answer.status_code == 200, answer.text
    assert len(tries) == 4
    assert batch.names == ["a", "b"]
    assert batch.logged(answer, "status") == [(200,), (200,)]


def test_one_user_executes_all_steps_of_an_atomic_batch(batch: Batch, publish: Publish) -> None:
    steps = [batch.create("a"), batch.create("b", path=publish(fields=FIELDS, run_as="other"))]
    assert batch.refused(*steps) == (400, "batch_of_several_users", 1)
    assert batch.names == []
    assert [each["status"] for each in batch.results(*steps, atomic=False)] == [200, 200]


def test_test_mode_and_production_do_not_go_together(batch: Batch, publish: Publish) -> None:
    testing = publish(fields=FIELDS, mode="test")
    created = batch.create("a", "p", path=testing)
    assert batch.refused(batch.create("a"), created)[:2] == (400, "batch_of_several_modes")
    answers = batch.results(created, {"method": "GET", "path": f"{testing}/@{{p.id}}"})
    assert answers[1]["result"]["name"] == f"{batch.value} a"
    assert batch.names == []


@pytest.mark.parametrize("reads_first", [False, True])
def test_a_dry_run_of_a_batch_keeps_nothing(batch: Batch, reads_first: bool) -> None:
    first = [{"method": "GET", "path": f"{batch.route}?limit=1"}] if reads_first else []
    change = {"method": "PATCH", "path": f"{batch.route}/@{{p.id}}", "body": {"notes": "b"}}
    answer = batch(*first, batch.create("a", "p"), change, Prefer="tx=rollback")
    assert answer.headers["Preference-Applied"] == "tx=rollback"
    assert answer.json["result"][-1]["result"]["notes"] == "b"
    assert batch.names == []


def test_each_step_has_a_row_in_the_log_and_the_audit(batch: Batch, sql: Sql) -> None:
    good = batch(batch.create("a"), batch.create("b"))
    bad = batch(batch.create("c"), batch.forbidden)
    columns, endpoint = "endpoint, status, error", f"POST {batch.route}"
    assert batch.logged(good, columns) == [(endpoint, 200, None)] * 2
    undone, failed = (endpoint, 200, "batch_undone"), (endpoint, 200, "odoo.exceptions.ValidationError")
    assert batch.logged(bad, columns) == [undone, failed]
    audit = "SELECT count(*), count(DISTINCT call_id) FROM gatehouse.audit WHERE request_id = %s"
    assert sql(audit, good.headers["X-Request-ID"]) == [(2, 2)]


def test_a_batch_that_fails_behind_its_commit_is_logged_as_kept(batch: Batch, publish: Publish) -> None:
    writing = publish(type="rpc", method="write_after_commit", fields=[], arguments={"path": "harmless"})
    step = {"method": "POST", "path": writing, "body": {"path": "/nonexistent/folder/file"}}
    answer = batch(batch.create("a"), step)
    assert answer.status_code == 500
    assert batch.names == ["a"]
    assert batch.logged(answer, "error") == [(None,), (None,)]


@pytest.mark.parametrize("atomic", [True, False])
def test_a_repeated_batch_with_one_idempotency_key_does_nothing_but_is_in_the_log(batch: Batch, atomic: bool) -> None:
    options: Json = {"Idempotency_Key": str(uuid.uuid4()), "atomic": atomic}
    steps = [batch.create("a", "p"), batch.create("b", parent_id="@{p.id}")]
    first, again = batch.results(*steps, **options), batch(*steps, **options)
    assert again.json["result"] == first
    assert batch.names == ["a", "b"]
    assert batch.logged(again, "endpoint, status, caller IS NOT NULL") == [("POST /api/batch", 200, True)]
    assert batch.refused(steps[0], **options)[1] == "idempotency_key_reused"


@pytest.mark.parametrize("atomic", [False, True])
def test_the_answer_kept_for_a_batch_is_for_nobody_else(
    batch: Batch, anyone: Client, other: Client, publish: Publish, atomic: bool
) -> None:
    public = publish(fields=["name"], authentication="public", run_as="demo")
    steps = [{"method": "GET", "path": f"{public}?limit=1"}, batch.create("a")]
    options: Json = {"Idempotency_Key": str(uuid.uuid4()), "atomic": atomic}
    first = batch.results(*steps, **options)
    assert batch.refused(*steps, client=anyone, **options)[0] == 401
    assert batch(*steps, client=other, **options).json.get("result") != first
    assert batch.results(*steps, **options) == first


def test_the_answer_kept_for_a_batch_is_not_that_of_a_changed_api(batch: Batch, sql: Sql, app: Gatehouse) -> None:
    key = {"Idempotency_Key": str(uuid.uuid4())}
    batch.results(batch.create("a"), **key)
    sql("UPDATE gatehouse.api SET revision = revision + 1 WHERE document->>'route' = %s", batch.route)
    app.services.catalog.refresh()
    assert batch.refused(batch.create("a"), **key)[1] == "idempotency_key_reused"


def test_nobody_makes_by_a_batch_what_they_may_not_make_alone(batch: Batch, anyone: Client, publish: Publish) -> None:
    status, _, step = batch.refused(batch.create("a"), client=anyone)
    assert (status, step) == (401, 0)
    assert batch.results(batch.create("a"), client=anyone, atomic=False)[0]["status"] == 401
    off = publish(fields=["name"], endpoints={"create": False})
    assert batch.refused(batch.create("a", path=off))[0] == 405
    limited = publish(fields=["name"], rate_limit="2/hour")
    status, _, step = batch.refused(*[batch.create("a", path=limited)] * 3)
    assert (status, step) == (429, 2)


@pytest.mark.parametrize("atomic", [False, True])
def test_a_client_app_makes_no_step_that_it_lacks_the_api_or_the_scope_for(
    batch: Batch, anyone: Client, publish: Publish, make_token: Callable[..., str], atomic: bool
) -> None:
    options: Json = {"Authorization": f"Bearer {make_token('create', 'read')}", "client": anyone, "atomic": atomic}
    mine = publish(fields=FIELDS, clients=["Reader 0"], upsert_keys=["name"])
    not_mine = publish(fields=FIELDS, clients=[])
    for step in (
        batch.create("b", path=not_mine),
        {"method": "GET", "path": f"{not_mine}/@{{p.id}}"},
        {"method": "DELETE", "path": f"{mine}/@{{p.id}}"},
        {"method": "PUT", "path": f"{mine}/by/name/{batch.value}", "body": {}},
    ):
        answer = batch(batch.create("a", "p", path=mine), step, **options)
        if atomic:
            assert (answer.status_code, answer.json["error"]["data"]["step"]) == (403, 1), answer.text
        else:
            assert [each["status"] for each in answer.json["result"]] == [200, 403], answer.text
    assert batch.names == ([] if atomic else ["a"] * 4)


def test_a_foreign_page_can_not_make_one_with_a_cookie(batch: Batch, demo: Client) -> None:
    assert batch.refused(batch.create("a"), Origin="https://evil.example")[:2] == (403, "foreign_origin")
    assert demo("POST", "/api/batch", data="{}", content_type="text/plain").status_code == 415


_STEP = {"method": "GET", "path": "/api/x"}


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ([], "invalid_batch"),
        ({}, "invalid_batch"),
        ({"steps": []}, "too_many"),
        ({"steps": [_STEP] * 51}, "too_many"),
        ({"steps": [_STEP], "atomic": "yes"}, "invalid_batch"),
        ({"steps": [_STEP], "more": 1}, "invalid_batch"),
        ({"steps": ["x"]}, "invalid_step"),
        ({"steps": [{**_STEP, "ref": "p"}] * 2}, "invalid_step"),
        *(
            ({"steps": [{**_STEP, **wrong}]}, "invalid_step")
            for wrong in (
                {"method": "TRACE"},
                {"path": "/web/session"},
                {"path": "/api/x#y"},
                {"path": "/api/x\n"},
                {"ref": "1"},
                {"headers": {"Authorization": "x"}},
                {"headers": {"If-Match": "x\ny"}},
                {"what": 1},
            )
        ),
    ],
)
def test_a_batch_that_is_none_is_refused(demo: Client, document: Any, name: str) -> None:
    status, error = demo.error("POST", "/api/batch", json=document)
    assert (status, error["data"]["name"]) == (400, name)


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("atomic", [False, True])
def test_what_is_no_endpoint_for_data_is_no_step_however_its_path_is_written(
    batch: Batch, publish: Publish, atomic: bool, encoded: bool
) -> None:
    keys = publish(models=[], type="key_authentication")
    exported = publish(fields=["name"], endpoints={"export": True, "delta": True})
    for method, path in (
        ("GET", f"{exported}/export"),
        ("GET", f"{exported}/delta"),
        ("POST", f"{exported}/import"),
        ("POST", keys),
        ("POST", "/api/batch"),
        ("POST", "/api/oauth2/token"),
        ("GET", "/api/docs"),
        ("GET", "/api/openapi.json"),
    ):
        written = f"{path[:-1]}%{ord(path[-1]):x}" if encoded else path
        step = {"method": method, "path": written, "body": {}}
        assert batch.refused(step, atomic=atomic) == (400, "invalid_step", 0), path


def test_an_encoded_path_is_a_step_of_the_same_transaction(batch: Batch) -> None:
    created = batch.create("a", path=f"{batch.route[:-1]}%{ord(batch.route[-1]):x}")
    batch.refused(created, batch.forbidden)
    assert batch.names == []
    batch.results(created)
    assert batch.names == ["a"]


def test_a_path_may_hold_letters_of_any_language(batch: Batch, demo: Client) -> None:
    name = f"{batch.value} Café/漢"
    step = {"method": "PUT", "path": f"{batch.route}/by/name/{batch.value} Café%2F漢", "body": {}}
    assert batch.results(step)[0]["status"] == 201
    assert demo.result("GET", f"{batch.route}/by/name/{quote(name, safe='')}")["name"] == name
    assert batch.names == ["Café/漢"]


def test_a_method_that_is_called_to_read_gets_no_cursor_that_writes(
    batch: Batch, demo: Client, publish: Publish
) -> None:
    elsewhere = publish(type="rpc", method="commit_elsewhere", http_methods=["GET"], fields=[])
    path = f"{elsewhere}?name={quote(batch.value)}"
    alone = demo.error("GET", path)[1]["data"]["name"]
    assert batch.refused({"method": "GET", "path": path})[1] == alone
    assert batch.names == []


def test_a_session_that_is_renewed_in_a_batch_that_fails_is_told(
    batch: Batch, anyone: Client, database: str, app: Gatehouse
) -> None:
    old = log_in_long_ago(anyone, database, app)
    assert batch.refused(batch.create("a"), batch.forbidden, client=anyone)[0] == 422
    renewed = anyone.http.get_cookie("session_id")
    assert renewed is not None
    assert renewed.value != old.name
    assert batch.results(batch.create("a"), client=anyone)[0]["status"] == 200


def test_a_cookie_of_any_text_is_handed_on_as_it_is(batch: Batch, anyone: Client) -> None:
    cookie = 'session_id="abc\\012def"; more=\xe9'
    assert batch.results(batch.create("a"), client=anyone, atomic=False, Cookie=cookie)[0]["status"] == 401
