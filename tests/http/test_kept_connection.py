"""A connection that is kept: the same one for each transaction, a new one where it broke, and none where it is idle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest

from app.analytics.recorder import Recorder
from app.database import UNLESS_STOPPED, KeptConnection
from app.web.routing import Gatehouse
from tests.server.conftest import wait_until

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def kept(app: Gatehouse) -> Iterator[KeptConnection]:
    connection = KeptConnection(app.services.database)
    yield connection
    connection.close()


def backend(kept: KeptConnection) -> int:
    with kept.transaction() as cr:
        return cr.connection.get_backend_pid()


def is_there(sql: Sql, pid: int) -> bool:
    return bool(sql(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}"))


def test_each_transaction_has_the_same_connection(kept: KeptConnection) -> None:
    assert backend(kept) == backend(kept)


def test_a_transaction_that_raises_is_rolled_back_and_the_next_has_a_new_connection(kept: KeptConnection) -> None:
    before = backend(kept)
    with pytest.raises(psycopg2.errors.DivisionByZero), kept.transaction() as cr:
        cr.execute("CREATE TABLE gatehouse.kept_connection (); SELECT 1 / 0")
    with kept.transaction() as cr:
        cr.execute("SELECT to_regclass('gatehouse.kept_connection')")
        assert cr.fetchall() == [(None,)]
    assert backend(kept) != before


def test_a_connection_that_the_server_has_ended_is_replaced(kept: KeptConnection, sql: Sql) -> None:
    before = backend(kept)
    sql(f"SELECT pg_terminate_backend({before}, 60000)")
    assert backend(kept) != before


def test_one_that_breaks_within_a_transaction_is_replaced_for_the_next(kept: KeptConnection) -> None:
    before = backend(kept)
    with pytest.raises(psycopg2.OperationalError), kept.transaction() as cr:
        cr.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert backend(kept) != before


def test_who_comes_second_waits(kept: KeptConnection) -> None:
    pids: list[int] = []
    second = threading.Thread(target=lambda: pids.append(backend(kept)))
    with kept.transaction() as cr:
        second.start()
        second.join(0.2)
        assert second.is_alive()
        first = cr.connection.get_backend_pid()
    second.join(60)
    assert pids == [first]


def test_only_what_was_idle_for_so_long_is_closed(kept: KeptConnection, sql: Sql) -> None:
    pid = backend(kept)
    kept.close(idle=3600)
    assert is_there(sql, pid)
    kept.close()
    wait_until(lambda: not is_there(sql, pid), 60)


def test_a_server_that_has_become_writable_again_is_written_to(kept: KeptConnection, sql: Sql, database: str) -> None:
    try:
        sql(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction), kept.transaction() as cr:
            cr.execute("CREATE TABLE gatehouse.kept_connection ()")
    finally:
        sql(f'SET default_transaction_read_only = off; ALTER DATABASE "{database}" RESET default_transaction_read_only')
    with kept.transaction() as cr:
        cr.execute("CREATE TEMPORARY TABLE kept_connection ()")


def test_a_recorder_in_a_forked_process_has_a_connection_of_its_own(app: Gatehouse) -> None:
    recorder = Recorder(app.services.database, interval=3600)
    recorder.token_used("nobody's")
    of_parent, recorder._pid = recorder._connection, None  # as in a child, whose process id is another
    recorder.token_used("nobody's")
    assert recorder._connection is not of_parent
    recorder.stop()


def test_the_recorder_closes_its_connection_where_nothing_comes(
    app: Gatehouse, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.analytics.recorder.PATIENCE", 0.1)
    recorder = Recorder(app.services.database, interval=0.05)
    recorder.token_used("nobody's")
    pid = backend(recorder._connection)
    wait_until(lambda: not is_there(sql, pid), 60)
    recorder.stop()


def test_a_recorder_waits_longer_while_the_database_is_away(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []

    def fail(*arguments: object) -> None:
        tries.append(time.monotonic())
        raise psycopg2.OperationalError

    monkeypatch.setattr("app.analytics.recorder.RETRY", 3600)
    recorder = Recorder(app.services.database, interval=0.01)
    with monkeypatch.context() as patch:
        patch.setattr(recorder._uses, "write", fail)
        recorder.token_used("nobody's")
        wait_until(lambda: bool(tries), 60)
        time.sleep(0.2)  # for twenty tries, if it did not wait
    assert len(tries) == 1
    recorder.stop()


def stop_amid(kept: KeptConnection, sql: Sql) -> None:
    """Do nothing more in a transaction until it has ended, and then go on with it."""
    with kept.transaction() as cr:
        pid = cr.connection.get_backend_pid()
        cr.execute("SELECT pg_advisory_xact_lock(7)")
        wait_until(lambda: not is_there(sql, pid), 60)
        cr.execute("SELECT 1")


def test_a_transaction_whose_process_has_stopped_ends_and_lets_others_at_its_rows(
    kept: KeptConnection, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.UNLESS_STOPPED", UNLESS_STOPPED.replace("10s", "100ms"))
    before = backend(kept)
    with pytest.raises(psycopg2.Error):
        stop_amid(kept, sql)
    assert backend(kept) != before
