"""Who may see and do what: Odoo's own rules, and the definition's."""

from __future__ import annotations

from typing import Any

import pytest

from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish, Root, Sql


def test_nobody_is_401_and_told_how_to_log_in(anyone: Client, publish: Publish) -> None:
    route = publish()
    answer = anyone("GET", route)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    anyone.http.set_cookie("session_id", "x" * 84)
    assert anyone.error("GET", route)[0] == 401


def test_record_rules_decide_what_a_user_sees_and_changes(
    demo: Client, other: Client, publish: Publish, root: Root, sql: Sql
) -> None:
    route = publish(fields=["name"])
    root(lambda env: env["test.record"].create({"name": "of demo alone", "owner_id": env.ref("base.user_demo").id}).id)
    query = {"domain": '[["name","=","of demo alone"]]'}
    (record,) = demo.result("GET", route, query_string=query)["records"]
    assert other.result("GET", route, query_string=query) == {"length": 0, "records": []}
    for method, options in (("GET", {}), ("PATCH", {"json": {"name": "taken"}}), ("DELETE", {})):
        assert other.error(method, f"{route}/{record['id']}", **options)[0] == 404
    assert sql("SELECT count(*) FROM test_record WHERE name = 'of demo alone'") == [(1,)]


def test_access_rights_decide_what_a_user_may_do(demo: Client, admin: Client, publish: Publish, sql: Sql) -> None:
    route = publish("test.tag")
    assert demo.refusal("POST", route, json={"name": "not mine to make"}) == (403, "forbidden")
    tag = admin.result("POST", route, json={"name": "made by admin"})
    assert demo.result("GET", f"{route}/{tag['id']}") == tag
    assert demo.error("PATCH", f"{route}/{tag['id']}", json={"name": "changed"})[0] == 403
    assert demo.error("DELETE", f"{route}/{tag['id']}")[0] == 403
    assert sql("SELECT count(*) FROM test_tag WHERE name->>'en_US' = 'made by admin'") == [(1,)]


def test_a_field_that_is_not_writable_here_is_refused(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish(fields=["name", "count"], writable_fields=["name"])
    status, error = demo.error("POST", route, json={"name": "no count", "count": 1})
    assert (status, error["data"]["field"]) == (400, "count")
    assert sql("SELECT 1 FROM test_record WHERE name = 'no count'") == []


def test_ids_that_are_of_another_model_made_up_or_not_canonical_are_404(
    demo: Client, publish: Publish, app: Gatehouse
) -> None:
    route = publish(fields=["name", "partner_id"])
    partner_route = publish("res.partner")
    foreign = demo.result("GET", f"{partner_route}?limit=1")["records"][0]["id"]
    own = demo.result("POST", route, json={"name": "has an id"})["id"]
    definition = next(iter(app.services.catalog.snapshot.definitions.values()))
    gone = definition.ids.of("test.record").encode(2**31 - 1)
    two_numbers = definition.ids.of("test.record")._hashids.encode(1, 2)
    for public_id in (foreign, "made-up", "1", "0", own + "0", own.swapcase(), gone, two_numbers, "%20" + own, "%00"):
        for method, options in (("GET", {}), ("PATCH", {"json": {"name": "x"}}), ("DELETE", {})):
            assert demo.error(method, f"{route}/{public_id}", **options)[0] == 404, (method, public_id)


def test_plain_ids_that_are_not_canonical_are_404(demo: Client, publish: Publish) -> None:
    route = publish("res.partner", id_obfuscation=False)
    assert demo.result("GET", f"{route}/1")["id"] == 1
    for public_id in ("01", "+1", "1.0", "-1", "0", "²", "99999999999999999999", "1e0", "0x1"):
        assert demo.error("GET", f"{route}/{public_id}")[0] == 404, public_id


def test_the_definitions_domain_holds_for_every_operation(demo: Client, publish: Publish, root: Root) -> None:
    route = publish(fields=["name", "state"], domain=[["state", "=", "done"]])
    everything = publish(fields=["name", "state"])
    draft = demo.result("POST", everything, json={"name": "still draft", "state": "draft"})
    assert demo.result("GET", route, query_string={"domain": '[["name","=","still draft"]]'})["length"] == 0
    around = '["&",["name","=","still draft"],"|",["id",">",0],["id","=",0]]'
    assert demo.result("GET", route, query_string={"domain": around})["length"] == 0
    for method, options in (("GET", {}), ("PATCH", {"json": {"name": "x"}}), ("DELETE", {})):
        assert demo.error(method, f"{route}/{draft['id']}", **options)[0] == 404


def test_a_public_api_runs_as_odoos_public_user_or_as_the_user_it_names(
    anyone: Client, publish: Publish, root: Root
) -> None:
    root(lambda env: env["test.record"].create({"name": "for all", "owner_id": False}).id)
    as_public = publish(authentication="public")
    assert anyone.result("GET", f"{as_public}?domain=[('name','=','for all')]")["length"] == 1
    assert anyone.error("POST", as_public, json={"name": "by the public"})[0] == 403
    as_demo = publish(authentication="public", run_as="demo")
    assert anyone.result("POST", as_demo, json={"name": "by demo"})["name"] == "by demo"
    owner = root(lambda env: env["test.record"].search([("name", "=", "by demo")]).create_uid.login)
    assert owner == "demo"


def test_a_user_who_is_switched_off_runs_nothing(anyone: Client, publish: Publish, root: Root) -> None:
    root(lambda env: env["res.users"].create({"name": "Temp", "login": "temp"}).id)
    route = publish(authentication="public", run_as="temp")
    root(lambda env: env["res.users"].search([("login", "=", "temp")]).write({"active": False}))
    status, error = anyone.error("GET", route)
    assert status == 401
    assert error["data"]["name"] == "run_as_inactive"


def test_fields_all_leaves_out_what_odoo_keeps_from_the_user(demo: Client, admin: Client, publish: Publish) -> None:
    route = publish(fields="all")
    record = demo.result("POST", route, json={"name": "all fields"})
    assert "for_managers" not in record
    assert "door_password" not in record
    assert "for_managers" in admin.result("GET", f"{route}/{record['id']}")
    assert demo.error("PATCH", f"{route}/{record['id']}", json={"for_managers": "x"})[0] == 400
    assert demo.error("GET", f"{route}?domain=[('for_managers','=','x')]")[0] == 400


def test_lines_cannot_be_made_or_changed_unless_related_names_their_model(
    demo: Client, publish: Publish, root: Root, sql: Sql
) -> None:
    route = publish(fields=["name", "line_ids"])
    _, line_id = root(_record_with_line)
    for command in ([0, 0, {"name": "new"}], [1, 1, {"name": "changed"}], [2, 1], [3, 1], [5], [6, 0, []]):
        status, _ = demo.error("POST", route, json={"name": "with lines", "line_ids": [command]})
        assert status == 400, command
    status, _ = demo.error("POST", route, json={"name": "with lines", "line_ids": []})
    assert status == 400
    assert sql("SELECT name FROM test_line WHERE id = %s", line_id) == [("a line",)]


def _record_with_line(env: Any) -> tuple[int, int]:
    record = env["test.record"].create({"name": "has lines", "line_ids": [(0, 0, {"name": "a line"})]})
    return record.id, record.line_ids.id


def test_lines_are_made_changed_and_deleted_where_related_names_their_model(
    demo: Client, publish: Publish, sql: Sql
) -> None:
    route = publish(fields=["name", "line_ids"], related={"line_ids": ["name", "price"]})
    record = demo.result("POST", route, json={"name": "lines", "line_ids": [[0, 0, {"name": "one", "price": 1.5}]]})
    (line,) = record["line_ids"]
    assert line == {"id": line["id"], "name": "one", "price": 1.5}
    changed = demo.result("PATCH", f"{route}/{record['id']}", json={"line_ids": [[1, line["id"], {"price": 2.0}]]})
    assert changed["line_ids"] == [{"id": line["id"], "name": "one", "price": 2.0}]
    stranger = demo.result("POST", route, json={"name": "stranger"})
    status, _ = demo.error("PATCH", f"{route}/{stranger['id']}", json={"line_ids": [[1, line["id"], {"price": 3.0}]]})
    assert status == 400
    gone = demo.result("PATCH", f"{route}/{record['id']}", json={"line_ids": [[2, line["id"]]]})
    assert gone["line_ids"] == []
    assert sql("SELECT 1 FROM test_line WHERE name = 'one'") == []


def test_a_reference_to_a_record_that_the_user_cannot_see_is_refused(
    demo: Client, other: Client, publish: Publish, root: Root
) -> None:
    route = publish(fields=["name", "parent_id"])
    root(lambda env: env["test.record"].create({"name": "demo's", "owner_id": env.ref("base.user_demo").id}).id)
    parent = demo.result("GET", f"{route}?domain=[('name','=',\"demo's\")]")["records"][0]["id"]
    assert demo.result("POST", route, json={"name": "child", "parent_id": parent})["parent_id"][0] == parent
    status, error = other.error("POST", route, json={"name": "child", "parent_id": parent})
    assert (status, error["data"]["field"]) == (400, "parent_id")


@pytest.mark.parametrize("path", ["/web/session/destroy", "api"])
def test_a_foreign_page_cannot_write_with_the_session_cookie(path: str, demo: Client, publish: Publish) -> None:
    route = publish() if path == "api" else path
    assert demo.error("POST", route, data="name=x", content_type="text/plain")[0] == 415
    for origin in ("https://evil.example", "http://evil.localhost", "http://evil-localhost"):  # we are "localhost" here
        assert demo.error("POST", route, json={"name": "x"}, headers={"Origin": origin})[0] == 403
    assert demo.error("POST", route, json={"name": "x"}, headers={"Sec-Fetch-Site": "cross-site"})[0] == 403
