"""Looks at what other processes have changed: one statement, by the watcher or by the call that comes before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.catalog import store
from app.web.routing import Gatehouse
from dev.testbed import Testbed
from odoo_bridge import caches
from odoo_bridge.looks import Version
from odoo_bridge.transaction import Environment, Limits, Transactions
from tests.http.queries import counted_queries

Sql = Callable[..., list[tuple[Any, ...]]]
COUNTER = "SELECT count(*) FROM test_record"


@pytest.fixture
def transactions(app: Gatehouse, database: str) -> Transactions:
    """Transactions each of which looks."""
    found = Transactions(database, Limits(signaling_interval=0))
    found.run(lambda root: None)
    return found


def put(root: Environment) -> None:
    """Put something into a cache."""
    root.cr.cache_view.put(root.registry._Registry__caches, caches.STATEMENTS, "mine", 1)


def is_kept(root: Environment) -> bool:
    """True if it is still there."""
    return "mine" in root.registry._Registry__caches[caches.STATEMENTS]


def test_a_look_is_one_statement_whatever_is_watched(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions.watch(Version(store.VERSION))
    transactions.watch(Version(COUNTER))
    transactions.run(lambda root: None)
    with counted_queries(monkeypatch, looks=True) as queries:
        transactions.run(lambda root: None)
    assert len(queries) == 1
    assert all(part in queries[0] for part in ("orm_signaling_registry", store.VERSION, COUNTER))


def test_a_call_reads_no_number_that_is_the_watchers_alone(
    transactions: Transactions, testbed: Testbed, database: str
) -> None:
    version = Version(store.VERSION, by_calls=False)
    transactions.watch(version)
    with testbed.server.connect(database) as outside, outside.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE gatehouse.catalog_version IN ACCESS EXCLUSIVE MODE")
        transactions.run(lambda root: None, statement_timeout=2)
        assert version.number is None
        cursor.execute("ROLLBACK")
    transactions.run(lambda root: None, look=True)
    assert version.number is not None


def test_another_number_empties_its_cache_and_the_same_does_not(transactions: Transactions) -> None:
    transactions.watch(Version(COUNTER, empties=caches.STATEMENTS))
    transactions.run(put)
    assert transactions.run(is_kept)
    transactions.run(lambda root: root["test.record"].create({"name": "one more"}))
    assert not transactions.run(is_kept)


def test_what_was_read_before_a_cache_is_emptied_is_not_put_into_it(transactions: Transactions, sql: Sql) -> None:
    transactions.watch(Version(COUNTER, empties=caches.STATEMENTS))
    transactions.run(lambda root: None)
    goes_on, began = threading.Event(), threading.Event()

    def slow(root: Environment) -> None:
        root.cr.execute("SELECT 1")
        put(root)
        began.set()
        assert goes_on.wait(30)

    thread = threading.Thread(target=transactions.run, args=(slow,))
    thread.start()
    assert began.wait(30)
    sql("INSERT INTO test_record (name) VALUES ('from outside')")
    transactions.run(lambda root: None)
    goes_on.set()
    thread.join(30)
    assert not transactions.run(is_kept)


def test_odoos_signals_are_followed_though_a_table_is_missing(transactions: Transactions, sql: Sql) -> None:
    missing = Version("SELECT version FROM gatehouse.no_such_table", empties=caches.STATEMENTS)
    transactions.watch(missing)
    transactions.watch(Version(COUNTER))
    transactions.run(put)
    assert not transactions.run(is_kept)  # nobody can tell if it is still right
    assert missing.number is None
    before = transactions.run(lambda root: root.registry.cache_sequences["default"])
    sql("INSERT INTO orm_signaling_default DEFAULT VALUES")
    assert transactions.run(lambda root: root.registry.cache_sequences["default"]) > before


def test_while_the_watcher_looks_no_call_has_to(app: Gatehouse, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    transactions = Transactions(database, Limits(signaling_interval=60))
    transactions.run(lambda root: None, look=True)
    with counted_queries(monkeypatch, looks=True) as queries:
        transactions.run(lambda root: None)
        assert queries == []
        monkeypatch.setattr(transactions, "_signaling_checked", time.monotonic() - 60)  # the watcher hangs
        transactions.run(lambda root: None)
    assert len(queries) == 1
