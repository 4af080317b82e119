"""What a transaction finds on a connection that others have used before."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.routing import Gatehouse
from odoo_bridge.errors import InvalidValue
from odoo_bridge.transaction import Environment, Limits, Transactions, attempt

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def transactions(app: Gatehouse, database: str) -> Transactions:
    return Transactions(database, Limits(statement_timeout=7))


def ask(root: Environment, statement: str) -> Any:
    root.cr.execute(statement)
    return root.cr.fetchone()[0]


def test_a_connection_that_died_while_idle_is_replaced_and_the_call_goes_on(
    transactions: Transactions, sql: Sql
) -> None:
    pid = transactions.run(lambda root: ask(root, "SELECT pg_backend_pid()"))
    assert sql("SELECT pg_terminate_backend(%s, 5000)", pid) == [(True,)]
    assert transactions.run(lambda root: ask(root, "SELECT pg_backend_pid()")) != pid


def test_a_connection_is_used_again(transactions: Transactions) -> None:
    assert transactions.run(lambda root: ask(root, "SELECT pg_backend_pid()")) == transactions.run(
        lambda root: ask(root, "SELECT pg_backend_pid()")
    )


def test_what_a_call_has_set_for_its_session_does_not_reach_the_next(transactions: Transactions) -> None:
    def work(root: Environment) -> int:
        root.cr.execute("SET work_mem = '77MB'")
        return int(ask(root, "SELECT pg_backend_pid()"))

    pid = transactions.run(work)
    after = transactions.run(lambda root: (ask(root, "SHOW work_mem"), ask(root, "SELECT pg_backend_pid()")))
    assert after[1] == pid
    assert after[0] != "77MB"


@pytest.mark.parametrize("first", ["savepoint", "copy", "bytes"])
def test_the_limits_hold_whatever_comes_first(transactions: Transactions, first: str) -> None:
    def work(root: Environment) -> str:
        if first == "savepoint":
            with pytest.raises(InvalidValue), attempt(root):
                root.cr.execute("SELECT 1/0")
        elif first == "copy":
            root.cr.copy_expert("COPY (SELECT 1) TO STDOUT", io.StringIO())
        else:
            root.cr.execute(b"SELECT 1")
        return str(ask(root, "SHOW statement_timeout") + ask(root, "SHOW transaction_read_only"))

    assert transactions.run(work, read_only=True) == "7son"


def test_settings_do_not_stay_when_the_transaction_is_over(transactions: Transactions) -> None:
    transactions.run(lambda root: ask(root, "SELECT 1"), read_only=True, statement_timeout=3)
    assert transactions.run(lambda root: ask(root, "SHOW transaction_read_only")) == "off"
    assert transactions.run(lambda root: ask(root, "SHOW statement_timeout")) == "7s"


def test_calls_at_the_same_time_have_connections_of_their_own(transactions: Transactions) -> None:
    together = threading.Barrier(3, timeout=20)
    pids: list[int] = []

    def work(root: Environment) -> None:
        pids.append(ask(root, "SELECT pg_backend_pid()"))
        together.wait()

    threads = [threading.Thread(target=transactions.run, args=(work,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pids)) == 3
