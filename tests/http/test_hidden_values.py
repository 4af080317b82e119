"""Attacks of pitfalls: every way to learn a value that a definition hides, tried."""

from __future__ import annotations

from typing import Any

import pytest

from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish, Root, Sql

HIDDEN = "the hidden value"


@pytest.fixture
def route(publish: Publish, root: Root) -> str:
    """An API whose record hides notes, a line's `internal`, a tag's color and a partner's everything."""
    root(_hide)
    return publish(
        fields=["name", "line_ids", "tag_ids", "partner_id", "parent_id", "owner_id"],
        related={"line_ids": ["name", {"tag_id": ["name"]}], "parent_id": ["name"]},
    )


def _hide(env: Any) -> None:
    tag = env["test.tag"].create({"name": "tag", "color": 7})
    partner = env["res.partner"].create({"name": HIDDEN, "email": "hidden@example.com"})
    env["test.record"].create(
        {
            "name": "holder",
            "notes": HIDDEN,
            "partner_id": partner.id,
            "tag_ids": [(6, 0, tag.ids)],
            "line_ids": [(0, 0, {"name": "line", "internal": HIDDEN, "tag_id": tag.id})],
        }
    )


@pytest.mark.parametrize(
    "domain",
    [
        [["notes", "=", HIDDEN]],
        [["notes", "like", "the%"]],
        ["!", ["notes", "!=", HIDDEN]],
        ["|", ["name", "=", "x"], "&", ["id", ">", 0], ["notes", "=", HIDDEN]],
        [["line_ids.internal", "=", HIDDEN]],
        [["line_ids", "any", [["internal", "=", HIDDEN]]]],
        [["line_ids", "not any", [["internal", "=", HIDDEN]]]],
        [["line_ids", "any", [["tag_id", "any", [["color", "=", 7]]]]]],
        [["line_ids.tag_id.color", "=", 7]],
        [["line_ids.record_id.notes", "=", HIDDEN]],
        [["line_ids", "any!", [["internal", "=", HIDDEN]]]],
        [["line_ids", "not any!", [["internal", "=", HIDDEN]]]],
        [["tag_ids.color", "=", 7]],
        [["tag_ids", "any", [["color", "=", 7]]]],
        [["tag_ids", "=", "tag"]],
        [["tag_ids", "ilike", "tag"]],
        [["partner_id.email", "=", "hidden@example.com"]],
        [["partner_id", "any", [["email", "=", "hidden@example.com"]]]],
        [["partner_id", "=", HIDDEN]],
        [["partner_id", "ilike", HIDDEN]],
        [["partner_id", "in", [HIDDEN]]],
        [["partner_id", "child_of", HIDDEN]],
        [["partner_id", "child_of", [1]]],
        [["partner_id.display_name", "ilike", HIDDEN]],
        [["parent_id", "parent_of", [1]]],
        [["parent_id.notes", "=", HIDDEN]],
        [["parent_id.parent_id.name", "=", "x"]],
        [["id", "child_of", [1]]],
        [["owner_id.login", "=", "admin"]],
        [["owner_id.password", "like", "%"]],
        [["create_uid", "=", 1]],
        [["create_uid.login", "=", "admin"]],
        [["write_date", ">", "2020-01-01"]],
        [["message_ids.body", "like", "x"]],
        [["properties.color", "=", "red"]],
        [["properties", "=", False]],
        [["display_name", "=", HIDDEN]],
        [["name.id", "=", 1]],
        [["id.notes", "=", HIDDEN]],
        [["notes", "in", [HIDDEN]]],
        [["", "=", 1]],
        [["__class__", "=", 1]],
        [["name", "=", ["notes"]]],
        [["parent_path", "like", "1/"]],
    ],
)
def test_a_filter_that_would_tell_is_refused_and_never_dropped(domain: Any, route: str, demo: Client) -> None:
    as_json = demo.error("GET", route, json={"domain": domain})
    as_text = demo.error("GET", route, query_string={"domain": repr(domain)})
    for status, error in (as_json, as_text):
        assert status == 400, domain
        assert error["data"]["name"] in ("unknown_field", "unknown_operator", "invalid_domain"), error


@pytest.mark.parametrize(
    "order",
    ["notes", "name, notes", "partner_id", "partner_id.email", "tag_ids", "line_ids.internal", "parent_id.notes",
     "create_date", "owner_id", "(select 1)", "name desc nulls first, notes", "id.notes", "display_name"],
)  # fmt: skip
def test_an_order_that_would_tell_is_refused(order: str, route: str, demo: Client) -> None:
    assert demo.error("GET", route, query_string={"order": order})[0] == 400


@pytest.mark.parametrize("fields", ["notes", "line_ids.internal", "*", "name,secret", '["notes"]', "create_uid"])
def test_a_hidden_field_cannot_be_asked_for(fields: str, route: str, demo: Client) -> None:
    record = demo.result("GET", f"{route}?limit=1")["records"][0]
    assert "notes" not in record
    for path in (route, f"{route}/{record['id']}"):
        assert demo.error("GET", path, query_string={"fields": fields})[0] == 400


def test_commands_reach_no_record_that_is_not_exposed(
    route: str, demo: Client, root: Root, app: Gatehouse, sql: Sql
) -> None:
    (definition,) = app.services.catalog.snapshot.definitions.values()
    holder, line, tag, partner = root(_ids)
    path = f"{route}/{definition.ids.of('test.record').encode(holder)}"
    line_id, tag_id = definition.ids.of("test.line").encode(line), definition.ids.of("test.tag").encode(tag)
    partner_id = definition.ids.of("res.partner").encode(partner)
    for body in ({"notes": "x"}, {"name": "n", "line_ids": [[0, 0, {"name": "l", "internal": "x"}]]}):
        for method, address in (("PATCH", path), ("POST", route)):
            assert demo.refusal(method, address, json=body) == (400, "unknown_field"), body
    for body in (
        {"tag_ids": [[0, 0, {"name": "x"}]]},
        {"tag_ids": [[1, tag_id, {"name": "x"}]]},
        {"tag_ids": [[2, tag_id]]},
        {"line_ids": [[1, line_id, {"internal": "x"}]]},
        {"line_ids": [[1, line_id, {"record_id": None}]]},
        {"line_ids": [[1, line_id, {"tag_id": [[1, tag_id, {"color": 1}]]}]]},
        {"line_ids": [[4, partner_id]]},
        {"parent_id": {"name": "x"}},
        {"partner_id": [partner_id, {"email": "x"}, 1]},
    ):
        assert demo.error("PATCH", path, json=body)[0] == 400, body
    # The other parts of a many2one that a read shows are not written.
    demo("PATCH", path, json={"partner_id": [partner_id, {"email": "changed@example.com"}]})
    assert sql("SELECT email FROM res_partner WHERE id = %s", partner) == [("hidden@example.com",)]
    assert sql("SELECT internal FROM test_line WHERE id = %s", line) == [(HIDDEN,)]


def _ids(env: Any) -> tuple[int, int, int, int]:
    holder = env["test.record"].search([("name", "=", "holder")], order="id desc", limit=1)
    return holder.id, holder.line_ids.id, holder.tag_ids.id, holder.partner_id.id


def test_a_context_in_the_call_changes_nothing(route: str, demo: Client) -> None:
    for options in (
        {"query_string": {"context": '{"active_test": false}'}},
        {"json": {"context": {"active_test": False}}},
        {"query_string": {"active_test": "0"}},
    ):
        assert demo.error("GET", route, **options)[1]["data"]["name"] == "unknown_parameter"
    assert demo.error("POST", route, json={"name": "x", "context": {"uid": 1}})[0] == 400


def test_errors_of_odoo_tell_no_ids_and_no_names_of_what_is_hidden(demo: Client, publish: Publish, root: Root) -> None:
    route = publish("test.tag")
    status, error = demo.error("POST", route, json={"name": "x"})
    assert status == 403
    for word in ("test.tag", "Mitchell", "group", "Administration", "id"):
        assert word not in error["message"].split()


def test_costly_requests_are_capped(route: str, demo: Client) -> None:
    deep: Any = [["name", "=", "x"]]
    for _ in range(30):
        deep = [["line_ids", "any", deep]]
    for domain in (
        deep,
        [["name", "=", "x"]] * 500,
        ["|"] * 300 + [["name", "=", "x"]] * 301,
        [["id", "in", ["x"] * 10_000]],
    ):
        assert demo.error("GET", route, json={"domain": domain})[0] == 400
    assert demo.error("GET", f"{route}?limit=1000000")[0] == 400
    assert demo.error("GET", f"{route}?order={','.join(['name'] * 50)}")[0] == 400
