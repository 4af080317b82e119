"""Callers that are remembered: shared by transactions not older than the last change, and no longer than good."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.auth import bearers
from app.auth.authentication import Authenticator
from app.clients import grants, store, tokens
from app.clients.tokens import Hasher
from app.operations.transactions import make_transactions
from app.web.routing import Gatehouse
from odoo_bridge import caches, credentials
from odoo_bridge.fast import principals
from odoo_bridge.transaction import Environment, Transactions
from tests.http.queries import counted_queries
from tests.odoo.test_caches import Beside, begin

Sql = Callable[..., list[tuple[Any, ...]]]
SHOWN = "what was shown"


@pytest.fixture
def transactions(app: Gatehouse, database: str, all_pieces: None) -> Transactions:
    """Transactions each of which looks, with nobody remembered."""
    found = make_transactions(database, app.services.settings)
    assert found.limits.signaling_interval == 0
    found.run(lambda root: root.registry._Registry__caches[caches.PRINCIPALS].clear())
    return found


@pytest.fixture
def user(transactions: Transactions) -> Iterator[int]:
    """A user who is active."""
    uid = transactions.run(lambda root: root["res.users"].create({"name": "Known", "login": "known"}).id)
    yield uid
    transactions.run(lambda root: root["res.users"].browse(uid).exists().unlink())


@pytest.fixture
def token(app: Gatehouse, transactions: Transactions, user: int, sql: Sql) -> Iterator[str]:
    """A token of a client app that acts as the user."""
    made = tokens.generate(tokens.ACCESS)

    def make(root: Environment) -> None:
        client = store.create(root.cr, "Principals", scopes=["read"], uid=user)
        hasher = app.services.hasher()
        grants.store_token(
            root.cr, hasher, made, tokens.ACCESS, client, uid=None, scopes=["read"], lifetime=60, family=None
        )

    transactions.run(make)
    yield made
    sql("DELETE FROM gatehouse.client WHERE name = 'Principals'")


def remember(root: Environment, **options: Any) -> None:
    """Remember something."""
    principals.remember(root, SHOWN, "found", **options)


def known(root: Environment) -> Any:
    """What is remembered of it."""
    return principals.recall(root, SHOWN)


def test_what_is_remembered_needs_no_query_and_takes_no_snapshot(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(root: Environment) -> tuple[Any, bool]:
        queries.clear()
        return known(root), bool(queries)

    transactions.run(remember)
    with counted_queries(monkeypatch, looks=True) as queries:
        assert transactions.run(again) == ("found", False)


def test_what_is_rolled_back_is_remembered_only_if_it_was_shared_before_anything_was_done(
    transactions: Transactions,
) -> None:
    transactions.run(remember, keep=False)
    assert transactions.run(known) is None

    def admitted(root: Environment) -> None:
        remember(root)
        caches.share_found(root)

    transactions.run(admitted, keep=False)
    assert transactions.run(known) == "found"


@pytest.mark.parametrize("early", [True, False])
def test_who_was_found_before_a_change_was_known_is_not_remembered_after_it(
    transactions: Transactions, token: str, sql: Sql, early: bool
) -> None:
    """The revocation commits, and is looked at, between the lookup and the moment at which it would be shared."""

    def share(root: Environment) -> None:
        if early:
            caches.share_found(root)

    old = Beside(transactions, begin, remember, share)
    old.step()
    sql("DELETE FROM gatehouse.token")
    old.step()
    transactions.run(begin)  # looks
    old.step()
    assert transactions.run(known) is None
    old.end()
    assert transactions.run(known) is None


def test_who_was_found_in_an_old_snapshot_is_forgotten_by_the_look_that_comes_after(
    transactions: Transactions, token: str, sql: Sql
) -> None:
    old = Beside(transactions, begin, remember)
    old.step()
    sql("DELETE FROM gatehouse.token")  # and nobody has looked yet
    old.step()
    old.end()
    assert transactions.run(known) is None


def test_a_revocation_that_is_not_committed_empties_nothing_and_is_seen_when_it_is(
    transactions: Transactions, token: str
) -> None:
    transactions.run(remember)
    revoking = Beside(transactions, lambda root: root.cr.execute("DELETE FROM gatehouse.token"))
    revoking.step()
    assert transactions.run(known) == "found"
    revoking.end()
    assert transactions.run(known) is None


@pytest.mark.parametrize("statement", ["UPDATE res_users SET active = false WHERE id = %s", "signal"])
def test_nobody_is_remembered_whose_user_is_gone_or_when_odoo_signals(
    transactions: Transactions, user: int, sql: Sql, statement: str
) -> None:
    transactions.run(lambda root: remember(root, users=[user]))
    assert transactions.run(known) == "found"
    if statement == "signal":
        sql("INSERT INTO orm_signaling_default DEFAULT VALUES")
    else:
        sql(statement, user)
    assert transactions.run(known) is None


def test_what_is_remembered_ends_when_it_says_and_at_the_latest_after_a_minute(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    clock = [now]
    monkeypatch.setattr(principals, "_now", lambda: clock[0])
    for until, end in ((now + 30, now + 30), (math.inf, now + 60)):
        clock[0] = now
        transactions.run(lambda root, until=until: remember(root, until=until))
        clock[0] = end - 0.01
        assert transactions.run(known) == "found"
        clock[0] = end
        assert transactions.run(known) is None


def test_a_token_is_good_as_long_as_the_database_says_and_not_a_moment_longer(
    transactions: Transactions, token: str, app: Gatehouse, sql: Sql
) -> None:
    sql("UPDATE gatehouse.token SET expires_at = now() + interval '20 s'")

    def left(root: Environment) -> tuple[float, float]:
        root.cr.execute("SELECT pg_sleep(0.3)")  # now() stays that of the transaction's beginning
        found = bearers.bearer(root.cr, app.services.hasher(), token, None)
        assert found is not None
        return found.until, time.monotonic()

    until, now = transactions.run(left)
    ((true,),) = sql("SELECT extract(epoch FROM expires_at - clock_timestamp())::float8 FROM gatehouse.token")
    assert until - time.monotonic() <= true
    assert 15 < until - now < 20 - 0.3


def test_a_key_is_not_remembered_where_an_addon_has_rules_of_its_own_for_keys(
    transactions: Transactions, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(root: Environment) -> tuple[int | None, int | None]:
        keys = root["res.users.apikeys"]
        key = keys.with_user(user).sudo()._generate("rpc", "test", None)
        found = principals.key_row(root, user, key)
        with monkeypatch.context() as patch:
            patch.setattr(type(keys), "_check_credentials", lambda self, **options: user, raising=False)
            return found, principals.key_row(root, user, key)

    found, by_an_addon = transactions.run(rows, keep=False)
    assert found is not None
    assert by_an_addon is None


def test_a_second_factor_asks_the_database_itself_who_is_active(
    transactions: Transactions, user: int, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert transactions.run(lambda root: credentials.is_active(root, user, remembered=True))
    with counted_queries(monkeypatch) as queries:
        transactions.run(lambda root: credentials.is_active(root, user))
    assert len(queries) == 1


def test_the_hash_of_a_token_depends_on_the_key_so_that_another_key_knows_nobody(app: Gatehouse) -> None:
    shown = {Authenticator(lambda key=key: Hasher(key), print)._hasher().hash("token") for key in ("one", "two")}
    assert len(shown) == 2
