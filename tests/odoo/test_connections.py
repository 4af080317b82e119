"""What a transaction finds on a connection that others have used before."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from odoo import sql_db  # noqa: TID251  the pool, which Odoo's own code shares
from odoo.modules.registry import Registry  # noqa: TID251  a cursor as Odoo's own code opens it

from app.web.routing import Gatehouse
from odoo_bridge.errors import InvalidValue, Unavailable
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


@pytest.mark.usefixtures("all_pieces")
def test_a_transaction_begins_in_the_same_message_as_its_first_statement(transactions: Transactions) -> None:
    def work(root: Environment) -> bytes:
        root.cr.commit()
        root.cr.execute("SELECT 1")
        return bytes(root.cr._obj.query)

    sent = transactions.run(work)
    assert sent.startswith(b"BEGIN ")
    assert sent.endswith(b"; SELECT 1")


def test_a_transaction_is_a_repeatable_read(transactions: Transactions) -> None:
    assert transactions.run(lambda root: ask(root, "SHOW transaction_isolation")) == "repeatable read"


def test_odoos_own_cursor_gets_from_our_connection_what_it_knows(transactions: Transactions, database: str) -> None:
    sql_db.close_all()
    pid = transactions.run(lambda root: ask(root, "SELECT pg_backend_pid()"))
    with Registry(database).cursor() as cr:
        cr.execute("SELECT pg_backend_pid(), current_setting('transaction_isolation')")
        assert cr.fetchone() == (pid, "repeatable read")
        assert cr._obj.query.startswith(b"SELECT")
        cr.execute("CREATE TEMPORARY TABLE not_ours ()")
        cr.rollback()
        cr.execute("SELECT to_regclass('not_ours')")
        assert cr.fetchone() == (None,)


@pytest.fixture
def notes(sql: Sql) -> Iterator[Callable[[], list[str]]]:
    """A table of notes that other connections see."""
    sql("CREATE TABLE IF NOT EXISTS notes (note text)")
    yield lambda: [note for (note,) in sql("SELECT note FROM notes")]
    sql("DROP TABLE notes")


def note(root: Environment, text: str) -> None:
    root.cr.execute("INSERT INTO notes VALUES (%s)", (text,))


def test_the_psycopg2_connection_commits_and_rolls_back_when_a_method_asks_it_itself(
    transactions: Transactions, notes: Callable[[], list[str]]
) -> None:
    def work(root: Environment) -> None:
        note(root, "kept")
        root.cr.connection.commit()
        note(root, "undone")
        root.cr.connection.rollback()

    transactions.run(work)
    assert notes() == ["kept"]


@pytest.mark.usefixtures("all_pieces")
def test_the_last_statement_goes_in_one_message_with_the_commit(
    transactions: Transactions, notes: Callable[[], list[str]]
) -> None:
    sent: list[bytes] = []

    def work(root: Environment) -> None:
        note(root, "first")
        for text in ("second", "last"):
            root.cr.execute_at_commit("INSERT INTO notes VALUES (%s)", (text,))
        root.cr.postcommit.add(lambda: sent.append(root.cr._obj.query))

    transactions.run(work)
    assert notes() == ["first", "second", "last"]
    assert sent == [b"INSERT INTO notes VALUES ('last'); COMMIT"]


@pytest.mark.usefixtures("all_pieces")
def test_what_only_goes_with_others_is_not_sent_by_itself(
    transactions: Transactions, notes: Callable[[], list[str]]
) -> None:
    begun: list[bool] = []

    def work(root: Environment) -> None:
        root.cr.execute_at_commit("INSERT INTO notes VALUES (%s)", ("with others",), if_begun=True)
        root.cr.precommit.add(lambda: begun.append(not root.cr._cnx.is_idle))

    transactions._signaling_checked = time.monotonic()  # nor is anything asked about others' changes
    transactions.run(work)
    assert (notes(), begun) == ([], [False])
    transactions.run(lambda root: (ask(root, "SELECT 1"), work(root)))
    assert notes() == ["with others"]


def test_what_the_orm_has_yet_to_write_comes_before_the_last_statement(transactions: Transactions, sql: Sql) -> None:
    sql("CREATE TABLE names AS SELECT name FROM res_partner WITH NO DATA")
    try:

        def work(root: Environment) -> None:
            partner = root["res.partner"].create({"name": "before"})
            root.cr.flush()
            partner.name = "after"
            root.cr.execute_at_commit("INSERT INTO names SELECT name FROM res_partner WHERE id = %s", (partner.id,))

        transactions.run(work)
        assert sql("SELECT name FROM names") == [("after",)]
    finally:
        sql("DROP TABLE names")
        sql("DELETE FROM res_partner WHERE name = 'after'")


def test_where_the_last_statement_fails_nothing_is_committed(
    transactions: Transactions, notes: Callable[[], list[str]]
) -> None:
    def work(root: Environment) -> None:
        note(root, "undone")
        root.cr.execute_at_commit("INSERT INTO notes SELECT %s / 0", (1,))

    with pytest.raises(InvalidValue):
        transactions.run(work)
    assert notes() == []


def test_a_rollback_forgets_what_was_meant_for_the_commit(
    transactions: Transactions, notes: Callable[[], list[str]]
) -> None:
    def work(root: Environment) -> None:
        root.cr.execute_at_commit("INSERT INTO notes VALUES (%s)", ("forgotten",))
        root.cr.rollback()
        note(root, "kept")

    transactions.run(work)
    assert notes() == ["kept"]


def test_a_commit_of_which_nobody_knows_is_not_tried_again(
    transactions: Transactions, notes: Callable[[], list[str]], sql: Sql
) -> None:
    def work(root: Environment) -> None:
        pid = ask(root, "SELECT pg_backend_pid()")
        root.cr.commit()
        assert sql("SELECT pg_terminate_backend(%s, 5000)", pid) == [(True,)]
        root.cr.execute_at_commit("INSERT INTO notes VALUES (%s)", ("perhaps twice",))

    with pytest.raises(Unavailable):
        transactions.run(work)
    assert notes() == []
