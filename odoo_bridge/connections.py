"""Connections to Odoo's database, without the round trips that a short call can do without.

Odoo resets a connection each time that it is taken from the pool: two round trips before the first query. Here the
reset rides on the first statement of a transaction, together with the transaction's own settings.
"""

from __future__ import annotations

import functools
import logging
import os
import time
from typing import Any

import psycopg2
from odoo import sql_db
from odoo.sql_db import MAX_IDLE_TIMEOUT, ConnectionPool, Cursor
from odoo.tools import SQL, config

_logger = logging.getLogger(__name__)


class Pool(ConnectionPool):  # type: ignore[misc]
    """Odoo's pool, from which a connection can also be had as the last call has left it."""

    def borrow_as_it_is(self, info: dict[str, Any]) -> Any:
        """Return a connection that was used lately, without asking the database whether it still lives.

        Where there is none it comes from ``borrow``, which resets it.
        """
        with self._lock:
            for connection in reversed(self._connections):
                if (
                    not connection._pool_in_use
                    and not connection.closed
                    and time.time() - connection._pool_last_used < MAX_IDLE_TIMEOUT
                    and getattr(connection, "_pool_info", None) is info
                ):
                    connection._pool_in_use = True
                    return connection
        connection = self.borrow(info)
        connection._pool_info = info
        return connection


class _AsItIs:
    """A pool whose ``borrow`` does not reset; what Odoo's cursor needs of a pool."""

    def __init__(self, pool: Pool) -> None:
        self.readonly = pool.readonly
        self.borrow = pool.borrow_as_it_is
        self.give_back = pool.give_back


class SettingCursor(Cursor):  # type: ignore[misc]
    """A cursor that says what holds for a transaction in one round trip with the transaction's first statement."""

    def __init__(self, pool: Pool, database: str, info: dict[str, Any]) -> None:
        # Before Odoo's own attributes: its ``__getattr__`` is asked for what is not there yet.
        self._settings: str | None = None
        self._info = info
        self._reset_pool = pool
        self._as_it_is = _AsItIs(pool)
        super().__init__(self._as_it_is, database, info)

    def begin(self, settings: str) -> None:
        """Let ``settings``, SQL statements without parameters, go before the first statement that follows."""
        self._settings = f"RESET ALL; {settings}"

    def execute(self, query: Any, params: Any = None, log_exceptions: bool = True) -> None:
        """Run a query; see ``odoo.sql_db.Cursor.execute``."""
        if self._settings is None:
            super().execute(query, params, log_exceptions)
            return
        if isinstance(query, SQL):
            query, params = query.code, query.params
        if not isinstance(query, str):
            self.settle()
            super().execute(query, params, log_exceptions)
            return
        self._first(query, params, log_exceptions)

    def settle(self) -> None:
        """Say the settings now, for what does not go through ``execute``."""
        if self._settings is not None:
            self._first("SELECT 1", None, True)

    def _first(self, query: str, params: Any, log_exceptions: bool) -> None:
        settings, self._settings = self._settings, None
        statement = f"{settings}; {query}"
        try:
            super().execute(statement, params, log_exceptions=False)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            if not self._cnx.closed:
                raise
            # The connection had died while it was idle. Nothing of this transaction is lost: it is the first statement.
            self._reconnect()
            super().execute(statement, params, log_exceptions)
        except Exception as error:
            if log_exceptions:
                _logger.error("bad query: %s\nERROR: %s", query, error)
            raise

    def _reconnect(self) -> None:
        self._reset_pool.give_back(self._cnx, keep_in_pool=False)
        self._cnx: Any = self._reset_pool.borrow(self._info)
        self._cnx._pool_info = self._info
        self._obj = self._cnx.cursor()
        self._cnx.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_REPEATABLE_READ)
        self._cnx.set_session(readonly=self._reset_pool.readonly)

    def __getattr__(self, name: str) -> Any:
        # What is not ``execute`` goes straight to psycopg2's cursor, for example ``copy_expert``.
        if self.__dict__.get("_settings") is not None and name != "_obj":
            self.settle()
        return super().__getattr__(name)


def install() -> None:
    """Make Odoo use a pool of ours; before anything opens a connection."""
    if not isinstance(sql_db._Pool, Pool):
        sql_db._Pool = Pool(int(config["db_maxconn"]), readonly=False)


def cursor(database: str) -> SettingCursor:
    """Open a cursor on the database; see ``SettingCursor.begin``."""
    return SettingCursor(sql_db._Pool, database, _info(database, os.getpid()))


@functools.lru_cache(maxsize=8)
def _info(database: str, pid: int) -> dict[str, Any]:
    """Return psycopg2's keywords; the application's name in them holds the process id."""
    info: dict[str, Any] = sql_db.connection_info_for(database)[1]
    return info
