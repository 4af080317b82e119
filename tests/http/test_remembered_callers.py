"""Callers that a worker remembers: their calls ask nobody who they are, and what is taken from them is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import caches, fast
from odoo_bridge.fast import principals
from tests.http.conftest import Client, Publish, Sql
from tests.http.queries import counted_queries

pytestmark = pytest.mark.usefixtures("all_pieces")

Root = Callable[[Callable[[Any], Any]], Any]
Call = Callable[[], int]
SHOP = "Shop that is remembered"


@pytest.fixture
def user(root: Root) -> Iterator[int]:
    """An employee."""

    def make(env: Any) -> int:
        groups = [(6, 0, [env.ref("base.group_user").id])]
        values = {"name": "Known", "login": "known", "password": "known", "group_ids": groups}
        return int(env["res.users"].create(values).id)

    uid: int = root(make)
    yield uid
    root(lambda env: env["res.users"].browse(uid).exists().unlink())


@pytest.fixture
def shop(app: Gatehouse, user: int, sql: Sql) -> Iterator[dict[str, str]]:
    """The id and secret of a client app that acts as the employee."""
    made = app.test_cli_runner().invoke(args=["client", "create", SHOP, "--user", "known", "--json"])
    app.services.catalog.refresh()
    yield {name: json.loads(made.output)[name] for name in ("client_id", "client_secret")}
    sql("DELETE FROM gatehouse.client WHERE name = %s", SHOP)


@pytest.fixture
def token(anyone: Client, shop: dict[str, str]) -> str:
    """A token of the client app."""
    found: str = anyone("POST", "/api/oauth2/token", data=shop).json["access_token"]
    return found


@pytest.fixture
def key(root: Root, user: int) -> str:
    """An API key of the employee."""

    def make(env: Any) -> str:
        keys = env["res.users.apikeys"].with_user(user).sudo()
        made: str = keys._generate("rpc", "test", env.cr.now() + timedelta(days=1))
        return made

    found: str = root(make)
    return found


@pytest.fixture
def calls(anyone: Client, publish: Publish, token: str, key: str, database: str) -> dict[str, Call]:
    """Calls of each kind, by name."""

    def call(caller: Client, shown: str | None = None, **keys: Any) -> Call:
        route = publish("test.tag", **keys)
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        return lambda: caller("GET", route, headers=headers).status_code

    person = Client(anyone.http.application)  # type: ignore[arg-type]
    person.log_in(database, "known", "known")
    granted = {"clients": [SHOP]}
    return {
        "token": call(anyone, token, **granted),
        "token of a test": call(anyone, token, mode="test", **granted),
        "token for another": call(anyone, token, run_as="demo", **granted),
        "key": call(anyone, key),
        "key for another": call(anyone, key, run_as="demo"),
        "session": call(person),
        "session for another": call(person, run_as="demo"),
        "public": call(anyone, authentication="public", run_as="demo"),
    }


def counted(monkeypatch: pytest.MonkeyPatch, call: Call) -> list[str]:
    """Return the queries of a call that succeeds."""
    with counted_queries(monkeypatch) as queries:
        assert call() == 200
    return queries


def test_the_second_call_asks_for_what_it_is_about_and_for_nothing_else(
    calls: dict[str, Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, call in calls.items():
        counted(monkeypatch, call)
        second = counted(monkeypatch, call)
        assert not [query for query in second if "res_users" in query or "gatehouse." in query], name
        assert len(second) == 1 or name == "token of a test", name


def test_public_calls_as_odoos_public_user_look_nobody_up(
    app: Gatehouse, anyone: Client, publish: Publish, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = publish("res.country", authentication="public")

    def call() -> int:
        return anyone("GET", f"{route}?limit=1").status_code

    first = counted(monkeypatch, call)
    assert [query for query in counted(monkeypatch, call) if "res_users" in query] == []
    assert first


def test_switched_off_every_call_looks_its_caller_up(calls: dict[str, Call], monkeypatch: pytest.MonkeyPatch) -> None:
    with fast.without("principals"):
        for name in ("token", "key", "session for another", "public"):
            counted(monkeypatch, calls[name])
            assert [query for query in counted(monkeypatch, calls[name]) if "res_users" in query], name


def test_what_was_shown_is_nowhere_in_memory(app: Gatehouse, calls: dict[str, Call], token: str, key: str) -> None:
    for call in calls.values():
        assert call() == 200
    registry = app.services.transactions.run(lambda root: root.registry)
    kept = repr(registry._Registry__caches[caches.PRINCIPALS].snapshot)
    assert len(registry._Registry__caches[caches.PRINCIPALS]) == 5
    assert token not in kept
    assert token.split("_", 2)[2] not in kept
    assert key not in kept


#: What ends the calls, and which.
TOKENS = ("token", "token of a test", "token for another")
ENDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "the token is revoked": ("DELETE FROM gatehouse.token", TOKENS),
    "the token is over": ("UPDATE gatehouse.token SET expires_at = now()", TOKENS),
    "the token is another's": ("UPDATE gatehouse.token SET hash = 'x'", TOKENS),
    "the client app is off": ("UPDATE gatehouse.client SET active = false", TOKENS),
    "the client app is deleted": ("DELETE FROM gatehouse.client", TOKENS),
    "all client apps are gone": ("TRUNCATE gatehouse.client CASCADE", TOKENS),
    "the client app acts as nobody": ("UPDATE gatehouse.client SET uid = NULL", ("token", "token of a test")),
    "the user is switched off by SQL": (
        "UPDATE res_users SET active = false WHERE login = 'known'",
        ("token", "token of a test", "key", "key for another"),
    ),
    "the other user is switched off by SQL": (
        "UPDATE res_users SET active = false WHERE login = 'demo'",
        ("token for another", "key for another", "session for another", "public"),
    ),
    "the key is deleted": ("DELETE FROM res_users_apikeys", ("key", "key for another")),
    "the key is over": (
        "UPDATE res_users_apikeys SET expiration_date = now() AT TIME ZONE 'utc' - interval '1 s'",
        ("key", "key for another"),
    ),
    "the key is for something else": ("UPDATE res_users_apikeys SET scope = 'other'", ("key", "key for another")),
}


@pytest.mark.parametrize("what", ENDS)
def test_what_is_taken_away_beside_the_worker_is_known_to_the_next_look(
    calls: dict[str, Call], sql: Sql, what: str
) -> None:
    for _ in range(2):
        assert {call() for call in calls.values()} == {200}
    statement, ended = ENDS[what]
    try:
        sql(statement)
        statuses = {name: call() for name, call in calls.items()}
    finally:
        sql("UPDATE res_users SET active = true WHERE login IN ('demo', 'known')")
    assert {name for name, status in statuses.items() if status != 200} == set(ended)
    assert set(statuses.values()) <= {200, 401, 403}


def test_a_user_whom_odoo_switches_off_calls_no_more_in_any_way(calls: dict[str, Call], root: Root, user: int) -> None:
    assert {call() for call in calls.values()} == {200}
    root(lambda env: env["res.users"].browse(user).write({"active": False}))
    ended = {name for name, call in calls.items() if call() != 200}
    assert ended == {"token", "token of a test", "key", "key for another", "session", "session for another"}


def test_a_key_that_odoo_removes_opens_nothing(calls: dict[str, Call], root: Root, user: int) -> None:
    assert {call() for call in calls.values()} == {200}
    root(lambda env: env["res.users.apikeys"].search([("user_id", "=", user)]).sudo()._remove())
    assert {name for name, call in calls.items() if call() != 200} == {"key", "key for another"}


def test_a_session_ends_with_the_password(calls: dict[str, Call], root: Root, user: int) -> None:
    assert {call() for call in calls.values()} == {200}
    root(lambda env: env["res.users"].browse(user).write({"password": "another"}))
    assert {name for name, call in calls.items() if call() != 200} == {"session", "session for another"}


def test_fewer_scopes_hold_for_the_tokens_of_before(anyone: Client, publish: Publish, token: str, sql: Sql) -> None:
    route, headers = publish("test.tag", clients=[SHOP]), {"Authorization": f"Bearer {token}"}
    assert anyone("GET", route, headers=headers).status_code == 200
    for statement in (
        "UPDATE gatehouse.client SET scopes = array_remove(scopes, 'search')",
        "UPDATE gatehouse.token SET scopes = array_remove(scopes, 'search')",
    ):
        sql(statement)
        assert anyone.refusal("GET", route, headers=headers) == (403, "insufficient_scope")
        sql("UPDATE gatehouse.client SET scopes = scopes || '{search}'")


def test_the_client_apps_calls_are_another_users_as_soon_as_it_acts_as_another(
    anyone: Client, publish: Publish, token: str, sql: Sql
) -> None:
    route, headers = publish(clients=[SHOP]), {"Authorization": f"Bearer {token}"}

    def creator() -> str:
        anyone.result("POST", route, json={"name": "whose"}, headers=headers)
        query = "SELECT u.login FROM test_record r JOIN res_users u ON u.id = r.create_uid ORDER BY r.id DESC LIMIT 1"
        return str(sql(query)[0][0])

    assert [creator(), creator()] == ["known"] * 2
    sql("UPDATE gatehouse.client SET uid = (SELECT id FROM res_users WHERE login = 'demo')")
    assert creator() == "demo"


def test_a_token_is_over_at_its_second_though_nobody_tells(
    app: Gatehouse, calls: dict[str, Call], sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions = app.services.transactions
    sql("UPDATE gatehouse.token SET expires_at = now() + interval '1 hour'")
    assert calls["token"]() == 200
    monkeypatch.setattr(transactions, "limits", replace(transactions.limits, signaling_interval=3600))
    sql("UPDATE gatehouse.token SET expires_at = now() + interval '1 hour' - interval '1 s'")
    now = principals._now
    monkeypatch.setattr(principals, "_LONGEST", 7200)
    transactions.look()
    assert calls["token"]() == 200
    with monkeypatch.context() as patch:
        patch.setattr(principals, "_now", lambda: now() + 3600)
        entries = transactions.run(lambda root: root.registry)._Registry__caches[caches.PRINCIPALS].snapshot
        ends = [entry.until for entry in entries.values() if isinstance(entry.value, tuple)]
        assert ends  # of tokens: what else is remembered are users
        assert max(ends) < principals._now()


def test_who_revokes_a_token_finds_it_gone_in_this_worker_at_once(
    app: Gatehouse,
    anyone: Client,
    calls: dict[str, Call],
    shop: dict[str, str],
    token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transactions = app.services.transactions
    assert calls["token"]() == 200
    monkeypatch.setattr(transactions, "limits", replace(transactions.limits, signaling_interval=3600))
    assert anyone("POST", "/api/oauth2/revoke", data={**shop, "token": token}).status_code == 200
    assert calls["token"]() == 401


@pytest.mark.parametrize("is_fast", [True, False])
def test_rates_are_counted_exactly_and_uses_noted_whoever_is_remembered(
    app: Gatehouse, anyone: Client, publish: Publish, token: str, sql: Sql, is_fast: bool
) -> None:
    route = publish("test.tag", clients=[SHOP], rate_limit="5/hour")
    headers = {"Authorization": f"Bearer {token}"}
    with nullcontext() if is_fast else fast.without("principals"):
        statuses = [anyone("GET", route, headers=headers).status_code for _ in range(8)]
    assert statuses == [200] * 5 + [429] * 3
    app.services.recorder.flush()
    assert sql("SELECT count(*) FROM gatehouse.token WHERE last_used_at IS NOT NULL") == [(1,)]
    logged = sql("SELECT DISTINCT caller FROM gatehouse.request_log WHERE path = %s", route)
    assert len(logged) == 1
