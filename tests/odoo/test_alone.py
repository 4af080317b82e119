"""A call that is one statement has neither BEGIN nor COMMIT, and all that else holds for a transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

from app.web.routing import Gatehouse
from odoo_bridge import fast, records, sandbox
from odoo_bridge.errors import BridgeError, ReadOnly, TooCostly
from odoo_bridge.fast.driver import TransactionConnection, TransactionCursor
from odoo_bridge.held_connection import OwnCursor, ReadOnlyConnection
from odoo_bridge.transaction import Environment, Limits, Transactions, act_as
from odoo_bridge.types import CountMode, Selection

pytestmark = pytest.mark.usefixtures("all_pieces")

Sql = Callable[..., list[tuple[Any, ...]]]
NAME = Selection(("name",), {})


@pytest.fixture
def transactions(app: Gatehouse, database: str) -> Transactions:
    """Transactions that do not look at signals, which would be a statement of its own, but for the first."""
    transactions = Transactions(database, Limits(statement_timeout=7, signaling_interval=3600))
    transactions.run(lambda root: None)
    return transactions


def is_idle(root: Environment) -> bool:
    return bool(root.cr._cnx.is_idle)


def searching(count: CountMode) -> Callable[[Environment], bool]:
    """Return a work that searches, and tells whether the connection is idle afterwards."""

    def work(root: Environment) -> bool:
        env = act_as(root, 2, {"lang": "en_US"})
        records.search(env, "res.partner", [], NAME, order=None, limit=2, offset=0, count=count)
        return is_idle(root)

    return work


def test_a_search_begins_no_transaction_once_its_statement_is_known(transactions: Transactions) -> None:
    transactions.run(searching("none"))
    assert transactions.run(searching("none"))


def test_neither_does_a_read(transactions: Transactions) -> None:
    def work(root: Environment) -> bool:
        assert records.find(act_as(root, 2, {"lang": "en_US"}), "res.partner", [1], [], NAME).ids == (1,)
        return is_idle(root)

    transactions.run(work)
    assert transactions.run(work)


def test_two_statements_have_one_snapshot(transactions: Transactions) -> None:
    with fast.without("counts"):
        transactions.run(searching("exact"))
        assert not transactions.run(searching("exact"))


def test_a_page_and_its_count_are_one_statement_once_it_is_known_to_be_needed(transactions: Transactions) -> None:
    transactions.run(searching("exact"))
    assert transactions.run(searching("exact"))


def test_it_is_a_part_of_a_transaction_that_is_under_way(transactions: Transactions) -> None:
    def work(root: Environment) -> tuple[bool, Any]:
        root.cr.execute("CREATE TEMP TABLE only_here ON COMMIT DROP AS SELECT 7 AS number")
        root.cr.execute_alone("SELECT number FROM only_here")
        return is_idle(root), root.cr.fetchone()[0]

    assert transactions.run(work) == (False, 7)


def test_it_has_the_statement_timeout(transactions: Transactions) -> None:
    def work(root: Environment) -> Any:
        root.cr.execute_alone("SELECT current_setting('statement_timeout')")
        return root.cr.fetchone()[0]

    assert transactions.run(work, statement_timeout=3) == "3s"
    with pytest.raises(TooCostly):
        transactions.run(lambda root: root.cr.execute_alone("SELECT pg_sleep(60)"), statement_timeout=0.05)


def test_its_settings_end_with_it(transactions: Transactions) -> None:
    def work(root: Environment) -> Any:
        root.cr.execute_alone("SELECT 1")
        with root.cr._cnx.cursor() as plain:  # TransactionCursor would set them again
            return plain.connection.info.transaction_status, is_idle(root)

    assert transactions.run(work) == (0, True)

    def outside(root: Environment) -> Any:
        root.cr.execute_alone("SELECT 1")
        cursor = root.cr._cnx.cursor()
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]

    assert transactions.run(outside) == "0"


def test_a_call_that_may_only_read_can_not_write_by_it(transactions: Transactions, sql: Sql) -> None:
    with pytest.raises(ReadOnly):
        transactions.run(lambda root: root.cr.execute_alone("CREATE TABLE public.never (id int)"), read_only=True)
    assert sql("SELECT to_regclass('public.never')") == [(None,)]


def test_a_connection_that_died_while_idle_is_replaced(transactions: Transactions, sql: Sql) -> None:
    def pid(root: Environment) -> Any:
        root.cr.execute_alone("SELECT pg_backend_pid()")
        return root.cr.fetchone()[0]

    before = transactions.run(pid)
    assert sql("SELECT pg_terminate_backend(%s, 5000)", before) == [(True,)]
    assert transactions.run(pid) != before


def test_without_the_piece_it_is_a_transaction_like_any_other(transactions: Transactions) -> None:
    def work(root: Environment) -> bool:
        root.cr.execute_alone("SELECT 1")
        return is_idle(root)

    assert transactions.run(work)
    with fast.without("alone"):
        assert not transactions.run(work)


def test_it_only_reads_so_that_nothing_is_done_twice(transactions: Transactions, sql: Sql) -> None:
    with pytest.raises(ReadOnly):
        transactions.run(lambda root: root.cr.execute_alone("CREATE TABLE public.never (id int)"))
    assert sql("SELECT to_regclass('public.never')") == [(None,)]


def test_a_connection_that_is_replaced_is_held_as_the_one_before(transactions: Transactions, sql: Sql) -> None:
    pid = transactions.run(lambda root: root.cr._cnx.get_backend_pid())
    assert sql("SELECT pg_terminate_backend(%s, 5000)", pid) == [(True,)]

    def work(root: Environment) -> tuple[Any, ...]:
        with sandbox.reading(root):
            root.cr.execute("SELECT pg_backend_pid()")
            assert root.cr.fetchone()[0] != pid
            held = type(root.cr._cnx), type(root.cr._obj)
            for name in ("settings", "beginning"):
                with pytest.raises(BridgeError, match=name):
                    setattr(root.cr._cnx, name, "")
        return *held, type(root.cr._cnx), type(root.cr._obj)

    kinds = transactions.run(work, read_only=True)
    assert kinds == (ReadOnlyConnection, OwnCursor, TransactionConnection, TransactionCursor)


def test_in_test_mode_it_is_a_part_of_the_savepoint(transactions: Transactions) -> None:
    def work(root: Environment) -> int:
        with sandbox.isolated(root) as place:
            with pytest.raises(psycopg2.Error):
                place.cr.execute_alone("SELECT 1 / 0")
            place.cr.rollback()
            place.cr.execute_alone("SELECT 7")
            return int(place.cr.fetchone()[0])

    assert transactions.run(work, keep=False) == 7
