"""The one function that owns a transaction, seen from a second connection."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from odoo.modules.registry import Registry  # noqa: TID251  a test lets it fail
from psycopg2.errors import SerializationFailure, UndefinedColumn
from psycopg2.pool import PoolError

from app.web.routing import Gatehouse
from dev.testbed import Testbed
from odoo_bridge import deadline, errors
from odoo_bridge.transaction import Environment, Limits, Transactions, act_as

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def transactions(app: Gatehouse, database: str) -> Transactions:
    return Transactions(database, Limits(statement_timeout=1, tries=3))


def test_work_is_committed_once_it_returns(transactions: Transactions, sql: Sql) -> None:
    transactions.run(lambda root: root["test.record"].create({"name": "kept"}).id)
    assert sql("SELECT count(*) FROM test_record WHERE name = 'kept'") == [(1,)]


def test_an_exception_leaves_nothing_in_the_database_nor_in_caches(transactions: Transactions, sql: Sql) -> None:
    class Oops(Exception):
        pass

    def work(root: Environment) -> None:
        root["test.record"].create({"name": "dropped"})
        root["ir.config_parameter"].set_param("gatehouse.test", "dropped")
        root.flush_all()
        raise Oops

    with pytest.raises(Oops):
        transactions.run(work)
    assert sql("SELECT 1 FROM test_record WHERE name = 'dropped'") == []
    assert transactions.run(lambda root: root["ir.config_parameter"].get_param("gatehouse.test")) is False


def test_work_that_is_not_to_be_kept_is_rolled_back(transactions: Transactions, sql: Sql) -> None:
    name = transactions.run(lambda root: root["test.record"].create({"name": "trial"}).name, keep=False)
    assert name == "trial"
    assert sql("SELECT 1 FROM test_record WHERE name = 'trial'") == []


def test_a_serialization_failure_is_tried_again_from_the_start(transactions: Transactions, sql: Sql) -> None:
    (record_id,) = transactions.run(lambda root: root["test.record"].create({"name": "contested", "count": 0}).ids)
    turns: list[int] = []

    def work(root: Environment) -> None:
        record = root["test.record"].browse(record_id)
        seen = record.count
        turns.append(seen)
        if len(turns) == 1:
            sql("UPDATE test_record SET count = 10 WHERE id = %s", record_id)  # another process is quicker
        record.count = seen + 1

    transactions.run(work)
    assert turns == [0, 10]
    assert sql("SELECT count FROM test_record WHERE id = %s", record_id) == [(11,)]


def test_two_processes_that_write_one_record_at_once_both_succeed(
    app: Gatehouse, database: str, testbed: Testbed, sql: Sql
) -> None:
    transactions = Transactions(database)
    (record_id,) = transactions.run(lambda root: root["test.record"].create({"name": "both", "count": 0}).ids)

    def add(root: Environment) -> None:
        root["test.record"].browse(record_id).count += 1

    threads = [threading.Thread(target=transactions.run, args=(add,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sql("SELECT count, doubled FROM test_record WHERE id = %s", record_id) == [(4, 8)]


def test_what_fails_every_time_is_a_conflict(transactions: Transactions) -> None:
    turns = []

    def work(root: Environment) -> None:
        turns.append(1)
        raise SerializationFailure

    with pytest.raises(errors.Conflict):
        transactions.run(work)
    assert len(turns) == 3


def test_a_statement_that_takes_too_long_is_cut_off(transactions: Transactions) -> None:
    with pytest.raises(errors.TooCostly):
        transactions.run(lambda root: root.cr.execute("SELECT pg_sleep(5)"))


def test_a_call_has_its_own_longest_time_whatever_it_does(transactions: Transactions) -> None:
    def work(root: Environment) -> None:
        while True:
            root.cr.execute("SELECT pg_sleep(0.05)")

    began = time.monotonic()
    with deadline.within(0.3), pytest.raises(errors.TooCostly) as caught:
        transactions.run(work)
    assert caught.value.name == "call_timeout"
    assert time.monotonic() - began < 5


def test_a_statement_gets_no_more_than_is_left_of_the_call(transactions: Transactions) -> None:
    with deadline.within(0.3), pytest.raises(errors.TooCostly) as caught:
        transactions.run(lambda root: root.cr.execute("SELECT pg_sleep(60)"))
    assert caught.value.name == "call_timeout"


def test_statements_have_their_usual_time_again_once_the_limit_is_lifted(transactions: Transactions) -> None:
    def work(root: Environment) -> tuple[str, str]:
        def timeout() -> str:
            root.cr.execute("SHOW statement_timeout")
            return str(root.cr.fetchone()[0])

        within = timeout()
        deadline.lift()
        return within, timeout()

    with deadline.within(0.5):
        within, after = transactions.run(work)
    assert within.endswith("ms")
    assert after == "1s"


def test_each_try_of_a_call_has_its_limit(transactions: Transactions) -> None:
    limits = []

    def work(root: Environment) -> None:
        limits.append(deadline.remaining() is not None)
        deadline.lift()
        if len(limits) < 3:
            raise SerializationFailure

    with deadline.within(20):
        transactions.run(work)
    assert limits == [True, True, True]


def test_a_call_that_was_in_time_has_the_time_to_end(transactions: Transactions, sql: Sql) -> None:
    def work(root: Environment) -> None:
        root["test.record"].create({"name": "in time"})
        while not deadline.is_over():
            time.sleep(0.01)

    with deadline.within(0.5):
        transactions.run(work)
    assert sql("SELECT count(*) FROM test_record WHERE name = 'in time'") == [(1,)]


def test_a_constraint_of_the_database_speaks_odoos_words(transactions: Transactions) -> None:
    with pytest.raises(errors.Rejected, match="less than a million"):
        transactions.run(lambda root: root["test.record"].create({"name": "big", "count": 2_000_000}))


def test_what_another_process_changed_is_seen_although_odoo_caches_it(transactions: Transactions, sql: Sql) -> None:
    """Odoo keeps parameters in a cache; a signal of another process has to empty it."""
    fresh = Transactions(transactions.database, Limits(signaling_interval=0))
    fresh.run(lambda root: root["ir.config_parameter"].set_param("gatehouse.signal", "old"))
    assert fresh.run(lambda root: root["ir.config_parameter"].get_param("gatehouse.signal")) == "old"
    sql("UPDATE ir_config_parameter SET value = 'new' WHERE key = 'gatehouse.signal'")
    sql("INSERT INTO orm_signaling_stable DEFAULT VALUES")
    sql("INSERT INTO orm_signaling_default DEFAULT VALUES")
    assert fresh.run(lambda root: root["ir.config_parameter"].get_param("gatehouse.signal")) == "new"


def test_a_change_of_ours_is_signalled_to_other_processes(transactions: Transactions, sql: Sql) -> None:
    def last() -> Any:
        return sql("SELECT (SELECT max(id) FROM orm_signaling_stable), (SELECT max(id) FROM orm_signaling_default)")

    before = last()
    transactions.run(lambda root: root["ir.config_parameter"].set_param("gatehouse.mine", "1"))
    assert last() != before


def test_the_superuser_executes_no_calls(transactions: Transactions) -> None:
    with pytest.raises(errors.BridgeError, match="superuser"):
        transactions.run(lambda root: act_as(root, 1, {}))


def test_acting_as_a_user_is_not_acting_as_a_superuser(transactions: Transactions) -> None:
    def work(root: Environment) -> tuple[bool, int]:
        env = act_as(root, root.ref("base.user_demo").id, {})
        return env.su, env.transaction.default_env.uid

    su, uid = transactions.run(work)
    assert su is False
    assert uid != 1


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_work_that_may_only_read_writes_nothing_after_it_has_ended_its_transaction(
    end: str, transactions: Transactions, sql: Sql
) -> None:
    def work(root: Environment) -> None:
        getattr(root.cr, end)()
        root["test.record"].create({"name": f"written after a {end}"})

    with pytest.raises(errors.ReadOnly):
        transactions.run(work, read_only=True)
    assert sql("SELECT count(*) FROM test_record WHERE name = %s", f"written after a {end}") == [(0,)]
    transactions.run(
        lambda root: root["test.record"].create({"name": f"after that {end}"}).id
    )  # the connection is as new


@pytest.mark.parametrize("failure", [SerializationFailure, UndefinedColumn])
def test_what_is_committed_within_the_work_is_not_done_again(
    transactions: Transactions, sql: Sql, failure: type[Exception]
) -> None:
    def work(root: Environment) -> None:
        root["test.record"].create({"name": "committed within"})
        root.cr.commit()
        raise failure

    with pytest.raises((errors.Conflict, UndefinedColumn)) as caught:
        transactions.run(work)
    assert "again" not in str(caught.value) or "before you call again" in str(caught.value)
    assert sql("DELETE FROM test_record WHERE name = 'committed within' RETURNING 1") == [(1,)]


def test_what_fails_after_the_commit_is_not_done_again(transactions: Transactions, sql: Sql) -> None:
    def fail() -> None:
        raise SerializationFailure

    def work(root: Environment) -> None:
        root["test.record"].create({"name": "committed before"})
        root.cr.postcommit.add(fail)

    with pytest.raises(errors.Conflict):
        transactions.run(work)
    assert sql("DELETE FROM test_record WHERE name = 'committed before' RETURNING 1") == [(1,)]


def _make_phantom(root: Environment) -> None:
    model = root["ir.model"]._get("test.record").id
    root["ir.model.fields"].create({"name": "x_phantom", "model_id": model, "ttype": "char"})


@pytest.mark.parametrize("failure", ["none of its own", "one of the work's"])
def test_a_model_that_was_changed_in_place_when_the_connection_broke_is_loaded_anew(
    transactions: Transactions, sql: Sql, failure: str
) -> None:
    def work(root: Environment) -> None:
        _make_phantom(root)
        root.cr.execute("SELECT pg_backend_pid()")
        sql("SELECT pg_terminate_backend(%s, 5000)", root.cr.fetchone()[0])
        if failure == "one of the work's":
            raise LookupError  # so that nobody knows of the connection before it is rolled back

    with pytest.raises(errors.Unavailable):
        transactions.run(work)
    assert not transactions.run(lambda root: "x_phantom" in root["test.record"]._fields)
    assert not transactions.run(lambda root: root.registry.registry_invalidated)


def test_a_model_that_was_changed_in_place_and_cannot_be_set_up_again_is_loaded_anew(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(root: Environment) -> None:
        _make_phantom(root)
        monkeypatch.setattr(Registry, "reset_changes", no_connection)
        raise LookupError

    def no_connection(registry: Registry) -> None:
        raise PoolError

    with pytest.raises(errors.Unavailable):
        transactions.run(work)
    monkeypatch.undo()
    assert not transactions.run(lambda root: "x_phantom" in root["test.record"]._fields)


def test_a_call_that_waits_for_a_change_in_odoo_sees_its_signal_by_itself(
    transactions: Transactions, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other call and no watcher follows it: these have intervals and transactions of their own."""
    looks = 0
    follow = Transactions._follow_signals

    def signalled_meanwhile(self: Transactions, cr: Any) -> None:
        nonlocal looks
        looks += self is patient
        follow(self, cr)
        if self is patient and looks == 2:  # the first in the loop has found nothing
            sql("ALTER TABLE test_record RENAME COLUMN notes_elsewhere TO notes")
            sql("INSERT INTO orm_signaling_registry DEFAULT VALUES")

    transactions.run(lambda root: root.cr.execute("ALTER TABLE test_record RENAME COLUMN notes TO notes_elsewhere"))
    patient = Transactions(transactions.database, Limits(signaling_interval=3600))
    patient._signaling_checked = time.monotonic()
    monkeypatch.setattr(Transactions, "_follow_signals", signalled_meanwhile)
    monkeypatch.setattr("odoo_bridge.transaction._PATIENCE", 60)  # the change may wait for locks of other transactions
    patient.run(lambda root: root["test.record"].search_fetch([], ["notes"]))
    assert looks > 2


def test_a_call_leaves_nothing_to_the_garbage_collector(transactions: Transactions) -> None:
    def work(root: Environment) -> weakref.ref[Any]:
        return weakref.ref(act_as(root, root.ref("base.user_admin").id, {}))

    gc.disable()
    try:
        assert transactions.run(work)() is None
    finally:
        gc.enable()


def test_what_a_call_has_read_is_freed_at_its_end(transactions: Transactions) -> None:
    class Value:
        pass

    def work(root: Environment) -> weakref.ref[Value]:
        value = Value()
        partner = root.user.partner_id  # a cycle: the transaction knows environments, and these know records
        root.transaction.field_data[partner._fields["name"]][0] = value
        return weakref.ref(value)

    gc.disable()
    try:
        assert transactions.run(work)() is None
    finally:
        gc.enable()
