"""Writes of an API with ``chatter: false``: they leave nothing in Odoo's chatter, and everything else as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app.operations import admission
from app.policy.context import WITHOUT_CHATTER
from app.web.routing import Gatehouse
from odoo_bridge.transaction import Environment
from tests.http.conftest import Client
from tests.row_counts import CHATTER, FOLLOWERS, MESSAGES, NOTIFICATIONS, Sql, gained

Publish = Callable[..., str]
Write = Callable[[], list[int]]

CREATED, CHANGED = {MESSAGES, FOLLOWERS, NOTIFICATIONS}, set(CHATTER)
#: Columns of a partner that no two have alike.
_OWN = {"id", "commercial_partner_id", "create_date", "write_date"}


@dataclass(frozen=True)
class Written:
    """The rows of the partners that were written, and how many rows each of Odoo's tables has gained."""

    partners: list[dict[str, Any]]
    gains: dict[str, int]

    @property
    def chatter(self) -> set[str]:
        """The tables of the mail addon among them."""
        return {table for table in self.gains if table.startswith("mail_")}

    @property
    def others(self) -> dict[str, int]:
        """All others but the bus, which tells of messages."""
        return {table: n for table, n in self.gains.items() if not table.startswith(("mail_", "bus_"))}


@pytest.fixture(scope="module")
def assignee(app: Gatehouse) -> int:
    """A user who can be in charge of partners, and who is told so within Odoo."""

    def make(root: Environment) -> int:
        values = {"name": "In Charge", "login": "in charge", "notification_type": "inbox"}
        user_id: int = root["res.users"].create(values).id
        return user_id

    return app.services.transactions.run(make)


@pytest.fixture
def written(sql: Sql) -> Callable[[Write], Written]:
    """Write partners, and see what has come into the database."""

    def run(write: Write) -> Written:
        ids, gains = gained(sql, write)
        rows = sql("SELECT to_jsonb(p) FROM res_partner p WHERE id = ANY(%s) ORDER BY id", ids)
        return Written([{key: row[key] for key in row.keys() - _OWN} for (row,) in rows], gains)

    return run


@pytest.fixture
def partners(publish: Publish) -> Callable[[bool], str]:
    """Publish an API over partners, with or without chatter; return its route."""

    def run(chatter: bool) -> str:
        return publish("res.partner", fields=["name", "user_id", "phone"], id_obfuscation=False, chatter=chatter)

    return run


def _create_one(demo: Client, route: str, assignee: int) -> Write:
    return lambda: _ids([demo.result("POST", route, json={"name": "New", "user_id": assignee})])


def _create_many(demo: Client, route: str, assignee: int) -> Write:
    return lambda: _ids(demo.result("POST", route, json=[{"name": "New", "user_id": assignee}] * 2))


def _update_one(demo: Client, route: str, assignee: int) -> Write:
    (there,) = _present(demo, route, 1)
    return lambda: _ids([demo.result("PATCH", f"{route}/{there}", json={"phone": "1", "user_id": assignee})])


def _update_alike(demo: Client, route: str, assignee: int) -> Write:
    there = _present(demo, route, 2)
    return lambda: _ids(demo.result("PATCH", route, json={"ids": there, "phone": "1", "user_id": assignee}))


def _update_each(demo: Client, route: str, assignee: int) -> Write:
    values = [{"id": there, "phone": "1", "user_id": assignee} for there in _present(demo, route, 2)]
    return lambda: _ids(demo.result("PATCH", route, json=values))


def _present(demo: Client, route: str, count: int) -> list[int]:
    return _ids(demo.result("POST", route, json=[{"name": "Present"}] * count))


def _ids(records: list[dict[str, Any]]) -> list[int]:
    return [record["id"] for record in records]


#: Each kind of write: a preparation that returns it, and the tables that it fills in Odoo's own way.
WRITES: dict[str, tuple[Callable[[Client, str, int], Write], set[str]]] = {
    "create": (_create_one, CREATED),
    "create many": (_create_many, CREATED),
    "update": (_update_one, CHANGED),
    "update many alike": (_update_alike, CHANGED),
    "update each": (_update_each, CHANGED),
}


@pytest.mark.parametrize(("prepare", "traces"), WRITES.values(), ids=WRITES)
def test_a_write_leaves_its_records_alone_where_the_definition_says_so(
    prepare: Callable[..., Write],
    traces: set[str],
    written: Callable[[Write], Written],
    partners: Callable[[bool], str],
    assignee: int,
    demo: Client,
) -> None:
    usual = written(prepare(demo, partners(True), assignee))
    quiet = written(prepare(demo, partners(False), assignee))
    assert traces <= usual.chatter
    assert quiet.chatter == set()
    assert (quiet.partners, quiet.others) == (usual.partners, usual.others)


@pytest.mark.parametrize(("chatter", "traces"), [(True, {MESSAGES, FOLLOWERS}), (False, set())])
def test_a_method_that_writes_leaves_as_little(
    chatter: bool, traces: set[str], publish: Publish, written: Callable[[Write], Written], demo: Client
) -> None:
    keys = {"type": "rpc", "method": "name_create", "arguments": {"name": "harmless"}, "chatter": chatter}
    route = publish("res.partner", fields=(), **keys)
    made = written(lambda: demo.result("POST", route, json={"name": "By a method"})[:0])
    assert made.gains["res_partner"] == 1
    assert made.chatter & set(CHATTER) == traces


@pytest.mark.parametrize(("chatter", "followers"), [(True, 1), (False, 0)])
def test_a_message_that_a_method_is_there_to_post_makes_nobody_follow(
    chatter: bool,
    followers: int,
    partners: Callable[[bool], str],
    publish: Publish,
    written: Callable[[Write], Written],
    demo: Client,
) -> None:
    (there,) = _present(demo, partners(False), 1)
    arguments = dict.fromkeys(("body", "message_type", "*args", "**kwargs"), "harmless")
    keys = {"type": "rpc", "method": "message_post", "arguments": arguments, "id_obfuscation": False}
    route = publish("res.partner", fields=(), **keys, chatter=chatter)
    said = {"body": "Hello", "message_type": "comment", "subtype_xmlid": "mail.mt_comment"}
    posted = written(lambda: demo.result("POST", f"{route}/{there}", json=said) and [])
    assert posted.gains[MESSAGES] == 1
    assert posted.gains.get(FOLLOWERS, 0) == followers


@pytest.mark.parametrize(("chatter", "notes"), [(True, 1), (False, 0)])
def test_nothing_is_noted_at_a_partner_who_becomes_a_portal_user(
    chatter: bool, notes: int, publish: Publish, written: Callable[[Write], Written], admin: Client, root: Any
) -> None:
    """Odoo notes that by a key of its own."""
    portal = root(lambda env: env.ref("base.group_portal").id)
    partner_id = root(lambda env: env["res.partner"].create({"name": "Portal"}).id)
    fields = ["name", "login", "partner_id", "group_ids"]
    route = publish("res.users", fields=fields, writable_fields=fields, id_obfuscation=False, chatter=chatter)
    values = {"name": "Portal", "login": f"portal {chatter}", "partner_id": partner_id, "group_ids": [portal]}
    made = written(lambda: admin.result("POST", route, json=values) and [])
    assert made.gains.get(MESSAGES, 0) == notes


def test_nothing_else_of_the_context_differs_and_reads_have_one_for_all(
    partners: Callable[[bool], str], demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts = []
    act_as = admission.act_as

    def noting(root: Environment, uid: int, context: dict[str, Any]) -> Environment:
        contexts.append(context)
        return act_as(root, uid, context)

    monkeypatch.setattr(admission, "act_as", noting)
    for route in (partners(True), partners(False)):
        demo.result("GET", f"{route}?limit=1", headers={"X-Timezone": "Asia/Tokyo"})
        demo.result("POST", route, json={"name": "New"}, headers={"X-Timezone": "Asia/Tokyo"})
    read, write, quiet_read, quiet_write = contexts
    assert read == write == quiet_read
    assert quiet_write == {**write, **WITHOUT_CHATTER}
