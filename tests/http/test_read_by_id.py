"""A read by id is Odoo's ``read``; ``fields: all`` leaves out what Odoo refuses to the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from odoo.exceptions import AccessError  # noqa: TID251  what a compute raises

from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish, Root
from tests.http.queries import counted_queries

#: A field of partners without groups, whose model an employee may not read: Odoo says so when it is fetched.
REFUSED = "rtc_session_ids"


def test_fields_all_leaves_out_what_odoo_refuses_when_it_is_asked(
    demo: Client, admin: Client, publish: Publish
) -> None:
    route = publish("res.partner", fields="all", id_obfuscation=False)
    found = demo.result("GET", route, query_string={"limit": 2, "order": "id"})["records"]
    ids = [record["id"] for record in found]
    several = demo.result("GET", f"{route}/bulk?ids={ids[1]},{ids[0]}")
    one = demo.result("GET", f"{route}/{ids[0]}")
    each = demo.result("GET", f"{route}/bulk?ids={ids[0]}&atomic=false")[0]["result"]
    changed = demo.result("PATCH", f"{route}/{ids[0]}", json={"comment": "seen"})
    for record in (one, each, changed, *several, *found):
        assert REFUSED not in record
        assert {"name", "email", "category_id", "commercial_partner_id"} <= record.keys()
    assert one.keys() == several[0].keys() == several[1].keys() == each.keys() == changed.keys()
    assert REFUSED in admin.result("GET", f"{route}/{ids[0]}")


def test_a_field_that_is_named_is_refused_and_not_left_out(demo: Client, publish: Publish) -> None:
    follows = publish("res.partner", fields="all", id_obfuscation=False)
    names = publish("res.partner", fields=["name", REFUSED], search_fields=["name", REFUSED], id_obfuscation=False)
    record_id = demo.result("GET", follows, query_string={"limit": 1, "fields": "name"})["records"][0]["id"]
    for path in (
        f"{follows}/{record_id}?fields=name,{REFUSED}",
        f"{follows}/bulk?ids={record_id}&fields={REFUSED}",
        f"{names}/{record_id}",
        names,
    ):
        assert demo.refusal("GET", path) == (403, "forbidden"), path
    assert demo.result("GET", f"{names}/{record_id}?fields=name").keys() == {"id", "name"}


@pytest.fixture
def refusing(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], None]], None]:
    """Make ``test.record.length``, a computed field that is not stored, compute with a function."""

    def compute(function: Callable[[Any], None]) -> None:
        model = app.services.transactions.run(lambda root: type(root["test.record"]), keep=False)
        monkeypatch.setattr(model, "_compute_length", function)

    return compute


def test_fields_all_leaves_out_what_a_compute_refuses_for_any_of_the_records(
    demo: Client, publish: Publish, refusing: Callable[..., None]
) -> None:
    def compute(records: Any) -> None:
        if "refused" in records.mapped("name"):
            raise AccessError("not yours")
        records.length = 1

    refusing(compute)
    route = publish(fields="all", id_obfuscation=False)
    created = demo.result("POST", route, json=[{"name": "refused"}, {"name": "given"}])
    ids = [record["id"] for record in created]
    several = demo.result("GET", f"{route}/bulk?ids={ids[0]},{ids[1]}")
    assert ["length" in record for record in (*created, *several)] == [False] * 4
    assert demo.result("GET", f"{route}/{ids[1]}")["length"] == 1
    assert "length" not in demo.result("GET", f"{route}/{ids[0]}")
    assert demo.error("GET", f"{route}/{ids[0]}?fields=length")[0] == 403


def test_a_bulk_read_computes_in_the_order_asked(demo: Client, publish: Publish, refusing: Callable[..., None]) -> None:
    def positions(records: Any) -> None:
        for position, record in enumerate(records):
            record.length = position

    refusing(positions)
    route = publish(fields=["name", "length"], id_obfuscation=False)
    ids = [demo.result("POST", route, json={"name": name})["id"] for name in ("b", "a", "d", "c")]
    asked = [ids[2], ids[0], ids[3], ids[1], ids[0]]
    found = demo.result("GET", f"{route}/bulk?ids={','.join(map(str, asked))}")
    assert [(record["id"], record["length"]) for record in found] == [
        (ids[2], 0), (ids[0], 1), (ids[3], 2), (ids[1], 3), (ids[0], 1)
    ]  # fmt: skip


def test_a_message_is_read_by_who_wrote_it_though_no_search_finds_it(
    demo: Client, other: Client, publish: Publish, root: Root, request: pytest.FixtureRequest
) -> None:
    def make(env: Any) -> int:
        return int(env["mail.message"].with_user(env.ref("base.user_demo")).create({"body": "x", "author_id": 1}).id)

    record_id = root(make)
    request.addfinalizer(lambda: root(lambda env: env["mail.message"].browse(record_id).unlink()))
    route = publish("mail.message", fields=["body"], id_obfuscation=False)
    assert demo.result("GET", f"{route}/{record_id}")["body"] == "<span>x</span>"
    assert other.error("GET", f"{route}/{record_id}")[0] == 404
    of_others = publish("mail.message", fields=["body"], domain=[["create_uid", "=", 1]], id_obfuscation=False)
    assert demo.error("GET", f"{of_others}/{record_id}")[0] == 404


def test_archived_records_can_be_read_and_those_outside_of_the_domain_cannot(demo: Client, publish: Publish) -> None:
    route = publish("res.partner", fields=["name", "active"], id_obfuscation=False)
    companies = publish("res.partner", fields=["name"], domain=[["is_company", "=", True]], id_obfuscation=False)
    record_id = demo.result("POST", route, json={"name": "archived", "active": False})["id"]
    assert demo.result("GET", f"{route}/{record_id}")["active"] is False
    assert demo.error("GET", f"{companies}/{record_id}")[0] == 404


def test_a_read_by_id_asks_once_for_its_record(demo: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    route = publish()
    path = f"{route}/{demo.result('POST', route, json={'name': 'read'})['id']}"
    demo.result("GET", path)
    with counted_queries(monkeypatch) as queries:
        demo.result("GET", path)
    assert len([query for query in queries if "test_record" in query]) == 1
