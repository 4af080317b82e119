"""A session that PostgreSQL ends, in every form and at every point of a call: 503, nothing kept, and good again."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
from psycopg2 import errors as pg
from psycopg2.pool import PoolError

from app.web.error_handlers import from_database
from app.web.routing import Gatehouse
from odoo_bridge.errors import Conflict, InvalidValue, StorageFull, TooCostly, Unavailable
from odoo_bridge.transaction import Environment, attempt
from odoo_bridge.translation import is_lost_connection, translate

Sql = Callable[..., list[tuple[Any, ...]]]


class _WithoutAResult(psycopg2.ProgrammingError):
    """What psycopg2 raises where a result is asked for that never came; its connection is broken."""

    cursor = SimpleNamespace(connection=SimpleNamespace(closed=2))


class _Idle(psycopg2.InternalError):
    """psycopg2 counts the end of a session that idles in a transaction among PostgreSQL's own defects."""

    pgcode = "25P03"


@pytest.mark.parametrize(
    "error",
    [
        psycopg2.OperationalError("server closed the connection unexpectedly"),
        psycopg2.OperationalError("SSL connection has been closed unexpectedly"),
        psycopg2.OperationalError("FATAL:  the database system is in recovery mode"),
        psycopg2.OperationalError("FATAL:  the database system is starting up"),
        psycopg2.OperationalError("FATAL:  the database system is shutting down"),
        psycopg2.InterfaceError("connection already closed"),
        psycopg2.InterfaceError("cursor already closed"),
        psycopg2.DatabaseError("server closed the connection unexpectedly"),
        psycopg2.DatabaseError("error with status PGRES_TUPLES_OK and no message from the libpq"),
        psycopg2.Error("lost synchronization with server"),
        pg.AdminShutdown("terminating connection due to administrator command"),
        pg.CrashShutdown("terminating connection because of crash of another server process"),
        pg.CannotConnectNow("the database system is not yet accepting connections"),
        pg.ConnectionFailure(),
        pg.TooManyConnections(),
        _WithoutAResult("no results to fetch"),
        _Idle("terminating connection due to idle-in-transaction timeout"),
        PoolError("The Connection Pool Is Full"),
    ],
    ids=lambda error: f"{type(error).__name__}: {error}",
)
def test_every_form_of_a_lost_connection_is_unavailable(error: Exception) -> None:
    assert isinstance(translate(error), Unavailable)
    if isinstance(error, psycopg2.Error):
        found = from_database(error)
        assert (found and found.status, found and found.headers) == (503, {"Retry-After": "5"})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (pg.QueryCanceled(), TooCostly),
        (pg.SerializationFailure(), Conflict),
        (pg.DeadlockDetected(), Conflict),
        (pg.NumericValueOutOfRange(), InvalidValue),
        (pg.StatementTooComplex(), InvalidValue),
        (pg.DiskFull(), StorageFull),
        (pg.OutOfMemory(), Unavailable),
        (pg.UndefinedColumn(), type(None)),
        (psycopg2.ProgrammingError("can't adapt type 'dict'"), type(None)),
        (psycopg2.InternalError(), type(None)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_errors_of_the_database_are_no_lost_connection(error: Exception, kind: type) -> None:
    assert not is_lost_connection(error)
    assert isinstance(translate(error), kind)


@pytest.fixture
def kill(sql: Sql) -> Callable[[Environment], None]:
    """End the session of an environment."""

    def run(env: Environment) -> None:
        sql("SELECT pg_terminate_backend(%s, 5000)", env.cr._cnx.get_backend_pid())

    return run


def _touch(env: Environment) -> None:
    env["test.record"].create({"name": "lost"})
    env.flush_all()


def _in_the_middle(env: Environment, kill: Callable[[Environment], None]) -> None:
    _touch(env)
    kill(env)
    env.cr.execute("SELECT 1")


def _at_the_flush(env: Environment, kill: Callable[[Environment], None]) -> None:
    env["test.record"].create({"name": "lost"}).notes = "not flushed"
    kill(env)


def _at_the_commit(env: Environment, kill: Callable[[Environment], None]) -> None:
    _touch(env)
    kill(env)


def _in_the_rollback(env: Environment, kill: Callable[[Environment], None]) -> None:
    _touch(env)
    kill(env)
    raise LookupError


def _in_a_savepoint(env: Environment, kill: Callable[[Environment], None]) -> None:
    with attempt(env):
        _touch(env)
        kill(env)
        env.cr.execute("SELECT 1")


def _at_the_end_of_a_savepoint(env: Environment, kill: Callable[[Environment], None]) -> None:
    with attempt(env):
        _touch(env)
        kill(env)


def _behind_code_that_goes_on(env: Environment, kill: Callable[[Environment], None]) -> None:
    _touch(env)
    kill(env)
    try:
        env.cr.execute("SELECT 1")
    except psycopg2.Error:
        raise TypeError("'NoneType' object is not subscriptable") from None


@pytest.mark.parametrize(
    "phase",
    [
        _in_the_middle,
        _at_the_flush,
        _at_the_commit,
        _in_the_rollback,
        _in_a_savepoint,
        _at_the_end_of_a_savepoint,
        _behind_code_that_goes_on,
    ],
    ids=lambda phase: phase.__name__.strip("_"),
)
@pytest.mark.parametrize("keep", [True, False])
def test_a_session_that_ends_is_unavailable_at_every_point_and_keeps_nothing(
    phase: Callable[..., None], keep: bool, app: Gatehouse, kill: Callable[[Environment], None], sql: Sql
) -> None:
    transactions = app.services.transactions
    with pytest.raises(Unavailable):
        transactions.run(lambda root: phase(root, kill), keep=keep)
    assert sql("SELECT count(*) FROM test_record WHERE name = 'lost'") == [(0,)]
    assert transactions.run(lambda root: root["res.partner"].search_count([])) > 0


def test_a_connection_that_breaks_at_its_end_is_thrown_away_and_the_answer_stands(
    app: Gatehouse, monkeypatch: pytest.MonkeyPatch, sql: Sql
) -> None:
    transactions = app.services.transactions
    with monkeypatch.context() as patch:
        lost = psycopg2.DatabaseError("server closed the connection unexpectedly")

        def broken(self: Any) -> None:
            raise lost

        def work(root: Environment) -> Any:
            _touch(root)
            patch.setattr(type(root.cr), "print_log", broken)  # the first that Odoo's cursor does when it is closed
            return root.cr._cnx

        connection = transactions.run(work)
    assert connection.closed
    assert sql("DELETE FROM test_record WHERE name = 'lost' RETURNING 1") == [(1,)]
    assert transactions.run(lambda root: root.cr._cnx) is not connection
