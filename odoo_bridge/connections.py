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
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ, STATUS_READY

_logger = logging.getLogger(__name__)

#: Methods of psycopg2's cursor that send something without Odoo's ``execute``.
_STRAIGHT_TO_PSYCOPG2 = frozenset({"callproc", "copy_expert", "copy_from", "copy_to", "executemany"})


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
    """A cursor each of whose transactions begins with some settings, in one round trip with its first statement.

    So they hold after a commit or a rollback of the work itself too.
    """

    def __init__(self, pool: Pool, database: str, info: dict[str, Any], settings: str) -> None:
        """``settings`` are SQL statements without parameters."""
        self._info = info
        self._settings = f"RESET ALL; {settings}"
        self._reset_pool = pool
        self.commits = 0
        super().__init__(_AsItIs(pool), database, info)

    def execute(self, query: Any, params: Any = None, log_exceptions: bool = True) -> None:
        """Run a query; see ``odoo.sql_db.Cursor.execute``."""
        if self._cnx.status != STATUS_READY:  # in the midst of a transaction
            super().execute(query, params, log_exceptions)
            return
        if isinstance(query, SQL):
            query, params = query.code, query.params
        if isinstance(query, str):
            self._first(query, params, log_exceptions)
        else:
            self._settle()
            super().execute(query, params, log_exceptions)

    def commit(self) -> None:
        """Commit, and count it: ``commits`` tells how often the work has done so by itself."""
        super().commit()
        self.commits += 1

    def _settle(self) -> None:
        """Say the settings alone, before something that does not go through ``execute``."""
        if self._cnx.status == STATUS_READY:
            self._first("SELECT 1", None, True)

    def _first(self, query: str, params: Any, log_exceptions: bool) -> None:
        statement = f"{self._settings}; {query}"
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
        self._cnx.set_isolation_level(ISOLATION_LEVEL_REPEATABLE_READ)
        self._cnx.set_session(readonly=self._reset_pool.readonly)

    def __getattr__(self, name: str) -> Any:
        if name in _STRAIGHT_TO_PSYCOPG2:
            self._settle()
        return super().__getattr__(name)


def install() -> None:
    """Make Odoo use a pool of ours; before anything opens a connection."""
    if not isinstance(sql_db._Pool, Pool):
        sql_db._Pool = Pool(int(config["db_maxconn"]), readonly=False)


def cursor(database: str, settings: str) -> SettingCursor:
    """Open a cursor on the database, whose transactions begin with ``settings``."""
    return SettingCursor(sql_db._Pool, database, _info(database, os.getpid()), settings)


@functools.lru_cache(maxsize=8)
def _info(database: str, pid: int) -> dict[str, Any]:
    """Return psycopg2's keywords; the application's name in them holds the process id."""
    info: dict[str, Any] = sql_db.connection_info_for(database)[1]
    return info
