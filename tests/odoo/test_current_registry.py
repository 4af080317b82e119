"""A registry that can't be loaded: what is kept meanwhile, and when it is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from odoo.modules import loading  # noqa: TID251  the tests let it fail
from odoo.modules.registry import Registry  # noqa: TID251  the tests let it fail

from app.web.routing import Gatehouse
from odoo_bridge import direct_reads
from odoo_bridge.addon_imports import ImportFailed
from odoo_bridge.errors import Unavailable
from odoo_bridge.transaction import Environment, Limits, Transactions

Sql = Callable[..., list[tuple[Any, ...]]]
#: Odoo's own, for where a test lets it load again.
_NEW = Registry.__dict__["new"]


class Broken:
    """Loads of registries that fail, counted."""

    def __init__(self) -> None:
        self.tries = 0
        self.error: Exception = ImportFailed("sale", "ModuleNotFoundError: No module named 'x'")

    def new(self, *arguments: Any, **options: Any) -> None:
        """Fail, as Registry.new does."""
        self.tries += 1
        Registry.registries.pop("nothing", None)
        raise self.error


@pytest.fixture
def transactions(app: Gatehouse, database: str) -> Iterator[Transactions]:
    """Transactions that follow signals at once, alone; the registry of the other tests is put back."""
    with app.services.catalog._lock:  # its watcher would follow them as well
        registry = Registry(database)
        yield Transactions(database, Limits(signaling_interval=0, tries=1))
        Registry.registries[database] = registry


@pytest.fixture
def broken(transactions: Transactions, monkeypatch: pytest.MonkeyPatch) -> Broken:
    """No registry can be loaded from now on."""
    transactions.run(lambda root: None)
    found = Broken()
    monkeypatch.setattr(Registry, "new", found.new)
    return found


def signal(sql: Sql, name: str = "registry") -> None:
    """Signal as Odoo's other processes do."""
    sql(f"INSERT INTO orm_signaling_{name} DEFAULT VALUES")


def be_due(transactions: Transactions) -> None:
    """Let the pause be over."""
    failure = transactions.current.failure
    assert failure is not None
    transactions.current.failure = replace(failure, again=time.monotonic())


def test_the_registry_of_before_is_kept_and_operators_learn_why(
    transactions: Transactions, broken: Broken, sql: Sql
) -> None:
    before = transactions.run(lambda root: root.registry)
    signal(sql)
    assert transactions.run(lambda root: root.registry) is before
    failure = transactions.current.failure
    assert failure is not None
    assert (failure.addon, failure.kept) == ("sale", before)
    assert failure.reason == "The addon 'sale' cannot be imported: ModuleNotFoundError: No module named 'x'"


def test_calls_do_not_try_again_until_the_pause_is_over_which_grows(
    transactions: Transactions, broken: Broken, sql: Sql
) -> None:
    signal(sql)
    for _ in range(5):
        transactions.run(lambda root: None)
    assert broken.tries == 1
    pauses = []
    for _ in range(8):
        assert transactions.current.failure is not None
        pauses.append(transactions.current.failure.pause)
        be_due(transactions)
        transactions.run(lambda root: None)
    assert broken.tries == 9
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]


def test_a_database_that_is_away_for_a_moment_is_no_failure_of_a_registry(
    transactions: Transactions, broken: Broken, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = transactions.run(lambda root: root.registry)
    broken.error = psycopg2.OperationalError("the database is away")
    for _ in range(2):
        signal(sql)
        with pytest.raises(Unavailable):
            transactions.run(lambda root: None)
        assert transactions.current.failure is None
        with monkeypatch.context() as patch:
            patch.setattr(Registry, "new", _NEW)
            assert transactions.run(lambda root: root.registry) is not before
            before = transactions.run(lambda root: root.registry)


@pytest.mark.parametrize("is_kept", [True, False])
def test_an_addon_that_fails_as_if_the_database_was_away_is_not_tried_by_every_call(
    transactions: Transactions, broken: Broken, sql: Sql, is_kept: bool
) -> None:
    broken.error = psycopg2.OperationalError("a host of the addon's own is away")
    signal(sql)
    if not is_kept:
        Registry.delete(transactions.database)
    for _ in range(5):
        with suppress(Unavailable):
            transactions.run(lambda root: None)
    assert broken.tries == 2
    assert transactions.current.failure is not None
    assert (transactions.current.failure.kept is not None) == is_kept


def test_another_signal_is_worth_a_try_at_once(transactions: Transactions, broken: Broken, sql: Sql) -> None:
    for tries in (1, 2):
        signal(sql)
        transactions.run(lambda root: None)
        transactions.run(lambda root: None)
        assert broken.tries == tries


def test_rights_that_change_meanwhile_are_followed(transactions: Transactions, broken: Broken, sql: Sql) -> None:
    def parameter(root: Environment) -> Any:
        return root["ir.config_parameter"].get_param("gatehouse.kept")

    sql("INSERT INTO ir_config_parameter (key, value) VALUES ('gatehouse.kept', 'old')")
    signal(sql)
    assert transactions.run(parameter) == "old"
    sql("UPDATE ir_config_parameter SET value = 'new' WHERE key = 'gatehouse.kept'")
    signal(sql, "default")
    assert transactions.run(parameter) == "new"
    sql("UPDATE ir_config_parameter SET value = 'newer' WHERE key = 'gatehouse.kept'")
    signal(sql, "stable")
    assert transactions.run(parameter) == "newer"
    assert broken.tries == 1


def test_a_registry_whose_columns_are_gone_is_not_kept(transactions: Transactions, broken: Broken, sql: Sql) -> None:
    sql("ALTER TABLE test_record RENAME COLUMN notes TO notes_elsewhere")
    try:
        signal(sql)
        for _ in range(5):
            with pytest.raises(Unavailable) as caught:
                transactions.run(lambda root: None)
            assert caught.value.name == "registry_unavailable"
        assert broken.tries == 1
    finally:
        sql("ALTER TABLE test_record RENAME COLUMN notes_elsewhere TO notes")


def test_a_signal_is_worth_a_try_at_once_also_where_no_registry_is_kept(
    transactions: Transactions, broken: Broken, sql: Sql
) -> None:
    def call_and_look() -> int:
        for _ in range(2):
            with pytest.raises(Unavailable):
                transactions.run(lambda root: None)
            direct_reads.read(transactions.database, transactions.current.look, statement_timeout=5)
        return broken.tries

    Registry.delete(transactions.database)
    assert call_and_look() == 1
    for tries in (2, 3):
        signal(sql)
        direct_reads.read(transactions.database, transactions.current.look, statement_timeout=5)
        assert call_and_look() == tries


@pytest.mark.parametrize("is_kept", [True, False])
def test_all_is_well_once_a_load_succeeds(
    transactions: Transactions, broken: Broken, sql: Sql, monkeypatch: pytest.MonkeyPatch, is_kept: bool
) -> None:
    before = transactions.run(lambda root: root.registry)
    signal(sql)
    transactions.run(lambda root: None)
    assert transactions.current.failure is not None
    monkeypatch.undo()
    if is_kept:
        be_due(transactions)
    else:
        Registry.delete(transactions.database)
    assert transactions.run(lambda root: root.registry) is not before
    assert transactions.current.failure is None


def test_a_load_that_fails_takes_nothing_back_that_odoo_is_at_work_on(
    transactions: Transactions, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise ImportFailed("base", "no reason")

    transactions.run(lambda root: None)
    sql("UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'product'")
    try:
        with monkeypatch.context() as patch:
            patch.setattr(loading, "load_openerp_module", fail)
            signal(sql)
            transactions.run(lambda root: None)
        assert transactions.current.failure is not None
        assert sql("SELECT state FROM ir_module_module WHERE name = 'product'") == [("to upgrade",)]
    finally:
        sql("UPDATE ir_module_module SET state = 'installed' WHERE name = 'product'")


def test_a_registry_that_another_has_replaced_is_not_judged_any_more(transactions: Transactions) -> None:
    def work(root: Environment) -> None:
        before, current = root.registry, transactions.current
        Registry.new(transactions.database)
        current.judge(root.cr, Registry(transactions.database))
        current.judge(root.cr, before)
        assert not current.code.is_judged(before)
        assert current.code.is_judged(Registry(transactions.database))

    transactions.run(work)
