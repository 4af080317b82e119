"""What is wrong with a request is said, by name, and is never a 500."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Client, Publish, Sql

SCALARS = ["name", "code", "notes", "body", "count", "ratio", "amount", "flag", "day", "moment", "state", "data"]
RELATIONS = ["document", "picture", "partner_id", "line_ids", "tag_ids", "target", "parent_id", "res_model", "res_id"]


@pytest.mark.parametrize(
    ("query", "name", "mentions"),
    [
        ({"limit": "1.5"}, "invalid_limit", "limit"),
        ({"limit": "1001"}, "invalid_limit", "1000"),
        ({"limit": "9" * 30}, "invalid_limit", "limit"),
        ({"offset": "99999999999"}, "invalid_offset", "offset"),
        ({"order": "name;drop"}, "invalid_order", "name;drop"),
        ({"fields": '{"a": 1}'}, "unknown_field", "a"),
        ({"domain": "name = x"}, "invalid_domain", "domain"),
        ({"domain": "__import__('os')"}, "invalid_domain", "domain"),
        ({"domain": '[["moment",">","2026-13-01T00:00:00Z"]]'}, "invalid_domain", "moment"),
        ({"domain": '[["partner_id","=","made-up"]]'}, "invalid_domain", "partner_id"),
        ({"domain": '[["id","=",12]]'}, "invalid_domain", "id"),
        ({"domain": '[["name","=","\\u0000"]]'}, "invalid_domain", "NUL"),
        ({"domain": r"[('\ud800','=',1)]"}, "invalid_domain", "half a character"),
        ({"domain": r"[('name\ud800','bad',1)]"}, "invalid_domain", "half a character"),
        ({"domain": "[('ratio','=',1e999)]"}, "invalid_domain", "infinite"),
        ({"fields": r"['\ud800']"}, "invalid_fields", "half a character"),
        ({"domain": "[" * 500 + "]" * 500}, "invalid_domain", "condition"),
        ({"domain": "[" + '["name","=","x"],' * 300 + '["name","=","x"]]'}, "invalid_domain", "terms"),
    ],
)
def test_a_wrong_search_parameter_is_400_and_named(
    query: dict[str, str], name: str, mentions: str, demo: Client, publish: Publish
) -> None:
    """What is wrong in itself is tried in tests/unit; this is what comes by HTTP, or meets ids in the API's form."""
    route = publish(fields=[*SCALARS, "partner_id"])
    status, error = demo.error("GET", route, query_string=query)
    assert (status, error["data"]["name"]) == (400, name), error
    assert mentions in error["message"]


def test_a_list_may_be_given_item_by_item(demo: Client, publish: Publish) -> None:
    route = publish(fields=["name", "count", "code"])
    ids = [demo.result("POST", route, json={"name": name})["id"] for name in "ab"]
    records = demo.result("GET", f"{route}/bulk?ids={ids[0]}&fields=name&ids={ids[1]}&fields=count")
    assert [set(record) for record in records] == [{"id", "name", "count"}] * 2


@pytest.mark.parametrize(
    ("body", "content_type", "status", "name"),
    [
        (b"{", "application/json", 400, "invalid_json"),
        (b"", "application/json", 400, "invalid_json"),
        (b"\xff\xfe", "application/json", 400, "invalid_json"),
        (b'{"name": NaN}', "application/json", 400, "invalid_json"),
        (b'"text"', "application/json", 400, "invalid_value"),
        (b"7", "application/json", 400, "invalid_value"),
        (b"null", "application/json", 400, "invalid_value"),
        (b"[1]", "application/json", 400, "invalid_value"),
        (b"[" * 100_000, "application/json", 400, "invalid_json"),
        (b'{"name":"x"}', "text/plain", 415, "unsupported_media_type"),
        (b"name=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b'{"jsonrpc":"2.0","params":[],"more":1}', "application/json", 400, "invalid_envelope"),
        (b'{"jsonrpc":"2.0","params":"x"}', "application/json", 400, "invalid_value"),
        (b" " * 2_100_000, "application/json", 413, "request_entity_too_large"),
    ],
)
def test_a_body_that_is_not_what_a_create_takes_is_refused(
    body: bytes, content_type: str, status: int, name: str, demo: Client, publish: Publish
) -> None:
    got, error = demo.error("POST", publish(), data=body, content_type=content_type)
    assert (got, error["data"]["name"]) == (status, name), error


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", [5, True, ["x"], {"a": 1}, "nul\x00"]),
        ("code", ["123456"]),
        ("notes", [5, False]),
        ("body", [5, []]),
        ("count", ["5", 1.5, True, 2**31, -(2**31) - 1, 10**400]),
        ("ratio", ["1.5", True, [], 10**400]),
        ("amount", ["1.5", 1e300]),
        ("flag", [1, "true", None, []]),
        ("day", [20260101, "2026-02-30", "01/02/2026", "2026-01-01T00:00:00Z"]),
        ("moment", [5, "soon", "2026-01-01T25:00:00Z", "0001-01-01T00:00:00+14:00"]),
        ("state", ["nothing", 1, True]),
        ("document", [5, "no base64!", ["x"]]),
        ("picture", ["bm90IGFuIGltYWdl", 1]),
        ("partner_id", ["made-up", 1.5, {"id": 1}, [1, 2, 3], True]),
        ("tag_ids", ["x", {"a": 1}, ["made-up"], [[9, 0, 0]], [[6, 0, "x"]], [[4]], [[]], [[0, 0, {}]]]),
        ("line_ids", [["made-up"], [[0, 0, 5]], [[1]], 7]),
        ("target", ["test.tag", "res.users,1", 5, "test.tag,x"]),
        ("res_id", [5, "x"]),
    ],
)
def test_a_value_of_the_wrong_type_is_400_and_names_the_field(
    field: str, values: list[Any], demo: Client, publish: Publish, sql: Sql
) -> None:
    route = publish(fields=[*SCALARS, *RELATIONS])
    for value in values:
        body = {"name": "wrong type", field: value}
        if field == "count" and isinstance(value, int) and value > 2**63:
            status, error = demo.error(
                "POST", route, data=f'{{"name": "wrong type", "count": {value}}}', content_type="application/json"
            )
        else:
            status, error = demo.error("POST", route, json=body)
        assert error["data"]["name"] in ("invalid_value", "invalid_json", "odoo.exceptions.UserError"), (value, error)
        assert status == 400 or error["code"] == 422, (value, error)
        if error["data"]["name"] == "invalid_value":
            assert error["message"].startswith(field), (value, error)
    assert sql("SELECT 1 FROM test_record WHERE name = 'wrong type'") == []


def test_what_odoos_rules_reject_is_an_application_error(demo: Client, publish: Publish, sql: Sql) -> None:
    inside = publish(fields=["name", "count"])
    as_status = publish(fields=["name", "count"], application_errors=422)
    for body, message in (
        ({"name": "forbidden"}, "This name is forbidden."),
        ({"name": "too many", "count": 1_000_000}, "less than a million"),
        ({"count": 1}, "name"),
    ):
        status, error = demo.error("POST", inside, json=body)
        assert (status, error["code"]) == (200, 422), error
        assert message.lower() in error["message"].lower()
        assert error["data"]["name"] == "odoo.exceptions.ValidationError"
        assert demo.error("POST", as_status, json=body)[0] == 422
    assert sql("SELECT 1 FROM test_record WHERE name IN ('forbidden', 'too many') OR name IS NULL") == []


def test_a_failing_write_leaves_nothing_behind(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish(fields=["name", "count"])
    before = sql("SELECT count(*) FROM test_record")
    assert demo.error("POST", route, json=[{"name": "good"}, {"name": "good too"}, {"name": "forbidden"}])[0] == 200
    assert sql("SELECT count(*) FROM test_record") == before
    records = demo.result("POST", route, json=[{"name": "one"}, {"name": "two"}])
    own = [{"id": records[0]["id"], "name": "changed"}, {"id": records[1]["id"], "name": "forbidden"}]
    assert "error" in demo("PATCH", route, json=own).json
    assert sql("SELECT 1 FROM test_record WHERE name = 'changed'") == []


def test_a_body_that_no_head_announces_is_not_looked_for(demo: Client, publish: Publish) -> None:
    class Unread:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError("The body was looked for.")

    environ = {"wsgi.input": Unread(), "wsgi.input_terminated": True}  # as gunicorn says it
    assert demo("GET", publish(), environ_overrides=environ).status_code == 200


def test_an_answer_shows_the_request_id_and_takes_over_a_clients(anyone: Client, publish: Publish) -> None:
    route = publish()
    answer = anyone("GET", route)
    assert answer.headers["X-Request-ID"] == answer.json["error"]["data"]["request_id"]
    assert anyone("GET", route, headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    assert anyone("GET", route, headers={"X-Request-ID": "not mine\t"}).headers["X-Request-ID"] != "not mine\t"


@pytest.mark.parametrize("body", [[], "x", 5, {}, {"db": "x"}, {"db": 1, "login": "a", "password": "b"}])
def test_a_login_without_credentials_is_400(body: Any, anyone: Client) -> None:
    status, error = anyone.error("POST", "/web/session/authenticate", json=body)
    assert status == 400
    assert error["message"]


@pytest.mark.parametrize("rpc_id", [True, False, [], {}])
def test_an_envelope_with_an_id_that_is_none_is_refused(rpc_id: Any, demo: Client, publish: Publish) -> None:
    envelope = {"jsonrpc": "2.0", "id": rpc_id, "params": {"name": "x"}}
    assert demo.refusal("POST", publish(), json=envelope) == (400, "invalid_envelope")
