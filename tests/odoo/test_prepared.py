"""Statements that come again and again, on a real database."""

from __future__ import annotations

import os
import random
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg2.extensions import AsIs, ISQLQuote, adapters

from app.web.routing import Gatehouse
from odoo_bridge import connections, held_connection
from odoo_bridge.connections import Pool, SettingCursor
from odoo_bridge.errors import InvalidValue, ReadOnly
from odoo_bridge.fast import prepared
from odoo_bridge.fast.driver import TransactionConnection
from odoo_bridge.transaction import Environment, Limits, Transactions, attempt
from odoo_bridge.transaction_control import transaction_control

pytestmark = pytest.mark.usefixtures("all_pieces")

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(4, readonly=False)
    yield pool
    pool.close_all()


@pytest.fixture
def transactions(app: Gatehouse, database: str, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Transactions:
    """Transactions on a connection of their own: from the usual pool the catalog's thread may take it in between."""
    usual, here = connections.cursor, threading.get_ident()

    def cursor(name: str, settings: str) -> SettingCursor:
        if threading.get_ident() != here:
            return usual(name, settings)
        return SettingCursor(pool, name, connections._info(name, os.getpid()), settings)

    monkeypatch.setattr(connections, "cursor", cursor)
    return Transactions(database, Limits(signaling_interval=1e9))


@pytest.fixture
def template(sql: Sql) -> Any:
    """A statement that no other test has sent."""
    table = f"prepared_{random.randrange(10**9)}"
    sql(f"CREATE TABLE {table} (a int, b text)")
    sql(f"INSERT INTO {table} VALUES (1, 'one'), (2, 'two')")
    yield f"SELECT a, b FROM {table} WHERE a = %s"
    sql(f"DROP TABLE {table}")


def ask(root: Environment, statement: str, *values: Any) -> tuple[list[Any], bytes]:
    """Return the rows, and what was sent."""
    root.cr.execute(statement, values)
    return root.cr.fetchall() if root.cr.description else [], root.cr._obj.query


def sent(transactions: Transactions, statement: str, *values: Any) -> bytes:
    return transactions.run(lambda root: ask(root, statement, *values))[1]


def prepared_names(transactions: Transactions) -> list[str]:
    rows, _ = transactions.run(lambda root: ask(root, "SELECT name FROM pg_prepared_statements ORDER BY name"))
    return [name for (name,) in rows]


def often(transactions: Transactions, statement: str, *values: Any) -> None:
    for _ in range(prepared.THRESHOLD):
        assert b"EXECUTE" not in sent(transactions, statement, *values)


def test_what_comes_often_is_prepared_and_gives_the_same(transactions: Transactions, template: str) -> None:
    often(transactions, template, 1)
    rows, query = transactions.run(lambda root: ask(root, template, 2))
    assert re.search(rb"; EXECUTE gatehouse_select_prepared_\d+_[0-9a-f]{16}\(2\)$", query)
    assert rows == [(2, "two")]


def test_a_name_means_the_same_statement_on_every_connection(
    transactions: Transactions, pool: Pool, template: str
) -> None:
    def names() -> list[str]:
        for values in ((1,), ("1",)):
            sent(transactions, template, *values)
        return prepared_names(transactions)

    for _ in range(prepared.THRESHOLD):
        before = names()
    pool.close_all()
    assert (len(before), names()) == (2, before)


def test_a_value_of_another_type_is_another_statement(transactions: Transactions, template: str) -> None:
    often(transactions, template, 1)
    assert b"EXECUTE" not in sent(transactions, template, 2**40)


def test_a_connection_keeps_no_more_prepared_than_it_may_and_lets_the_oldest_go(
    transactions: Transactions, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "PREPARED_MAX", 2)
    for addition in (" AND 1 = 1", " AND 2 = 2", " AND 3 = 3"):
        often(transactions, template + addition, 1)
    assert len(prepared_names(transactions)) == 2
    assert b"EXECUTE" not in sent(transactions, template + " AND 1 = 1", 1)
    assert b"EXECUTE" in sent(transactions, template + " AND 3 = 3", 1)


def test_what_can_not_be_prepared_goes_on_as_ever(transactions: Transactions, template: str) -> None:
    # Two parameters for one literal: PostgreSQL can't know that what is selected is what is grouped by.
    grouped = template.replace("a, b", "b || %s, count(*)").replace("a = %s", "true GROUP BY b || %s")
    often(transactions, grouped, "x", "x")
    for _ in range(3):
        rows, query = transactions.run(lambda root: ask(root, grouped, "x", "x"))
        assert sorted(rows) == [("onex", 1), ("twox", 1)]
        assert b"EXECUTE" not in query


def test_a_table_that_is_locked_is_not_waited_for(transactions: Transactions, template: str, sql: Sql) -> None:
    table = template.split()[4]
    for _ in range(prepared.THRESHOLD - 1):
        sent(transactions, template, 1)

    def work(root: Environment) -> None:
        root.cr._cnx.prepared.rewritten(template, [1])  # seen often enough, and to be prepared when this is over

    locker = Transactions(transactions.database)

    def lock(root: Environment) -> None:
        root.cr.execute(f"LOCK TABLE {table}")
        transactions.run(work)  # a wait without end would be noticed here

    locker.run(lock)
    often(transactions, template, 1)
    assert b"EXECUTE" in sent(transactions, template, 1)


def test_a_changed_table_costs_another_try_and_nothing_else(
    transactions: Transactions, template: str, sql: Sql
) -> None:
    often(transactions, template, 1)
    assert b"EXECUTE" in sent(transactions, template, 1)
    sql(f"ALTER TABLE {template.split()[4]} ALTER b TYPE varchar(20)")
    tries: list[int] = []

    def work(root: Environment) -> Any:
        tries.append(1)
        with attempt(root):
            return ask(root, template, 1)

    rows, query = transactions.run(work)
    assert (len(tries), rows) == (2, [(1, "one")])
    assert b"EXECUTE" not in query
    for _ in range(prepared.THRESHOLD):
        sent(transactions, template, 1)
    assert b"EXECUTE" in sent(transactions, template, 1)


def test_statements_that_somebody_has_deallocated_cost_another_try(transactions: Transactions, template: str) -> None:
    often(transactions, template, 1)
    transactions.run(lambda root: root.cr.execute("DEALLOCATE ALL"))
    assert transactions.run(lambda root: ask(root, template, 2))[0] == [(2, "two")]


def test_a_connection_that_was_reset_costs_no_other_try(
    transactions: Transactions, template: str, pool: Pool, database: str
) -> None:
    """Odoo's own cursors reset what they take from the pool, and psycopg2 then has all that is prepared discarded."""
    often(transactions, template, 1)
    connection = pool.borrow(connections._info(database, os.getpid()))
    assert hasattr(connection, "prepared")  # the one that was used before
    pool.give_back(connection)
    tries: list[int] = []

    def work(root: Environment) -> Any:
        tries.append(1)
        return ask(root, template, 2)[0]

    assert (transactions.run(work), len(tries)) == ([(2, "two")], 1)
    assert b"EXECUTE" in sent(transactions, template, 1)  # prepared anew when the first call was over


def test_a_value_that_does_not_fit_is_refused_as_ever(transactions: Transactions, template: str) -> None:
    often(transactions, template, "1")
    assert b"EXECUTE" in sent(transactions, template, "1")
    with pytest.raises(InvalidValue):
        sent(transactions, template, "no number")


def test_one_call_waits_for_no_more_than_some_statements(transactions: Transactions, template: str) -> None:
    def many(root: Environment) -> None:
        for number in range(15):
            ask(root, f"{template} AND {number} = {number}", 1)

    for _ in range(prepared.THRESHOLD):
        transactions.run(many)
    assert len(prepared_names(transactions)) == 10
    assert len(prepared_names(transactions)) == 15


def test_behind_a_pooler_nothing_is_prepared(
    transactions: Transactions, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A pooler numbers its clients.
    monkeypatch.setattr(TransactionConnection, "get_backend_pid", lambda connection: 1)
    often(transactions, template, 1)
    often(transactions, template, 1)
    assert prepared_names(transactions) == []


def test_writing_tells_how_many_rows_it_has_written(transactions: Transactions, template: str) -> None:
    update = f"UPDATE {template.split()[4]} SET b = %s WHERE a IN %s RETURNING a"
    often(transactions, update, "new", (1, 2))

    def work(root: Environment) -> tuple[int, list[Any], bytes]:
        rows, query = ask(root, update, "newer", (1, 2))
        return root.cr.rowcount, sorted(rows), query

    count, rows, query = transactions.run(work)
    assert b"EXECUTE" in query
    assert (count, rows) == (2, [(1,), (2,)])


def test_all_models_read_and_search_the_same_prepared(transactions: Transactions) -> None:
    def everything(root: Environment) -> tuple[dict[str, Any], int]:
        found, executed = {}, 0
        for name, model in sorted(root.items()):
            if model._abstract or model._transient or not model._auto:
                continue
            records = model.with_context(active_test=False).search([("id", ">", 0)], limit=3)
            fields = [field for field, kind in model._fields.items() if kind.store and kind.type != "binary"]
            found[name] = records.read(fields)
            executed += b"EXECUTE" in root.cr._obj.query
        return found, executed

    plain, executed = transactions.run(everything)
    assert not executed
    monkey = prepared.PREPARED_MAX, prepared._COUNTED_MAX
    prepared.PREPARED_MAX, prepared._COUNTED_MAX = 2000, 10_000
    try:
        while len(prepared_names(transactions)) < 50:
            transactions.run(everything)
        again, executed = transactions.run(everything)
    finally:
        prepared.PREPARED_MAX, prepared._COUNTED_MAX = monkey
    assert executed > 10
    assert again == plain


def ask_held(root: Environment, statement: str, values: Any) -> tuple[list[Any], bytes]:
    """Do as ``ask``, on a connection that is held as it is for the methods of a GET."""
    with held_connection.held(root.cr, held_connection.ReadOnlyConnection):
        root.cr.execute(statement, values)
        return root.cr.fetchall(), root.cr._obj.query


def test_calls_that_may_only_read_prepare_too(transactions: Transactions, template: str) -> None:
    for _ in range(prepared.THRESHOLD + 1):
        rows, sent = transactions.run(lambda root: ask_held(root, template, [1]), read_only=True)
        assert rows == [(1, "one")]
    assert b"EXECUTE" in sent


def test_a_held_statement_is_judged_once(
    transactions: Transactions, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []

    def judge(text: str) -> str | None:
        judged.append(text)
        return transaction_control(text)

    monkeypatch.setattr(held_connection, "transaction_control", judge)
    for value in (1, 2, 3):
        transactions.run(lambda root, value=value: ask_held(root, template, [value]), read_only=True)  # type: ignore[misc]
    assert judged.count(template) == 1
    assert not [text for text in judged if template[:-2] in text and text != template]  # nor with its values


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("SELECT %s", [AsIs("1; COMMIT")]),
        ("SELECT %s", [[AsIs("1]; COMMIT; SELECT ARRAY[1")]]),
        ("SELECT %(a)s", {"a": AsIs("1; COMMIT")}),
        ("SELECT '%s'", ["; COMMIT; SELECT "]),
        ("SELECT 1 /* %s */", ["*/; COMMIT; /*"]),
        ("SELECT 1 -- %s", ["\n; COMMIT"]),
        ('SELECT 1 AS "%s"', ['"; COMMIT; --']),
    ],
)
def test_a_value_brings_no_sql_into_a_held_statement(statement: str, values: Any, transactions: Transactions) -> None:
    with pytest.raises(ReadOnly):
        transactions.run(lambda root: ask_held(root, statement, values), read_only=True)


def test_another_way_to_quote_texts_is_noticed(transactions: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(adapters, (str, ISQLQuote), AsIs)
    with pytest.raises(ReadOnly):
        transactions.run(lambda root: ask_held(root, "SELECT %s", ["1; COMMIT"]), read_only=True)
