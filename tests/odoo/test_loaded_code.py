"""When the code of this process is compared with the addons of a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import addon_imports, loaded_code
from odoo_bridge.addon_differences import Kind
from odoo_bridge.transaction import Environment, Limits, Transactions

Sql = Callable[..., list[tuple[object, ...]]]
Found = list[tuple[str, Kind]]


@pytest.fixture
def transactions(app: Gatehouse, database: str, sql: Sql) -> Iterator[Transactions]:
    """Transactions that follow signals at once; what a test makes of the addons is taken back and signalled."""
    found = Transactions(database, Limits(signaling_interval=0))
    found.run(lambda root: None)
    yield found
    sql("DELETE FROM ir_module_module WHERE name IN ('gatehouse_nowhere', 'studio_customization')")
    sql("UPDATE ir_module_module SET state = 'installed' WHERE name = 'product'")
    signal(sql)


def install(sql: Sql, name: str = "gatehouse_nowhere") -> None:
    """Install an addon that no folder has, as far as the database goes."""
    sql("INSERT INTO ir_module_module (name, state, latest_version) VALUES (%s, 'installed', '19.0.1.0')", name)


def signal(sql: Sql) -> None:
    """Signal as Odoo does when it is done."""
    sql("INSERT INTO orm_signaling_registry DEFAULT VALUES")


def differences(transactions: Transactions) -> Found:
    """Return what is known to differ."""
    return [(difference.addon, difference.kind) for difference in transactions.current.code.differences]


def look(transactions: Transactions) -> Found:
    """Look as the watcher does, and return what differs."""
    transactions.run(lambda root: transactions.current.code.look(root.cr, root.registry))
    return differences(transactions)


def test_the_code_of_this_process_is_the_databases(transactions: Transactions) -> None:
    assert differences(transactions) == []
    assert set(addon_imports.imported) >= {"base", "web", "gatehouse_test"}


def test_work_that_follows_a_signal_knows_what_the_new_registry_lacks(transactions: Transactions, sql: Sql) -> None:
    install(sql)
    signal(sql)

    def work(root: Environment) -> Found:
        assert transactions.current.code.is_judged(root.registry)
        return differences(transactions)

    assert transactions.run(work) == [("gatehouse_nowhere", Kind.NOT_LOADED)]


def test_work_that_follows_a_signal_knows_it_also_where_another_has_loaded_the_registry(
    transactions: Transactions, database: str, sql: Sql
) -> None:
    other = Transactions(database, Limits(signaling_interval=0))
    sql("INSERT INTO orm_signaling_default DEFAULT VALUES")
    assert other.run(lambda root: other.current.code.is_judged(root.registry))


def test_it_is_over_when_odoo_has_uninstalled_it(transactions: Transactions, sql: Sql) -> None:
    install(sql)
    signal(sql)
    transactions.run(lambda root: None)
    sql("UPDATE ir_module_module SET state = 'uninstalled' WHERE name = 'gatehouse_nowhere'")
    signal(sql)
    transactions.run(lambda root: None)
    assert differences(transactions) == []


def test_rows_that_change_without_a_signal_are_waited_for(
    transactions: Transactions, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(sql)
    assert look(transactions) == []
    assert look(transactions) == []
    monkeypatch.setattr(loaded_code, "_GRACE", -1.0)
    assert look(transactions) == [("gatehouse_nowhere", Kind.NOT_LOADED)]


def test_while_odoo_is_at_work_more_time_is_left(
    transactions: Transactions, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded_code, "_GRACE", -1.0)
    install(sql)
    sql("UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'product'")
    for _ in range(3):
        assert look(transactions) == []
    sql("UPDATE ir_module_module SET state = 'installed' WHERE name = 'product'")
    look(transactions)
    assert look(transactions) == [("gatehouse_nowhere", Kind.NOT_LOADED)]


def test_a_row_that_a_killed_upgrade_has_left_hides_nothing_of_other_addons(
    transactions: Transactions, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded_code, "_GRACE_AT_WORK", -1.0)
    install(sql)
    sql("UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'product'")
    look(transactions)
    assert look(transactions) == [("gatehouse_nowhere", Kind.NOT_LOADED)]


def test_an_addon_that_is_not_loaded_still_differs_where_its_upgrade_is_scheduled(
    transactions: Transactions, sql: Sql
) -> None:
    install(sql)
    sql("UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'gatehouse_nowhere'")
    signal(sql)
    transactions.run(lambda root: None)
    assert differences(transactions) == [("gatehouse_nowhere", Kind.NOT_LOADED)]


def test_addons_without_code_need_not_be_loaded(transactions: Transactions, sql: Sql) -> None:
    install(sql, "studio_customization")
    signal(sql)
    transactions.run(lambda root: None)
    assert differences(transactions) == []


def test_files_that_come_after_an_upgrade_are_not_that_upgrades(
    transactions: Transactions, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upgrade() -> None:
        sql("UPDATE ir_module_module SET write_date = now() WHERE name = 'gatehouse_test'")
        signal(sql)
        transactions.run(lambda root: None)

    upgrade()
    assert differences(transactions) == []
    before = addon_imports.imported["gatehouse_test"]
    monkeypatch.setitem(addon_imports.imported, "gatehouse_test", replace(before, state=b"other files"))
    signal(sql)
    transactions.run(lambda root: None)
    assert differences(transactions) == []
    upgrade()
    assert differences(transactions) == [("gatehouse_test", Kind.CHANGED)]
