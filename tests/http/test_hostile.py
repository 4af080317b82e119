"""Attacks that once worked, each kept out by a test."""

from __future__ import annotations

import base64
import secrets
import time
from typing import Any

import pytest

from app.catalog.odoo_source import OdooSource
from app.definitions.compiler import compile_document
from app.definitions.document import ApiDocument
from app.definitions.secrets import is_secret_field
from app.web.routing import Gatehouse
from dev.testbed import Testbed
from tests import stored_apis
from tests.http.conftest import Client, Publish, Root, Sql


def test_a_body_of_brackets_and_quotes_costs_no_time_and_no_memory(anyone: Client) -> None:
    body = b"[]" * 50 + b'"' + b'\\"' * 500_000
    started = time.monotonic()
    assert anyone("POST", "/web/session/authenticate", data=body, content_type="application/json").status_code == 400
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(("depth", "status"), [(40, 400), (41, 400), (39, 400), (2000, 400)])
def test_nesting_is_bounded(depth: int, status: int, demo: Client, publish: Publish) -> None:
    nested = b'{"name":"deep","data":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"
    answer = demo("POST", publish(fields=["name", "data"]), data=nested, content_type="application/json")
    assert answer.status_code == status


def test_a_line_of_a_new_line_is_no_line_of_the_record(demo: Client, publish: Publish, root: Root, sql: Sql) -> None:
    route = publish(fields=["name", "child_ids"], related={"child_ids": ["name", {"line_ids": ["name"]}]})
    everything = publish(fields=["name", "line_ids"], related={"line_ids": ["name"]})
    record = demo.result("POST", everything, json={"name": "target", "line_ids": [[0, 0, {"name": "untouched"}]]})
    line = record["line_ids"][0]["id"]
    for inner in ([1, line, {"name": "taken"}], [2, line], [3, line], [4, line], [6, 0, [line]]):
        body = {"child_ids": [[0, 0, {"name": "new", "line_ids": [inner]}]]}
        assert demo.error("PATCH", f"{route}/{record['id']}", json=body)[0] == 400, inner
    assert sql("SELECT name FROM test_line WHERE name IN ('untouched', 'taken')") == [("untouched",)]


def test_no_line_is_taken_from_another_record(demo: Client, publish: Publish, sql: Sql) -> None:
    with_related = publish(fields=["name", "line_ids"], related={"line_ids": ["name"]})
    without = publish(fields=["name", "line_ids"])
    mine = demo.result("POST", with_related, json={"name": "mine"})["id"]
    theirs = demo.result("POST", with_related, json={"name": "theirs", "line_ids": [[0, 0, {"name": "theirs"}]]})
    line = theirs["line_ids"][0]["id"]
    for route in (with_related, without):
        for value in ([[4, line]], [[6, 0, [line]]], [line]):
            assert demo.error("PATCH", f"{route}/{mine}", json={"line_ids": value})[0] == 400, value
            assert demo.error("POST", route, json={"name": "new", "line_ids": value})[0] == 400, value
    own = demo.result("PATCH", f"{with_related}/{theirs['id']}", json={"line_ids": [line]})
    assert [item["id"] for item in own["line_ids"]] == [line]
    ((parent,),) = sql(
        "SELECT r.name FROM test_line l JOIN test_record r ON r.id = l.record_id WHERE l.name = 'theirs'"
    )
    assert parent == "theirs"


def test_numbers_that_json_cannot_carry_back_are_not_stored(demo: Client, publish: Publish, root: Root) -> None:
    route = publish(fields=["name", "data"])
    for number in ("1e20", "18446744073709551616", "1e400"):
        body = f'{{"name": "big", "data": {{"n": [{number}]}}}}'
        assert demo("POST", route, data=body, content_type="application/json").status_code == 400
    root(lambda env: env["test.record"].create({"name": "stored big", "data": {"n": 10**25}}).id)
    (record,) = demo.result("GET", f"{route}?domain=[('name','=','stored big')]")["records"]
    assert record["data"] == {"n": 1e25}


@pytest.mark.parametrize(
    ("model", "fields", "domain"),
    [
        ("res.users", ["name"], [["display_name", "in", ["admin"]]]),
        ("product.product", ["name", "default_code"], [["display_name", "ilike", "SECRET"]]),
        ("product.template", ["name"], [["display_name", "<", "x"]]),
        ("test.record", ["name"], [["display_name", "<", "x"]]),
    ],
)
def test_a_search_by_name_that_looks_elsewhere_is_refused(
    model: str, fields: list[str], domain: Any, demo: Client, publish: Publish
) -> None:
    route = publish(model, fields=[*fields, "display_name"])
    assert demo.error("GET", route, json={"domain": domain})[0] == 400


def test_a_search_by_name_works_where_all_it_looks_at_is_exposed(demo: Client, publish: Publish) -> None:
    route = publish(fields=["name", "display_name"])
    demo.result("POST", route, json={"name": "found by its name"})
    found = demo.result("GET", route, json={"domain": [["display_name", "ilike", "by its name"]]})
    assert found["length"] == 1


def test_a_locked_catalog_stops_no_call(
    app: Gatehouse, demo: Client, publish: Publish, testbed: Testbed, database: str
) -> None:
    route = publish("res.partner")
    outside = testbed.server.connect(database)
    outside.autocommit = False
    with outside.cursor() as cursor:
        cursor.execute("LOCK TABLE gatehouse.catalog_version IN ACCESS EXCLUSIVE MODE")
        time.sleep(1)  # the last confirmation is old, and the watcher waits for the lock
        started = time.monotonic()
        assert demo("GET", f"{route}?limit=1").status_code == 200
        assert demo("GET", "/healthz").status_code == 200
        assert time.monotonic() - started < 3
    outside.rollback()
    outside.close()


def test_a_record_without_a_write_date_is_read(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish()
    record = demo.result("POST", route, json={"name": "undated"})
    sql("UPDATE test_record SET write_date = NULL WHERE name = 'undated'")
    assert demo.result("GET", f"{route}/{record['id']}") == record
    assert demo.error("PATCH", f"{route}/{record['id']}", json={"name": "x"}, headers={"If-Match": '"a.b"'})[0] == 412


def test_a_text_that_an_index_cannot_hold_is_the_clients_mistake(demo: Client, publish: Publish, sql: Sql) -> None:
    sql("CREATE INDEX IF NOT EXISTS test_record_notes ON test_record (notes)")
    text = secrets.token_hex(20_000)  # random, so that no compression makes it fit
    status, error = demo.error("POST", publish(fields=["name", "notes"]), json={"name": "long", "notes": text})
    sql("DROP INDEX test_record_notes")
    assert (status, error["data"]["name"], error["data"]["parameter"]) == (400, "invalid_value", "body")


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("GET", {"query_string": {"domain": '[("ratio","=",1' + "0" * 400 + ")]"}}),
        ("POST", {"json": {"name": "x", "line_ids": [[[0], 0, {}]]}}),
        ("POST", {"json": {"name": "x", "tag_ids": [[{}, 0, {}]]}}),
        ("POST", {"json": {"name": "x", "tag_ids": [[4.0, 1, 0]]}}),
        ("POST", {"json": {"name": "x", "partner_id": 0}}),
        ("POST", {"json": {"name": "x", "partner_id": 0.0}}),
        ("POST", {"json": {"name": "x", "res_model": "no.such", "res_id": 1}}),
        ("POST", {"json": {"name": "x", "res_model": "res.users.apikeys", "res_id": 1}}),
        ("POST", {"json": {"name": "x", "parent_path": "1/2/"}}),
        ("GET", {"query_string": {"order": "name deſc"}}),
    ],
)
def test_small_malformed_input_is_400(method: str, options: Any, demo: Client, publish: Publish) -> None:
    fields = ["name", "ratio", "line_ids", "tag_ids", "partner_id", "res_model", "res_id", "parent_path"]
    route = publish(fields=fields, id_obfuscation=False, related={"line_ids": ["name"]})
    assert demo.error(method, route, **options)[0] == 400


def test_an_origin_that_is_none_is_a_foreign_one(demo: Client, publish: Publish) -> None:
    assert demo.error("POST", publish(), json={"name": "x"}, headers={"Origin": "http://["})[0] == 403


@pytest.mark.parametrize("header", ['""', ",", "x", "", '"'])
def test_a_condition_that_names_no_version_is_met_by_none(header: str, demo: Client, publish: Publish) -> None:
    route = publish()
    path = f"{route}/{demo.result('POST', route, json={'name': 'conditional'})['id']}"
    assert demo.error("PATCH", path, json={"name": "x"}, headers={"If-Match": header})[0] == 412


def test_a_replayed_call_answers_with_the_id_of_its_envelope(demo: Client, publish: Publish) -> None:
    route = publish()
    body = {"jsonrpc": "2.0", "id": 7, "params": {"name": "enveloped"}}
    answers = [demo("POST", route, json=body, headers={"Idempotency-Key": "env-7"}) for _ in range(2)]
    assert [answer.json["id"] for answer in answers] == [7, 7]
    other_company = {"Idempotency-Key": "env-7", "Accept-Language": "de"}
    assert demo("POST", route, json=body, headers=other_company).status_code == 422


def _problems(root: Root, model: str, fields: Any, **keys: Any) -> list[str]:
    api = {key: keys.pop(key) for key in ("run_as", "authentication") if key in keys}
    entry = {"model": model, "fields": fields, **keys}
    document = ApiDocument.model_validate({"name": "P", "route": "/api/p", "models": [entry], **api})
    found = root(lambda env: compile_document(document, OdooSource(env, {}), importing=True)).problems
    return [str(problem) for problem in found]


def test_what_gives_rights_is_written_only_where_it_is_named_and_never_as_another_user(
    demo: Client, publish: Publish, root: Root
) -> None:
    route = publish("res.users", fields=["name", "login", "group_ids"], run_as="admin", id_obfuscation=False)
    uid = root(lambda env: env.ref("base.user_demo").id)
    group = root(lambda env: env.ref("base.group_system").id)
    assert demo.refusal("PATCH", f"{route}/{uid}", json={"group_ids": [[4, group]]}) == (400, "unknown_field")
    assert not root(lambda env: env.ref("base.user_demo").has_group("base.group_system"))
    for keys in ({"run_as": "admin"}, {"authentication": "public"}):
        assert _problems(root, "res.users", ["group_ids"], writable_fields=["group_ids"], **keys)
    assert _problems(root, "res.users", ["group_ids"], writable_fields=["group_ids"]) == []


@pytest.mark.parametrize("model", ["ir.rule", "ir.model.access", "ir.ui.view", "ir.actions.report", "res.groups"])
def test_what_odoo_runs_or_asks_for_rights_is_read_and_never_changed(
    model: str, admin: Client, publish: Publish, root: Root
) -> None:
    route = publish(model, fields=["name"])
    record = admin.result("GET", f"{route}?limit=1")["records"][0]
    assert admin("GET", f"{route}/{record['id']}").status_code == 200
    for method, path in (("POST", route), ("PATCH", f"{route}/{record['id']}"), ("DELETE", f"{route}/{record['id']}")):
        assert admin.error(method, path, json={"name": "x"})[0] == 405
    assert _problems(root, model, ["name"], writable_fields=["name"])


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((name, True) for name in ("google_calendar_rtoken", "twilio_account_token", "sfu_server_key", "credential")),
        *((name, True) for name in ("pin", "l10n_hu_edi_signature_key", "ecpay_hashkey", "l10n_sa_otp", "pem_key")),
        *((name, True) for name in ("password", "new_password", "api_key", "access_token", "totp_secret")),
        *((name, False) for name in ("name", "key", "keyboard", "shipping", "pinned", "tokenize", "primary", "spin")),
    ],
)
def test_names_of_secrets_are_known(name: str, secret: bool) -> None:
    assert is_secret_field("any.model", name) == secret


def test_raw_content_of_attachments_goes_out_in_base64(admin: Client, publish: Publish, root: Root) -> None:
    root(lambda env: env["ir.attachment"].create({"name": "raw", "raw": b"\xff\x00raw"}).id)
    route = publish("ir.attachment", fields=["name", "raw"], binary="base64")
    (record,) = admin.result("GET", f"{route}?domain=[('name','=','raw')]&fields=name")["records"]
    assert admin.result("GET", f"{route}/{record['id']}")["raw"] == "/wByYXc="


def test_an_api_serves_again_when_its_user_is_active_again(
    app: Gatehouse, anyone: Client, publish: Publish, root: Root
) -> None:
    root(lambda env: env["res.users"].create({"name": "Pausing", "login": "pausing"}).id)
    route = publish("res.partner", authentication="public", run_as="pausing")

    def switch(active: bool) -> None:
        users = "res.users"
        root(
            lambda env: (
                env[users].with_context(active_test=False).search([("login", "=", "pausing")]).write({"active": active})
            )
        )
        publish()  # compiles all definitions anew
        app.services.catalog.refresh()

    switch(False)
    assert anyone("GET", route).status_code == 401
    switch(True)
    assert anyone("GET", route).status_code == 200


def test_a_write_answers_with_no_more_than_the_api_serves(demo: Client, publish: Publish) -> None:
    keys: dict[str, Any] = {
        "fields": ["name", "notes", "count"],
        "search_fields": ["name"],
        "writable_fields": ["name"],
    }
    assert demo.result("POST", publish(**keys, endpoints={"read": False}), json={"name": "x"}).keys() == {"id", "name"}
    write_only = publish(**keys, endpoints={"read": False, "search": False})
    assert demo.result("POST", write_only, json={"name": "x"}).keys() == {"id", "name"}


def test_what_a_computed_search_refuses_is_400(demo: Client, publish: Publish) -> None:
    route = publish("res.users", fields=["name", "state"])
    assert demo.refusal("GET", route, json={"domain": [["state", "ilike", "%"]]}) == (400, "invalid_domain")


def test_a_test_mode_api_says_so_also_in_errors(anyone: Client, demo: Client, publish: Publish) -> None:
    route = publish(mode="test")
    for client, method, options in (
        (anyone, "GET", {}),
        (demo, "OPTIONS", {}),
        (demo, "PATCH", {"json": [], "headers": {"If-Match": "*"}}),
    ):
        assert client(method, route, **options).headers["X-Test-Mode"] == "true", method


def test_a_link_that_would_be_too_long_is_not_given(demo: Client, publish: Publish) -> None:
    route = publish("res.partner")
    domain = [["name", "not in", ["x" * 40] * 200]]
    answer = demo("GET", route, json={"domain": domain, "limit": 1})
    assert answer.json["result"]["length"] > 1
    assert "Link" not in answer.headers


def test_what_postgresql_says_of_a_constraint_tells_no_ids_and_no_tables(
    admin: Client, publish: Publish, root: Root
) -> None:
    route = publish("res.partner")
    everything = publish("res.partner", id_obfuscation=False)
    partner = root(lambda env: env.ref("base.main_company").partner_id.id)
    name = admin.result("GET", f"{everything}/{partner}")["name"]
    (record,) = admin.result("GET", route, json={"domain": [["name", "=", name]]})["records"]
    status, error = admin.error("DELETE", f"{route}/{record['id']}")
    assert (status, error["code"]) == (200, 422)
    for word in ("DETAIL", "Key", "res_", f"({partner})"):
        assert word not in error["message"]


def test_no_answer_is_sniffed_for_another_type(demo: Client, anyone: Client, publish: Publish) -> None:
    route = publish(fields=["name", "picture"])
    for client, path in ((demo, route), (anyone, route), (anyone, "/none"), (anyone, "/api/oauth2/token")):
        assert client("GET", path).headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "query",
    ["client_id=%00", "client_id=\xe9", "client_id=<x>", "response_type=code&client_id=x&redirect_uri=http://["],
)
def test_an_authorization_request_that_makes_no_sense_is_400(query: str, demo: Client) -> None:
    assert demo("GET", f"/api/oauth2/authorize?{query}").status_code == 400


def test_a_client_id_with_a_nul_is_that_of_nobody(anyone: Client) -> None:
    for text in (b"\x00:x", b"x:\x00", b"%00:x"):
        header = {"Authorization": f"Basic {base64.b64encode(text).decode()}"}
        for endpoint in ("token", "revoke", "introspect"):
            assert anyone("POST", f"/api/oauth2/{endpoint}", data={"token": "x"}, headers=header).status_code == 401


@pytest.mark.parametrize("path", ["/admin/login", "/api/oauth2/login", "/api/docs/logout", "/admin/settings/"])
def test_a_form_with_a_nul_is_400(path: str, anyone: Client, admin: Client) -> None:
    for client in (anyone, admin) if path != "/admin/settings/" else (admin,):
        answer = client("POST", path, data={"login": "a\x00", "password": "x", "run_as": "a\x00"})
        assert answer.status_code == 400
        assert "A field holds a NUL." in answer.text


def test_a_form_with_a_nul_shows_a_stranger_nothing_of_the_panel(anyone: Client, demo: Client, database: str) -> None:
    for client, status in ((anyone, 303), (demo, 403)):
        answer = client("POST", "/admin/settings/", data={"run_as": "a\x00"})
        assert answer.status_code == status
        assert database not in answer.text


def test_a_wrong_login_takes_as_long_as_a_wrong_password(anyone: Client, database: str, root: Root) -> None:
    root(lambda env: env["res.users"].create({"name": "Invited", "login": "invited"}).id)  # has no password yet

    def effort(login: str) -> float:
        params = {"db": database, "login": login, "password": "wrong"}
        began = time.thread_time()  # of this thread alone: other work on the machine does not count
        answer = anyone("POST", "/web/session/authenticate", json={"params": params, "jsonrpc": "2.0"})
        assert answer.json["error"]["message"] == "Wrong database, login or password."
        return time.thread_time() - began

    known = effort("demo")
    assert effort("unknown") > known / 2
    assert effort("invited") > known / 2


def test_the_store_is_left_as_it_was(app: Gatehouse) -> None:
    assert stored_apis.load(app).apis == ()
