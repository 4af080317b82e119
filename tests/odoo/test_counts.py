"""Counts are remembered for a walk, asked for with a page, and forgotten when they may no longer be so."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from psycopg2.sql import Composed

from app.web.routing import Gatehouse
from odoo_bridge import fast, records, sandbox, written_tables
from odoo_bridge.caches import COUNTS
from odoo_bridge.fast import counts
from odoo_bridge.transaction import Environment, Limits, Transactions, act_as
from odoo_bridge.types import CountMode, Length, Selection
from tests.http.queries import counted_queries

pytestmark = pytest.mark.usefixtures("all_pieces")

Sql = Callable[..., list[tuple[Any, ...]]]
NAMED = [("name", "like", "Tallied")]
MANY, LIMIT = 12, 4
#: One whose rows become a table at once, one with a join, and one that has Odoo's way (a computed field).
SELECTIONS = [
    pytest.param(Selection(("name",), {}), id="rows"),
    pytest.param(Selection(("name", "partner_id"), {}), id="joined"),
    pytest.param(Selection(("name", "length"), {}), id="computed"),
]
ROWS = Selection(("name",), {})
#: By another table: nothing of such a search is remembered but the count.
NOT_PLAIN = ["|", ("name", "like", "Tallied"), ("partner_id.name", "=", "nobody")]


@pytest.fixture
def transactions(app: Gatehouse) -> Transactions:
    return Transactions(app.services.transactions.database, Limits(signaling_interval=3600))


@pytest.fixture(autouse=True)
def time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember a number for the whole test, however slow the machine is."""
    monkeypatch.setattr(counts, "SECONDS", math.inf)


@pytest.fixture(autouse=True)
def counted(transactions: Transactions) -> Iterator[None]:
    """Committed records, and nothing that is remembered of others."""
    values = [{"name": f"Tallied {number}"} for number in range(MANY)]
    ids = transactions.run(lambda root: root["test.record"].create(values).ids)
    transactions.run(lambda root: root.registry.clear_cache())
    yield
    transactions.run(lambda root: root["test.record"].browse(ids).exists().unlink())


def page(
    offset: int, *, domain: Any = NAMED, selection: Selection = ROWS, count: CountMode = "exact"
) -> Callable[[Environment], tuple[int | None, int, bool]]:
    """Return a work that searches, and tells the length, how many rows there are, and whether more follow."""

    def work(root: Environment) -> tuple[int | None, int, bool]:
        env = act_as(root, root.ref("base.user_demo").id, {"lang": "en_US"})
        found = records.search(
            env, "test.record", list(domain), selection, order="id", limit=LIMIT, offset=offset, count=count
        )
        return found.length.number, len(found.table.ids), found.more

    return work


def create_one(root: Environment) -> None:
    root["test.record"].create({"name": "Tallied, one more"})


@pytest.fixture
def one_more(sql: Sql) -> Iterator[None]:
    """A record that another process has written."""
    sql("INSERT INTO test_record (name, active) VALUES ('Tallied by another', true)")
    yield
    sql("DELETE FROM test_record WHERE name = 'Tallied by another'")


def counting(queries: list[str]) -> list[str]:
    return [query for query in queries if "COUNT(*)" in query]


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("domain", [NAMED, NOT_PLAIN], ids=["plain", "not plain"])
def test_pages_behind_the_first_count_nothing(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch, selection: Selection, domain: Any
) -> None:
    first = transactions.run(page(0, domain=domain, selection=selection))
    with counted_queries(monkeypatch) as queries:
        second = transactions.run(page(LIMIT, domain=domain, selection=selection))
    assert (first, second) == ((MANY, LIMIT, True), (MANY, LIMIT, True))
    assert counting(queries) == []


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("offset", [0, LIMIT])
def test_page_and_count_are_one_statement_where_both_had_to_be_asked_for_before(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch, selection: Selection, offset: int
) -> None:
    monkeypatch.setattr(counts, "SECONDS", -1)  # so that the second page asks too
    with counted_queries(monkeypatch) as before:
        expected = transactions.run(page(offset, selection=selection))
    with counted_queries(monkeypatch) as queries:
        assert transactions.run(page(offset, selection=selection)) == expected == (MANY, LIMIT, True)
    assert [len([query for query in each if '"test_record"' in query]) for each in (before, queries)] == [2, 1]
    (together,) = counting(queries)
    assert "LIMIT" in together


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("offset", [0, LIMIT, 2 * LIMIT, MANY, 100])
def test_the_length_is_the_same_however_it_is_found(
    transactions: Transactions, selection: Selection, offset: int
) -> None:
    with fast.without("counts"):
        expected = transactions.run(page(offset, selection=selection))
    assert [transactions.run(page(offset, selection=selection)) for _ in range(3)] == [expected] * 3
    transactions.run(page(0, selection=selection))
    assert transactions.run(page(offset, selection=selection)) == expected


def test_nobody_counts_with_a_page_that_has_told_the_number_itself(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch, sql: Sql
) -> None:
    transactions.run(page(0))
    sql("DELETE FROM test_record WHERE name LIKE 'Tallied __'")
    sql("DELETE FROM test_record WHERE name > 'Tallied 3' AND name LIKE 'Tallied _'")
    assert transactions.run(page(0)) == (LIMIT, LIMIT, False)
    with counted_queries(monkeypatch) as queries:
        assert transactions.run(page(0)) == (LIMIT, LIMIT, False)
    assert counting(queries) == []


def test_what_another_process_writes_is_counted_at_the_next_first_page(
    transactions: Transactions, one_more: None
) -> None:
    assert transactions.run(page(0))[0] == MANY + 1


def test_a_walk_is_told_what_its_first_page_was(transactions: Transactions, sql: Sql) -> None:
    transactions.run(page(0))
    sql("DELETE FROM test_record WHERE name = 'Tallied 11'")
    assert transactions.run(page(LIMIT))[0] == MANY


def test_a_number_is_remembered_for_some_seconds_alone(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch, sql: Sql
) -> None:
    transactions.run(page(0))
    sql("DELETE FROM test_record WHERE name = 'Tallied 11'")
    monkeypatch.setattr(counts, "SECONDS", 0.0)
    assert transactions.run(page(LIMIT))[0] == MANY - 1


def test_a_write_of_this_process_has_it_counted_anew(transactions: Transactions) -> None:
    transactions.run(page(0))
    transactions.run(create_one)
    assert transactions.run(page(LIMIT))[0] == MANY + 1
    transactions.run(lambda root: root["test.record"].search([("name", "=", "Tallied, one more")]).unlink())
    assert transactions.run(page(LIMIT))[0] == MANY


def test_so_does_one_by_a_cursor_of_odoos_own(transactions: Transactions) -> None:
    def beside(root: Environment) -> None:
        with root.registry.cursor() as cr:
            root(cr=cr)["test.record"].search([("name", "=", "Tallied 11")]).unlink()

    transactions.run(page(0))
    transactions.run(beside)
    assert transactions.run(page(LIMIT))[0] == MANY - 1


_INSERT = "INSERT INTO test_record (name, active) VALUES %s"
_ROW, _COLUMNS = "Tallied, unseen", ("name", "active")


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(
            lambda cr: cr.copy_from(StringIO(f"{_ROW}\tt\n"), "test_record", columns=_COLUMNS), id="copy_from"
        ),
        pytest.param(
            lambda cr: cr.copy_expert("COPY test_record (name, active) FROM STDIN", StringIO(f"{_ROW}\tt\n")),
            id="copy_expert",
        ),
        pytest.param(lambda cr: cr.executemany(_INSERT, [((_ROW, True),)]), id="executemany"),
        pytest.param(lambda cr: cr.execute_values(_INSERT, [(_ROW, True)]), id="execute_values"),
    ],
)
def test_so_does_one_by_other_ways_of_the_cursor(
    transactions: Transactions, write: Callable[[Any], None], sql: Sql
) -> None:
    transactions.run(page(0))
    transactions.run(lambda root: write(root.cr))
    try:
        assert transactions.run(page(LIMIT))[0] == MANY + 1
    finally:
        sql("DELETE FROM test_record WHERE name = %s", _ROW)


def test_a_write_of_another_table_does_not(transactions: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    transactions.run(page(0))
    tag = transactions.run(lambda root: root["test.tag"].create({"name": "counted"}).id)
    with counted_queries(monkeypatch) as queries:
        transactions.run(page(LIMIT))
    transactions.run(lambda root: root["test.tag"].browse(tag).unlink())
    assert counting(queries) == []


def test_a_count_from_before_a_write_is_not_remembered_after_it(transactions: Transactions) -> None:
    def slow(root: Environment) -> int | None:
        length = page(0)(root)[0]
        transactions.run(create_one)  # of another call, before this one ends
        return length

    assert transactions.run(slow) == MANY
    assert transactions.run(page(LIMIT))[0] == MANY + 1
    transactions.run(lambda root: root["test.record"].search([("name", "=", "Tallied, one more")]).unlink())


def test_a_transaction_that_has_written_counts_for_itself_and_for_nobody_else(transactions: Transactions) -> None:
    def work(root: Environment) -> int | None:
        create_one(root)
        return page(LIMIT)(root)[0]

    transactions.run(page(0))
    assert transactions.run(work, keep=False) == MANY + 1
    assert transactions.run(page(LIMIT))[0] == MANY


def test_emptied_caches_have_it_counted_anew(transactions: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    transactions.run(page(0))
    transactions.run(lambda root: root.registry.clear_cache())
    with counted_queries(monkeypatch) as queries:
        transactions.run(page(LIMIT))
    assert len(counting(queries)) == 1


def test_another_user_is_told_their_own_number(transactions: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    def as_admin(root: Environment) -> int | None:
        env = act_as(root, root.ref("base.user_admin").id, {"lang": "en_US"})
        return records.search(
            env, "test.record", NAMED, ROWS, order="id", limit=LIMIT, offset=LIMIT, count="exact"
        ).length.number

    transactions.run(page(0))
    with counted_queries(monkeypatch) as queries:
        assert transactions.run(as_admin) == MANY
    assert len(counting(queries)) == 1


@pytest.mark.parametrize("fills", [True, False], ids=["fills", "uses"])
def test_test_mode_neither_fills_nor_uses_them(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch, fills: bool
) -> None:
    def trial(root: Environment) -> None:
        with sandbox.isolated(root) as place:
            page(0 if fills else LIMIT)(place)

    if not fills:
        transactions.run(page(0))
    with counted_queries(monkeypatch) as queries:
        transactions.run(trial, keep=False)
        if fills:
            queries.clear()
            transactions.run(page(LIMIT))
    assert len(counting(queries)) == 1


@pytest.mark.parametrize(
    ("remembered", "offset", "expected"),
    [
        pytest.param(5, LIMIT, MANY, id="more follow than it says"),
        pytest.param(50, 2 * LIMIT + 2, MANY, id="the last page"),
        pytest.param(50, MANY + 1, MANY, id="nothing where there should be"),
        pytest.param(MANY, MANY + 1, MANY, id="behind the end"),
    ],
)
def test_a_page_that_contradicts_the_number_corrects_it(
    transactions: Transactions, remembered: int, offset: int, expected: int
) -> None:
    transactions.run(page(0))
    shared = transactions.run(lambda root: root.registry._Registry__caches[COUNTS])
    ((key, entry),) = shared.items()
    shared[key] = counts._Entry(Length(remembered), entry.began, needless=False)
    assert transactions.run(page(offset))[0] == expected
    assert transactions.run(page(LIMIT))[0] == expected


def test_an_estimate_is_remembered_as_one(transactions: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    transactions.run(page(0, count="estimate"))
    with counted_queries(monkeypatch) as queries:
        assert transactions.run(page(LIMIT, count="estimate"))[0] == MANY
    assert counting(queries) == []


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ('INSERT INTO "res_partner" ("name") VALUES (%s)', "res_partner"),
        (b'INSERT INTO "res_partner" VALUES (1)', "res_partner"),
        ("  update res_partner set name = 'x'", "res_partner"),
        ('UPDATE ONLY "public"."res_partner" SET x = 1', "res_partner"),
        ('DELETE FROM "res_partner" WHERE id IN %s', written_tables.ALL),  # rows of others go with it
        ("WITH gone AS (DELETE FROM res_partner RETURNING id) SELECT * FROM gone", written_tables.ALL),
        ("WITH RECURSIVE t AS (SELECT 1) SELECT * FROM t", None),
        ("TRUNCATE res_partner", written_tables.ALL),
        ("SELECT 1", None),
        ("\n  select 1", None),
        ("SAVEPOINT a", None),
        ("SELECT 1;\n", None),
        ("SELECT 1; DELETE FROM res_partner", written_tables.ALL),
        ("UPDATE a SET x = 1; UPDATE b SET x = 1", written_tables.ALL),
        (Composed([]), written_tables.ALL),
    ],
    ids=str,
)
def test_a_statement_says_what_it_writes(statement: Any, table: str | None) -> None:
    assert written_tables.table(statement) == table
