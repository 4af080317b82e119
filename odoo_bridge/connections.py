"""Connections to Odoo's database, without the round trips that a short call can do without.

Odoo resets a connection each time that it is taken from the pool: two round trips before the first query. Here the
reset rides on the first statement of a transaction, together with the transaction's own settings.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Sequence
from typing import Any

import psycopg2
from odoo import sql_db
from odoo.sql_db import MAX_IDLE_TIMEOUT, ConnectionPool, Cursor
from odoo.tools import config
from psycopg2.pool import PoolError

from . import deadline, written_tables
from .deadline import CallTimeout
from .fast import is_on
from .fast.driver import TransactionConnection, TransactionCursor
from .translation import SCARCE, is_lost_connection

#: What begins statements that only end a part of the transaction (see ``odoo.sql_db.BaseCursor.savepoint``).
_ENDS = ("SAVEPOINT", "ROLLBACK", "RELEASE")
#: Odoo's own level (see ``odoo.sql_db.Cursor``).
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ"


class Pool(ConnectionPool):  # type: ignore[misc]
    """Odoo's pool, from which a connection can also be had as the last call has left it."""

    def borrow_as_it_is(self, info: dict[str, Any]) -> TransactionConnection:
        """Return a connection that was used lately, without asking the database whether it still lives.

        Where there is none it comes from ``borrow``, which resets it.
        """
        with self._lock:
            for connection in reversed(self._connections) if is_on("round_trips") else ():
                if (
                    not connection._pool_in_use
                    and not connection.closed
                    and time.time() - connection._pool_last_used < MAX_IDLE_TIMEOUT
                    and connection._pool_info is info
                ):
                    connection._pool_in_use = True
                    return connection  # type: ignore[no-any-return]
        return self.borrow_anew(info)

    def borrow_anew(self, info: dict[str, Any]) -> TransactionConnection:
        """Return a connection that was reset, or a new one, for those that take it as it is later."""
        connection: TransactionConnection = self.borrow(info)
        connection._pool_info = info
        return connection

    def borrow(self, info: dict[str, Any]) -> Any:
        """Return a connection that was reset, or a new one; see ``odoo.sql_db.ConnectionPool.borrow``."""
        connection = super().borrow(info)
        if isinstance(connection, TransactionConnection):
            connection.leave_to_psycopg2()
            connection._pool_info = None  # who takes it as it is shall not find what Odoo's own cursors leave
        return connection


class _Beginning:
    """A pool whose connections begin transactions with ``settings``, and are not reset; what Odoo's cursor needs."""

    def __init__(self, pool: Pool, settings: str) -> None:
        self.readonly = pool.readonly
        self.give_back = pool.give_back
        self._pool = pool
        self._settings = settings

    def borrow(self, info: dict[str, Any]) -> TransactionConnection:
        """Return a connection on which no transaction is under way."""
        connection = self._pool.borrow_as_it_is(info)
        connection.begin_with(_BEGIN, self._settings)
        return connection


def _unseen(name: str) -> Any:
    """Return a method of psycopg2's cursor that goes past ``execute``: which tables it writes is not known."""

    def method(cr: SettingCursor, *arguments: Any, **options: Any) -> Any:
        cr.written_tables |= {written_tables.ALL}
        return getattr(cr._obj, name)(*arguments, **options)

    return method


class SettingCursor(Cursor):  # type: ignore[misc]
    """A cursor each of whose transactions begins with some settings, in one round trip with its first statement.

    So they hold after a commit or a rollback of the work itself too.
    """

    _cnx: TransactionConnection
    _obj: TransactionCursor
    commits: int
    #: Whether what this thread has declared old is all this cursor's: not within the transaction of another one.
    ends_changes = True
    #: Seconds that the settings give a statement; with less left of the call it gets no more than that.
    patience = 0.0
    #: Tables that the transaction has written.
    written_tables: frozenset[str] = frozenset()
    #: What statements have in this transaction, where it was set anew; 0 where that is not known.
    _limit: float | None = None

    def __init__(self, pool: Pool, database: str, info: dict[str, Any], settings: str) -> None:
        """``settings`` are SQL statements without parameters."""
        self._info = info
        self._settings = f"RESET ALL; {settings}"
        self._reset_pool = pool
        self._last: list[tuple[str, Sequence[Any], bool]] = []
        super().__init__(_Beginning(pool, self._settings), database, info)
        self._obj = self._cnx.cursor(cursor_factory=TransactionCursor)

    def execute(self, query: Any, params: Any = None, log_exceptions: bool = True) -> None:
        """Run a query; see ``odoo.sql_db.Cursor.execute``. Raises CallTimeout where the call's time is over."""
        left = deadline.remaining()
        is_end = isinstance(query, str) and query.startswith(_ENDS)
        if left is not None and left < self.patience and not is_end:
            self._execute_within(left, query, params, log_exceptions)
            return
        if not is_end:
            self._unlimit()
        self._execute_here(query, params, log_exceptions)
        if is_end:
            self._limit = self._limit and 0.0  # what holds after a ROLLBACK TO is not known

    def execute_alone(self, query: Any, params: Any = None, log_exceptions: bool = True) -> None:
        """Run a query that is all that its call asks of the database: without BEGIN and COMMIT, in one round trip.

        Where a transaction is under way it is a part of that.
        """
        left = deadline.remaining()
        if not is_on("alone") or not self._cnx.is_idle or (left is not None and left < self.patience):
            self.execute(query, params, log_exceptions)
            return
        self._obj.alone = True
        try:
            self._execute_first(query, params, log_exceptions)
        finally:
            self._obj.alone = False

    def _execute_within(self, left: float, query: Any, params: Any, log_exceptions: bool) -> None:
        """Run a query that gets less time than others, because the call has no more."""
        if left <= 0:
            raise CallTimeout
        # To the second, or a tenth: each change is a round trip.
        if self._limit is None or not left <= self._limit <= left + max(1.0, left / 10):
            self._limit_to(left)
        try:
            self._execute_here(query, params, log_exceptions)
        except psycopg2.errors.QueryCanceled as error:
            raise CallTimeout from error

    def _limit_to(self, seconds: float) -> None:
        """Give statements so much time for the rest of the transaction."""
        self._execute_here(f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}", None, True)
        self._limit = seconds

    def _unlimit(self) -> None:
        """Give statements what they have by the settings again, where they had less."""
        if self._limit is not None and self._limit != self.patience:
            self._limit_to(self.patience)

    def _execute_here(self, query: Any, params: Any, log_exceptions: bool) -> None:
        if (is_on("counts") or is_on("foresight")) and (table := written_tables.table(query)):
            self.written_tables |= {table}
        if self._cnx.is_idle:
            self._execute_first(query, params, log_exceptions)
        else:
            super().execute(query, params, log_exceptions)

    def _execute_first(self, query: Any, params: Any, log_exceptions: bool) -> None:
        """Run the first query of a transaction."""
        try:
            super().execute(query, params, log_exceptions)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            if not self._cnx.closed or self._obj.ending:
                raise
            # The connection had died while it was idle. Nothing of this transaction is lost: it is the first statement,
            # and it does not commit at once, of which nobody would know whether it has.
            self._reconnect()
            super().execute(query, params, log_exceptions)

    copy_expert = _unseen("copy_expert")
    copy_from = _unseen("copy_from")
    executemany = _unseen("executemany")

    def execute_at_commit(self, query: str, params: Sequence[Any], *, if_begun: bool = False) -> None:
        """Run a query as the last of the transaction, after all that Odoo writes, in one round trip with its commit.

        Where it fails nothing is committed; a rollback forgets it. ``if_begun``: not where it would be the only one.
        """
        self._last.append((query, params, if_begun))

    def commit(self) -> None:
        """Commit; ``commits`` tells how often that was done. It is the end of a call that was in time."""
        with deadline.lifted():
            self._commit_all()

    def _commit_all(self) -> None:
        last, self._last = self._last, []
        if last:
            self.flush()
        if self._cnx.is_idle:
            last = [(query, params, if_begun) for query, params, if_begun in last if not if_begun]
        if last:
            *others, (query, params, _) = last
            for other, its_params, _ in others:
                self.execute(other, its_params)
            self._unlimit()
            self._obj.ending = "COMMIT"
            try:
                self.execute(query, params)
            finally:
                self._obj.ending = ""
        super().commit()
        self._limit, self.written_tables = None, frozenset()

    def rollback(self) -> None:
        """Roll back, and forget what should have been done at the commit."""
        self._last = []
        super().rollback()
        self._limit, self.written_tables = None, frozenset()

    def close(self) -> None:
        """Close, and give the connection back; see ``odoo.sql_db.Cursor.close``.

        A connection that breaks on the way is thrown away: what was to be done has been, or has failed before.
        """
        try:
            if not self.closed and self._cnx.prepared.is_behind and self._cnx.is_idle:
                self._cnx.prepared.catch_up(self._cnx)
            super().close()
        except psycopg2.Error as error:
            if not (is_lost_connection(error) or isinstance(error, SCARCE)):
                raise
            self._closed = True
            self._throw_away()

    def _throw_away(self) -> None:
        with contextlib.suppress(PoolError):  # the pool has found out by itself
            self._reset_pool.give_back(self._cnx, keep_in_pool=False)

    def _reconnect(self) -> None:
        kinds = type(self._cnx), type(self._obj)
        self._throw_away()
        self._cnx = self._reset_pool.borrow_anew(self._info)
        self._cnx.begin_with(_BEGIN, self._settings)
        self._obj = self._cnx.cursor(cursor_factory=TransactionCursor)
        self._cnx.__class__, self._obj.__class__ = kinds  # held as the one before was (see held_connection.py)


def install() -> None:
    """Make Odoo use a pool of ours; before anything opens a connection."""
    sql_db.PsycoConnection = TransactionConnection
    if not isinstance(sql_db._Pool, Pool):
        sql_db._Pool = Pool(int(config["db_maxconn"]), readonly=False)


def cursor(database: str, settings: str) -> SettingCursor:
    """Open a cursor on the database, whose transactions begin with ``settings``."""
    return SettingCursor(sql_db._Pool, database, _info(database, os.getpid()), settings)


def connect_beside(database: str) -> Any:
    """Open a connection that is not the pool's, for what must not wait for those that use all of it."""
    return psycopg2.connect(**_info(database, os.getpid()))


@functools.lru_cache(maxsize=8)
def _info(database: str, pid: int) -> dict[str, Any]:
    """Return psycopg2's keywords; the application's name in them holds the process id."""
    info: dict[str, Any] = sql_db.connection_info_for(database)[1]
    return info
