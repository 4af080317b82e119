"""Which records a delta tells of: domains and record rules of all shapes, and links that move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812

from app.capture import triggers
from app.web.routing import Gatehouse
from odoo_bridge.changes.needs import TableNeed
from tests.http.conftest import Client
from tests.http.followers import Follower, capture, expires, make, of

Root = Callable[..., Any]
Followed = Callable[..., str]


@pytest.fixture
def sql_connection(app: Gatehouse) -> Iterator[Connection]:
    """A connection that can hold a transaction open."""
    connection = psycopg2.connect(**app.services.database.dsn)
    yield connection
    connection.close()


@pytest.fixture
def rule(root: Root) -> Iterator[Callable[..., int]]:
    """Make a record rule; it is gone after the test."""
    made: list[int] = []

    def run(model: str, domain: str) -> int:
        def work(env: Any) -> int:
            values = {"name": "A rule of the test", "model_id": env["ir.model"]._get_id(model), "domain_force": domain}
            return int(env["ir.rule"].create(values).id)

        made.append(root(work))
        return made[-1]

    yield run
    root(lambda env: env["ir.rule"].browse(made).unlink())


def partner(root: Root, name: str) -> int:
    return int(root(lambda env: env["res.partner"].create({"name": name}).id))


def test_a_follower_lets_in_and_out(followed: Followed, admin: Client, root: Root, mark: str) -> None:
    follower_id, record = partner(root, f"{mark} follows"), partner(root, f"{mark} followed")
    domain = [["name", "=", f"{mark} followed"], ["message_partner_ids", "in", [follower_id]]]
    follower = Follower(admin, followed("res.partner", fields=["name"], domain=domain)).begin()
    assert follower.records == {}
    root(lambda env: env["res.partner"].browse(record).message_subscribe([follower_id]))
    assert follower.told() == [("upsert", record)]
    root(lambda env: env["res.partner"].browse(record).message_unsubscribe([follower_id]))
    assert follower.told() == [("removed", record)]


def test_a_search_in_python_that_is_a_statement_is_followed(
    followed: Followed, admin: Client, root: Root, mark: str
) -> None:
    record = partner(root, mark)
    root(lambda env: env["mail.message"].search([("model", "=", "res.partner"), ("res_id", "=", record)]).unlink())
    domain = [["name", "=", mark], ["has_message", "=", True]]
    follower = Follower(admin, followed("res.partner", fields=["name"], domain=domain)).begin()
    assert follower.records == {}
    root(lambda env: env["res.partner"].browse(record).message_post(body="Hello"))
    assert follower.told() == [("upsert", record)]


@pytest.mark.parametrize("link", ["partner_id", "tag_ids"])
@pytest.mark.parametrize("enters", [False, True], ids=["leaves", "enters"])
def test_a_link_that_is_moved_meanwhile_hides_no_change(
    enters: bool, link: str, followed: Followed, admin: Client, root: Root, mark: str, sql_connection: Connection
) -> None:
    is_partner = link == "partner_id"
    model, inside = "test.tag", {"name": mark, "color": 77}
    if is_partner:
        model, inside = "res.partner", {"name": f"{mark} in"}
    outside = {"name": f"{mark} out"} if is_partner else {"color": 0}
    first = root(lambda env: env[model].create(inside).id)
    if enters:
        root(lambda env: env[model].browse(first).write(outside))
    value = first if is_partner else [(6, 0, [first])]
    (record,) = make(root, mark, {link: value})
    condition = ["partner_id.name", "=", f"{mark} in"] if is_partner else ["tag_ids.color", "=", 77]
    follower = Follower(admin, followed(fields=["name"], domain=[*of(mark), condition])).begin()
    root(lambda env: env[model].browse(first).write(inside if enters else outside))
    with sql_connection.cursor() as cr:
        cr.execute("SELECT pg_current_xact_id()")
        nothing = False if is_partner else [(5,)]
        another = root(lambda env: env[model].create(inside).id) if enters else nothing
        moved = ([(6, 0, [another])] if link == "tag_ids" else another) if enters else nothing
        root(lambda env: env["test.record"].browse(record).write({link: moved}))
        follower.told(at_once=True)
        sql_connection.commit()
    follower.told()
    assert set(follower.records) == ({record} if enters else set())


def test_a_link_to_a_parent_that_moves_is_a_change(followed: Followed, admin: Client, root: Root, mark: str) -> None:
    user = root(lambda env: env["res.users"].create({"name": mark, "login": mark}).id)
    another = partner(root, f"{mark} other")
    route = followed("res.users", fields=["name", "login"], domain=[["login", "=", mark]])
    follower = Follower(admin, route).begin()
    root(lambda env: env["res.users"].browse(user).write({"partner_id": another}))
    assert follower.told() == [("upsert", user)]
    assert follower.records[user]["name"] == f"{mark} other"


def test_lines_by_res_id_are_those_of_the_model_alone(
    followed: Followed, admin: Client, root: Root, mark: str, sql: Callable[..., Any]
) -> None:
    record = partner(root, mark)
    route = followed("res.partner", fields=["name", "message_ids"], domain=[["name", "=", mark]])
    follower = Follower(admin, route).begin()
    sql(
        "INSERT INTO mail_message (model, res_id, message_type, date, body) "
        "VALUES ('res.users', %s, 'comment', now(), 'of another')",
        record,
    )
    assert follower.told() == []
    root(lambda env: env["res.partner"].browse(record).message_post(body="of this one"))
    assert follower.told() == [("upsert", record)]


def test_the_order_of_lines_is_a_part_of_the_value(followed: Followed, admin: Client, root: Root, mark: str) -> None:
    lines = [(0, 0, {"name": name, "sequence": number}) for number, name in enumerate("ab")]
    (record,) = make(root, mark, {"line_ids": lines})
    follower = Follower(admin, followed(fields=["name", "line_ids"], domain=of(mark))).begin()
    root(lambda env: env["test.record"].browse(record).line_ids[0].write({"sequence": 50}))
    assert follower.told() == [("upsert", record)]


def test_changes_that_others_alone_see_cost_no_page_each(
    followed: Followed, admin: Client, root: Root, mark: str
) -> None:
    (record,) = make(root, mark, {})
    follower = Follower(admin, followed(fields=["name", "count"], domain=[["id", "=", record]]), limit=10).begin()
    make(root, f"other {mark}", *[{}] * 500)
    root(lambda env: env["test.record"].browse(record).write({"count": 4}))
    follower.settle()
    page = admin.result("GET", f"{follower.route}/delta", query_string={"token": follower.token, "limit": 10})
    assert ([change["id"] for change in page["changes"]], page["more"]) == ([record], False)


IMPOSSIBLE = [
    ("mail.message", [], "searched in Python"),
    ("ir.attachment", [], "searched in Python"),
    ("test.record", [["moment", ">", "-3d"]], "depends on the time"),
    ("test.record", [["owner_id.create_date", ">", "now"]], "depends on the time"),
]


@pytest.mark.parametrize(("model", "domain", "reason"), IMPOSSIBLE)
def test_what_cannot_be_told_from_tables_is_refused_with_the_reason(
    model: str, domain: list[Any], reason: str, publish: Followed
) -> None:
    with pytest.raises(AssertionError, match=reason):
        publish(model, fields=["create_date"], domain=domain, endpoints={"delta": True})


@pytest.mark.parametrize("domain", ["[('moment', '>=', 'now')]", "[('gone', '=', 1)]", "[('moment', '>', no_such)]"])
def test_a_rule_that_cannot_be_followed_leaves_all_others_alone(
    domain: str, followed: Followed, admin: Client, root: Root, mark: str, app: Gatehouse, sql: Callable[..., Any]
) -> None:
    (record,) = make(root, mark, {})
    follower = Follower(admin, followed(domain=of(mark))).begin()
    tagged = Follower(admin, followed("test.tag", fields=["name"], domain=[["name", "=", mark]])).begin()
    model = sql("SELECT id FROM ir_model WHERE model = 'test.record'")[0][0]
    ((rule_id,),) = sql(
        "INSERT INTO ir_rule (name, model_id, domain_force, active, perm_read, perm_write, perm_create, perm_unlink, "
        "global) VALUES ('broken', %s, %s, true, true, true, true, true, false) RETURNING id",
        model,
        domain,
    )
    try:  # nobody's, as it is of a group without users
        capture(app)
        tag = root(lambda env: env["test.tag"].create({"name": mark}).id)
        assert tagged.told() == [("upsert", tag)]
        root(lambda env: env["test.record"].browse(record).write({"count": 3}))
        assert follower.told() == [("upsert", record)]
    finally:
        sql("DELETE FROM ir_rule WHERE id = %s", rule_id)


def test_a_rule_of_time_that_is_newer_is_told(
    followed: Followed, other: Client, rule: Callable[..., int], mark: str
) -> None:
    follower = Follower(other, followed(domain=of(mark))).begin()
    rule("test.record", "['|', ('moment', '=', False), ('moment', '>=', '-3d')]")
    expires(follower)
    status, error = other.error("GET", f"{follower.route}/delta")
    assert (status, error["data"]["name"]) in ((400, "delta_impossible"), (503, "delta_not_ready"))


def test_what_somebody_asks_for_keeps_no_values_that_nothing_needs(
    publish: Followed, admin: Client, app: Gatehouse, sql: Callable[..., Any]
) -> None:
    route = publish("test.record", fields=["name", "body"], endpoints={"delta": True})
    admin("GET", f"{route}/delta")  # before anything is captured
    capture(app)
    ((kept, watched),) = sql("SELECT kept, watched FROM gatehouse.captured WHERE name = 'test_record'")
    assert "body" in watched
    assert "body" not in kept
    assert sql("SELECT asked FROM gatehouse.captured WHERE asked_at IS NOT NULL") == []


def test_where_the_capture_is_switched_off_a_client_is_told_so(
    followed: Followed, admin: Client, app: Gatehouse
) -> None:
    route = followed()
    runner = app.test_cli_runner()
    try:
        assert runner.invoke(args=["capture", "off"]).exit_code == 0
        answer = admin("GET", f"{route}/delta")
        assert (answer.status_code, answer.json["error"]["data"]["name"]) == (503, "capture_off")
    finally:
        assert runner.invoke(args=["capture", "on"]).exit_code == 0


def _archive(root: Root, record: int, *, back: bool = False) -> None:
    root(lambda env: env["test.record"].browse(record).write({"active": back}))


def test_a_record_that_is_hidden_while_a_pass_is_read_comes_back(
    followed: Followed, admin: Client, root: Root, mark: str
) -> None:
    ids = make(root, mark, {}, {}, {})
    follower = Follower(admin, followed(fields=["name"], domain=of(mark)), limit=1)
    page = admin.result("GET", f"{follower.route}/delta?limit=1")
    _archive(root, ids[1])
    while page["more"]:
        follower.records |= {record["id"]: record for record in page["records"]}
        page = admin.result("GET", f"{follower.route}/delta?limit=1&token={page['next_token']}")
    follower.records |= {record["id"]: record for record in page["records"]}
    follower.token = page["delta_token"]
    assert set(follower.records) == {ids[0], ids[2]}
    _archive(root, ids[1], back=True)
    follower.told()
    assert set(follower.records) == set(ids)
    assert follower.told() == []


def test_a_record_that_is_hidden_while_changes_are_read_comes_back(
    followed: Followed, admin: Client, root: Root, mark: str
) -> None:
    ids = make(root, mark, {}, {}, {})
    follower = Follower(admin, followed(fields=["name"], domain=of(mark)), limit=1).begin()
    root(lambda env: [record.write({"name": f"{record.name}!"}) for record in env["test.record"].browse(ids)])
    follower.settle()
    address = f"{follower.route}/delta?limit=1&token="
    page = admin.result("GET", address + follower.token)
    _archive(root, ids[1])
    page = admin.result("GET", address + page["delta_token"])
    assert [change["op"] for change in page["changes"]] == ["removed"]
    del follower.records[ids[1]]
    follower.token = page["delta_token"]
    _archive(root, ids[1], back=True)
    follower.told()
    assert set(follower.records) == set(ids)


def test_a_path_that_hides_a_record_while_another_writes_brings_it_back(
    followed: Followed, admin: Client, root: Root, mark: str, sql_connection: Connection
) -> None:
    inside = partner(root, f"{mark} in")
    (record,) = make(root, mark, {"partner_id": inside})
    domain = [["partner_id.name", "=", f"{mark} in"]]
    follower = Follower(admin, followed(fields=["name"], domain=domain)).begin()

    def rename(name: str) -> None:
        root(lambda env: env["res.partner"].browse(inside).write({"name": f"{mark} {name}"}))

    root(lambda env: env["test.record"].browse(record).write({"name": f"{mark} renamed"}))
    with sql_connection.cursor() as cr:
        cr.execute("SELECT pg_current_xact_id()")
        rename("out")
        follower.told(at_once=True)
        rename("in")
        sql_connection.commit()
    follower.told()
    assert set(follower.records) == {record}
    assert follower.told() == []


def test_two_callers_that_no_definition_tells_of_both_get_what_they_need(
    app: Gatehouse, sql: Callable[..., Any]
) -> None:
    with app.services.database.transaction() as cr:
        triggers.ask(cr, "test_nothing", TableNeed(("id",), watched=frozenset({"count"})))
        triggers.ask(cr, "test_nothing", TableNeed(("id",), frozenset({"flag"})))
        both = triggers.asked(cr)["test_nothing"]
        cr.execute("DELETE FROM gatehouse.captured WHERE name = 'test_nothing'")
    assert (both.kept, both.watched) == ({"flag"}, {"count"})
