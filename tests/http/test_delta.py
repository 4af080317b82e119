"""Delta: contract section 10."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812

from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.followers import FIELDS, Follower, capture, expires, make, of
from tests.http.queries import counted_queries

Publish = Callable[..., str]
Root = Callable[..., Any]


@pytest.fixture
def sql_connection(app: Gatehouse) -> Iterator[Connection]:
    """A connection that can hold a transaction open."""
    connection = psycopg2.connect(**app.services.database.dsn)
    yield connection
    connection.close()


def test_a_pass_gives_all_records_in_pages_and_then_only_what_changes(
    followed: Callable[..., str], admin: Client, root: Root, mark: str
) -> None:
    ids = make(root, mark, *({"count": n} for n in range(7)))
    follower = Follower(admin, followed(domain=of(mark)), limit=3).begin()
    assert sorted(follower.records) == ids
    assert follower.told() == []
    root(lambda env: env["test.record"].browse(ids[2]).write({"count": 99}))
    assert follower.told() == [("upsert", ids[2])]
    assert follower.records[ids[2]]["count"] == 99
    (new,) = make(root, mark, {"count": 5})
    root(lambda env: env["test.record"].browse(ids[0]).unlink())
    assert follower.told() == [("removed", ids[0]), ("upsert", new)]
    assert follower.told() == []


def test_records_are_read_as_it_is_looked_for_them(
    followed: Callable[..., str], admin: Client, root: Root, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = make(root, mark, *({"count": n} for n in range(5)))
    follower = Follower(admin, followed(domain=of(mark)), limit=100).begin()
    root(lambda env: env["test.record"].browse(ids).write({"count": 99}))
    follower.settle()
    with counted_queries(monkeypatch) as queries:
        told = follower.told(at_once=True)
    assert len(told) == len(ids)
    assert len([query for query in queries if 'FROM "test_record"' in query]) == 1, queries


def _sql(env: Any, statement: str, record: Any) -> None:
    env.cr.execute(statement, (record.id,))


WRITES: list[tuple[str, Callable[[Any, Any], object]]] = [
    ("the ORM", lambda env, record: record.write({"count": 41})),
    ("SQL by hand", lambda env, record: _sql(env, "UPDATE test_record SET count = 41 WHERE id = %s", record)),
    ("a line that is added", lambda env, record: env["test.line"].create({"record_id": record.id, "name": "new"})),
    ("a line that goes", lambda env, record: record.line_ids.unlink()),
    ("a line that goes by SQL", lambda env, record: _sql(env, "DELETE FROM test_line WHERE record_id = %s", record)),
    ("a tag", lambda env, record: record.write({"tag_ids": [(0, 0, {"name": "a new one"})]})),
    ("a tag that is taken away", lambda env, record: record.write({"tag_ids": [(5,)]})),
    ("a tag that is deleted", lambda env, record: record.tag_ids.unlink()),
    ("a partner", lambda env, record: record.write({"partner_id": env.ref("base.main_partner").id})),
    ("a file", lambda env, record: record.write({"picture": PIXEL})),
    ("a translation", lambda env, record: record.with_context(lang="en_US").write({"title": "Title"})),
]  # fmt: skip
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


@pytest.mark.parametrize(("what", "write"), WRITES, ids=[what for what, _ in WRITES])
def test_whatever_writes_it_a_change_is_told_of(
    what: str, write: Callable[[Any, Any], object], followed: Callable[..., str], admin: Client, root: Root, mark: str
) -> None:
    value = {"line_ids": [(0, 0, {"name": "line"})], "tag_ids": [(0, 0, {"name": "tag"})]}
    first, second = make(root, mark, value, value)
    follower = Follower(admin, followed(domain=of(mark))).begin()
    root(lambda env: write(env, env["test.record"].browse(first)))
    assert follower.told() == [("upsert", first)]
    assert follower.records[first] == admin.result("GET", f"{follower.route}/{first}")
    assert second in follower.records


NO_CHANGES: list[tuple[str, Callable[[Any, Any], object]]] = [
    ("the same value", lambda env, record: record.write({"count": 0, "name": record.name})),
    ("the same by SQL", lambda env, record: env.cr.execute("UPDATE test_record SET count = count, write_date = now()")),
    ("a field that is not exposed", lambda env, record: record.write({"notes": "hidden"})),
    ("a line's own name", lambda env, record: record.line_ids.write({"name": "another"})),
    ("a partner's name", lambda env, record: record.partner_id.write({"name": "Another"})),
    ("a file of another field", lambda env, record: record.write({"document": PIXEL})),
]


@pytest.mark.parametrize(("what", "write"), NO_CHANGES, ids=[what for what, _ in NO_CHANGES])
def test_what_does_not_change_what_is_shown_is_no_change(
    what: str, write: Callable[[Any, Any], object], followed: Callable[..., str], admin: Client, root: Root, mark: str
) -> None:
    partner = root(lambda env: env["res.partner"].create({"name": mark}).id)
    (record,) = make(root, mark, {"count": 0, "partner_id": partner, "line_ids": [(0, 0, {"name": "line"})]})
    follower = Follower(admin, followed(domain=of(mark))).begin()
    root(lambda env: write(env, env["test.record"].browse(record)))
    assert follower.told() == []


def test_an_archived_record_is_removed_and_comes_back(
    followed: Callable[..., str], admin: Client, root: Root, mark: str
) -> None:
    (record,) = make(root, mark, {})
    follower = Follower(admin, followed(domain=of(mark))).begin()
    archiving = Follower(admin, followed(domain=[*of(mark), ["active", "in", [True, False]]])).begin()
    root(lambda env: env["test.record"].browse(record).write({"active": False}))
    assert follower.told() == [("removed", record)]
    assert archiving.told() == [("upsert", record)]
    root(lambda env: env["test.record"].browse(record).write({"count": 3}))
    assert follower.told() == []
    root(lambda env: env["test.record"].browse(record).write({"active": True}))
    assert follower.told() == [("upsert", record)]


def test_nobody_is_told_of_what_they_do_not_see(
    followed: Callable[..., str], demo: Client, other: Client, root: Root, mark: str
) -> None:
    users = root(lambda env: {u.login: u.id for u in env["res.users"].search([("login", "in", ("demo", "other"))])})
    (record,) = make(root, mark, {"owner_id": users["demo"]})
    route = followed(domain=of(mark))
    owner, stranger = Follower(demo, route).begin(), Follower(other, route).begin()
    assert (set(owner.records), set(stranger.records)) == ({record}, set())
    root(lambda env: env["test.record"].browse(record).write({"count": 1}))
    assert (owner.told(), stranger.told()) == ([("upsert", record)], [])
    root(lambda env: env["test.record"].browse(record).write({"owner_id": users["other"]}))
    assert (owner.told(), stranger.told()) == ([("removed", record)], [("upsert", record)])
    root(lambda env: env["test.record"].browse(record).write({"count": 2}))
    assert (owner.told(), stranger.told()) == ([], [("upsert", record)])
    root(lambda env: env["test.record"].browse(record).unlink())
    assert (owner.told(), stranger.told()) == ([], [("removed", record)])


def test_a_record_that_comes_and_goes_in_between_is_not_told_of(
    followed: Callable[..., str], other: Client, root: Root, mark: str
) -> None:
    follower = Follower(other, followed(domain=of(mark))).begin()
    (record,) = make(root, mark, {})
    root(lambda env: env["test.record"].browse(record).unlink())
    assert follower.told() == []


def test_a_path_of_the_domain_lets_in_and_out(
    followed: Callable[..., str], other: Client, root: Root, mark: str
) -> None:
    inside, outside = root(lambda env: env["res.partner"].create([{"name": f"{mark} in"}, {"name": f"{mark} out"}]).ids)
    ids = make(root, mark, {"partner_id": inside}, {"partner_id": outside}, {})
    route = followed(domain=[["partner_id.name", "=like", f"{mark} in%"]], fields=["name"])
    follower = Follower(other, route).begin()
    assert set(follower.records) == {ids[0]}
    root(lambda env: env["res.partner"].browse(inside).write({"name": f"{mark} inside"}))
    assert follower.told() == []  # it is seen as before, and its partner's name is not its own
    root(lambda env: env["res.partner"].browse(outside).write({"name": f"{mark} in too"}))
    assert follower.told() == [("upsert", ids[1])]
    root(lambda env: env["res.partner"].browse(inside).write({"name": f"{mark} out"}))
    assert follower.told() == [("removed", ids[0])]
    root(lambda env: env["test.record"].browse(ids[2]).write({"partner_id": outside}))
    root(lambda env: env["test.record"].browse(ids[1]).write({"partner_id": False}))
    assert follower.told() == [("removed", ids[1]), ("upsert", ids[2])]


@pytest.mark.parametrize(
    ("condition", "let_in", "let_out"),
    [
        (["line_ids.price", ">", 10], {"line_ids": [(0, 0, {"name": "dear", "price": 20})]}, {"line_ids": [(5,)]}),
        (["tag_ids.color", "=", 7], {"tag_ids": [(0, 0, {"name": "seven", "color": 7})]}, {"tag_ids": [(5,)]}),
        (["line_ids", "=", False], {"line_ids": [(5,)]}, {"line_ids": [(0, 0, {"name": "line"})]}),
        (["parent_id.parent_id.count", "=", 8], None, None),
        (["tag_ids.record_ids.flag", "=", True], None, None),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, list) else "",
)
def test_paths_through_lines_and_tags_let_in_and_out(
    condition: list[Any],
    let_in: dict[str, Any] | None,
    let_out: dict[str, Any] | None,
    followed: Callable[..., str],
    other: Client,
    root: Root,
    mark: str,
) -> None:
    tag = root(lambda env: env["test.tag"].create({"name": mark}).id)
    (grandparent,) = make(root, "g" + mark, {"tag_ids": [(6, 0, [tag])]})
    (parent,) = make(root, "p" + mark, {"parent_id": grandparent})
    start = {"line_ids": [(0, 0, {"name": "cheap", "price": 1})], "parent_id": parent, "tag_ids": [(6, 0, [tag])]}
    (record,) = make(root, mark, start)
    follower = Follower(other, followed(domain=[*of(mark), condition], fields=["name"])).begin()
    assert follower.records == {}
    far = {"count": 8, "flag": True}
    at, given = (record, let_in) if let_in is not None else (grandparent, far)
    root(lambda env: env["test.record"].browse(at).write(given))
    assert follower.told() == [("upsert", record)]
    given = let_out if let_out is not None else {"count": 0, "flag": False}
    root(lambda env: env["test.record"].browse(at).write(given))
    assert follower.told() == [("removed", record)]


def test_a_change_is_held_back_until_all_that_began_before_have_ended(
    followed: Callable[..., str], admin: Client, root: Root, mark: str, sql_connection: Connection
) -> None:
    late, early = make(root, mark, {}, {})
    follower = Follower(admin, followed(domain=of(mark))).begin()
    with sql_connection.cursor() as cr:
        cr.execute("UPDATE test_record SET count = 1 WHERE id = %s", (late,))
        root(lambda env: env["test.record"].browse(early).write({"count": 2}))
        page = admin.result("GET", f"{follower.route}/delta", query_string={"token": follower.token})
        assert (page["changes"], page["more"]) == ([], False)
        assert page["lag"] > 0
        follower.token = page["delta_token"]
        sql_connection.commit()
    assert follower.told() == [("upsert", late), ("upsert", early)]


def test_what_a_later_transaction_lets_in_comes_with_that(
    followed: Callable[..., str], admin: Client, root: Root, mark: str, sql_connection: Connection
) -> None:
    (record,) = make(root, mark, {"active": False})
    follower = Follower(admin, followed(domain=of(mark))).begin()
    root(lambda env: env["test.record"].browse(record).write({"count": 1}))
    with sql_connection.cursor() as cr:
        cr.execute("SELECT pg_current_xact_id()")
        root(lambda env: env["test.record"].browse(record).write({"active": True}))
        assert follower.told(at_once=True) == []
        assert Follower(admin, follower.route).begin(at_once=True).records == {}
        root(lambda env: env["test.record"].browse(record).write({"active": False}))
        sql_connection.commit()
    assert follower.told() == []
    root(lambda env: env["test.record"].browse(record).write({"active": True}))
    assert follower.told() == [("upsert", record)]


def test_a_large_transaction_is_told_of_in_pages(
    followed: Callable[..., str], admin: Client, root: Root, mark: str
) -> None:
    ids = make(root, mark, *[{}] * 25)
    follower = Follower(admin, followed(domain=of(mark)), limit=10).begin()
    root(lambda env: env["test.record"].browse(ids).write({"count": 7}))
    assert follower.told() == [("upsert", record) for record in ids]


def test_latest_begins_at_now(followed: Callable[..., str], admin: Client, root: Root, mark: str) -> None:
    (record,) = make(root, mark, {})
    follower = Follower(admin, followed(domain=of(mark)))
    page = admin.result("GET", f"{follower.route}/delta?token=latest")
    assert (page["changes"], page["more"]) == ([], False)
    follower.token = page["delta_token"]
    root(lambda env: env["test.record"].browse(record).write({"count": 7}))
    assert follower.told() == [("upsert", record)]


def test_the_link_header_leads_on(followed: Callable[..., str], admin: Client, root: Root, mark: str) -> None:
    make(root, mark, {}, {}, {})
    address = f"{followed(domain=of(mark))}/delta?limit=2&fields=name"
    first = admin("GET", address)
    assert first.headers["Link"].endswith('; rel="next"')
    second = admin("GET", first.headers["Link"].partition(">")[0].removeprefix("<"))
    assert [len(answer.json["result"]["records"]) for answer in (first, second)] == [2, 1]
    assert second.headers["Link"].endswith('; rel="delta"')
    third = admin("GET", second.headers["Link"].partition(">")[0].removeprefix("<"))
    assert third.json["result"]["changes"] == []


def test_parents_by_delegation_are_followed(followed: Callable[..., str], admin: Client, root: Root, mark: str) -> None:
    user = root(lambda env: env["res.users"].create({"name": mark, "login": mark}).id)
    route = followed("res.users", fields=["name", "login"], domain=[["login", "=", mark]])
    follower = Follower(admin, route).begin()
    root(lambda env: env["res.users"].browse(user).partner_id.write({"name": f"{mark} renamed"}))
    assert follower.told() == [("upsert", user)]
    assert follower.records[user]["name"] == f"{mark} renamed"


def test_without_scope_read_no_more_is_shown_than_a_search_shows(
    followed: Callable[..., str],
    anyone: Client,
    root: Root,
    mark: str,
    make_token: Callable[..., str],
    settle: Callable[[], None],
) -> None:
    (record,) = make(root, mark, {"count": 3})
    tokens = {scopes: make_token(*scopes) for scopes in (("search",), ("search", "read"))}
    route = followed(domain=of(mark), search_fields=["name"], clients=["Reader 0", "Reader 1"])
    shown = {}
    for scopes, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"}
        page = anyone.result("GET", f"{route}/delta", headers=headers)
        shown[scopes] = set(page["records"][0])
        root(lambda env: env["test.record"].browse(record).write({"count": len(shown)}))
        settle()
        address = f"{route}/delta?token={page['delta_token']}"
        changes = anyone.result("GET", address, headers=headers)["changes"]
        assert len(changes) == (1 if "read" in scopes else 0)
    assert shown == {("search",): {"id", "name"}, ("search", "read"): {"id", *FIELDS}}


@pytest.mark.parametrize("token", ["x", "AAAA", "latest2", "a" * 3000, "ä"])
def test_a_token_that_was_never_given_is_refused(token: str, followed: Callable[..., str], admin: Client) -> None:
    status, error = admin.error("GET", f"{followed()}/delta", query_string={"token": token})
    assert (status, error["data"]["name"]) == (400, "invalid_delta_token")


def test_a_token_is_good_for_its_caller_api_and_fields_alone(
    followed: Callable[..., str], admin: Client, demo: Client
) -> None:
    route, another = followed(), followed()
    token = Follower(admin, route).begin().token
    for client, path, more in ((demo, route, {}), (admin, another, {}), (admin, route, {"fields": "name"})):
        status, error = client.error("GET", f"{path}/delta", query_string={"token": token, **more})
        assert (status, error["data"]["name"]) == (400, "invalid_delta_token")


@pytest.mark.parametrize("query", ["limit=0", "limit=5000", "domain=[]", "fields=notes", "token=a&token=b&offset=1"])
def test_what_a_delta_does_not_take_is_refused(query: str, followed: Callable[..., str], admin: Client) -> None:
    status, _ = admin.error("GET", f"{followed()}/delta?{query}")
    assert status == 400


def _switch_rule(env: Any, on: bool) -> None:
    env["ir.rule"].with_context(active_test=False).search(
        [("name", "=", "Records with an owner are the owner's")]
    ).active = on


def test_a_change_of_record_rules_asks_for_a_new_pass(
    followed: Callable[..., str], other: Client, root: Root, mark: str
) -> None:
    follower = Follower(other, followed(domain=of(mark))).begin()
    root(lambda env: _switch_rule(env, False))
    try:
        assert "rules" in expires(follower)
    finally:
        root(lambda env: _switch_rule(env, True))


def test_a_change_of_groups_asks_for_a_new_pass(
    followed: Callable[..., str], other: Client, root: Root, mark: str
) -> None:
    follower = Follower(other, followed(domain=of(mark))).begin()
    group = root(lambda env: env["res.groups"].create({"name": mark}).id)

    def give(env: Any, command: int) -> None:
        env["res.users"].search([("login", "=", "other")]).write({"group_ids": [(command, group)]})

    root(lambda env: give(env, 4))
    try:
        assert "groups" in expires(follower)
    finally:
        root(lambda env: give(env, 3))


def test_a_change_of_the_definition_asks_for_a_new_pass(
    followed: Callable[..., str], admin: Client, app: Gatehouse, sql: Callable[..., Any]
) -> None:
    follower = Follower(admin, followed()).begin()
    name = app.services.catalog.snapshot.published[-1].name
    sql("UPDATE gatehouse.api SET revision = revision + 1 WHERE name = %s", name)
    app.services.catalog.refresh()
    assert "API" in expires(follower)


BREAKS = [
    ("emptied", "TRUNCATE test_line"),
    ("written anew", "ALTER TABLE test_line ALTER COLUMN price TYPE numeric USING price"),
    ("without triggers once", "ALTER TABLE test_line DISABLE TRIGGER USER; ALTER TABLE test_line ENABLE TRIGGER USER"),
    ("without one", "DROP TRIGGER gatehouse_update ON test_line"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "statement"), BREAKS, ids=[what for what, _ in BREAKS])
def test_a_break_in_the_capture_asks_for_a_new_pass(
    what: str, statement: str, followed: Callable[..., str], admin: Client, app: Gatehouse, sql: Callable[..., Any]
) -> None:
    follower = Follower(admin, followed()).begin()
    sql(statement)
    try:
        status, error = admin.error("GET", f"{follower.route}/delta", query_string={"token": follower.token})
        assert (status, error["data"]["name"]) in ((503, "delta_not_ready"), (410, "delta_expired"))
        capture(app)
        expires(follower)
        assert follower.begin().told() == []
    finally:
        sql("ALTER TABLE test_line ALTER COLUMN price TYPE float8")


def test_a_restored_database_asks_for_a_new_pass(
    followed: Callable[..., str], admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from odoo_bridge.changes import state

    follower = Follower(admin, followed()).begin()
    monkeypatch.setattr(state, "_POINT", state._POINT.replace("pg_walfile_name(pg_current_wal_lsn())", "'00000002'"))
    assert "restored" in expires(follower)


def test_what_is_older_than_the_retention_is_gone(
    followed: Callable[..., str], admin: Client, app: Gatehouse, root: Root, mark: str, sql: Callable[..., Any]
) -> None:
    from app.capture import days

    (record,) = make(root, mark, {})
    follower = Follower(admin, followed(domain=of(mark))).begin()
    root(lambda env: env["test.record"].browse(record).write({"count": 7}))
    sql("UPDATE gatehouse.changes SET at = at - interval '40 days'")
    days.drop(app.services.database, 30)
    expires(follower)
    assert sql("SELECT count(*) FROM gatehouse.changes WHERE at < now() - interval '39 days'") == [(0,)]


def test_a_delta_is_no_step_of_a_batch(followed: Callable[..., str], admin: Client) -> None:
    steps = [{"method": "GET", "path": f"{followed()}/delta"}]
    status, error = admin.error("POST", "/api/batch", json={"steps": steps})
    assert (status, error["data"]["name"]) == (400, "invalid_step")


def test_where_nothing_is_captured_yet_a_client_is_asked_to_come_again(
    publish: Publish, admin: Client, app: Gatehouse, settle: Callable[[], None]
) -> None:
    route = publish("test.tag", endpoints={"delta": True})
    answer = admin("GET", f"{route}/delta")
    assert (answer.status_code, answer.json["error"]["data"]["name"]) == (503, "delta_not_ready")
    assert "Retry-After" in answer.headers
    capture(app)
    settle()
    assert admin("GET", f"{route}/delta").status_code == 200


def test_external_ids_are_shown_where_they_are_asked_for(
    followed: Callable[..., str], admin: Client, root: Root, mark: str
) -> None:
    (record,) = make(root, mark, {})
    route = followed(domain=of(mark), upsert_keys=["external_id"])
    follower = Follower(admin, route, fields="name,external_id").begin()
    assert follower.records[record]["external_id"] == ""
    root(lambda env: env["test.record"].browse(record).write({"name": f"{mark} renamed"}))
    assert follower.told() == [("upsert", record)]


def test_the_head_of_a_stream_begins_none(followed: Callable[..., str], admin: Client, app: Gatehouse) -> None:
    answer = admin("HEAD", f"{followed()}/delta?token=latest", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert "Content-Length" not in answer.headers
    assert app.services.streams.feed.size == 0
