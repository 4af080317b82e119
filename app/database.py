"""Connections to our own tables outside of a call. Inside of a call Odoo's cursor is used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeAlias

import psycopg2
import psycopg2.extensions
from psycopg2.extensions import connection as Connection  # noqa: N812  a class, which psycopg2 writes small

Cursor: TypeAlias = psycopg2.extensions.cursor


class Transactional(Protocol):
    """Something that gives transactions."""

    def transaction(self) -> AbstractContextManager[Cursor]:
        """See ``Database.transaction``."""


class Database:
    """The database of Odoo, in which our tables are. No connection is kept, so none can be shared by a fork."""

    def __init__(self, dsn: Mapping[str, Any]) -> None:
        """``dsn`` are psycopg2's connection keywords."""
        self.dsn = dict(dsn)
        #: Called with 1 for each connection that is opened, and with -1 when it is closed.
        self.on_connection: Callable[[int], None] = lambda change: None

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """Give a cursor; what it did is committed at the end of the block, and rolled back where that raises.

        Raises psycopg2.Error.
        """
        connection = self.connect()
        try:
            with connection, connection.cursor() as cr:
                yield cr
        finally:
            self.close(connection)

    def connect(self) -> Connection:
        """Open a connection. Raises psycopg2.Error."""
        connection: Connection = psycopg2.connect(**self.dsn)
        self.on_connection(1)
        return connection

    def close(self, connection: Connection) -> None:
        """Close a connection, which may be broken."""
        connection.close()
        self.on_connection(-1)

    def rows(self, query: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows of a query, each by the names of its columns."""
        with self.transaction() as cr:
            cr.execute(query, parameters)
            names = [column.name for column in cr.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cr.fetchall()]


#: Ends a transaction whose process has stopped amid it, before it has kept others from its rows for long.
UNLESS_STOPPED = "SET LOCAL idle_in_transaction_session_timeout = '10s'"


class KeptConnection:
    """A connection of one process for one transaction after the other, whoever of its threads asks.

    To open one takes 6 ms: the hashes of the password, and a process of PostgreSQL's that has to look all tables up.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._used = 0.0

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """See ``Database.transaction``; who comes second waits. After an error the next one has a new connection."""
        with self._lock:
            connection = self._alive()
            try:
                with connection.cursor() as cr:
                    yield cr
                connection.commit()
            except BaseException:
                self._close()  # rolls back; and where the server has become a read-only one, the next may be another
                raise
            self._used = time.monotonic()

    def close(self, idle: float = 0.0) -> None:
        """Close the connection if it has not been used for so many seconds; the next transaction opens one again."""
        with self._lock:
            if time.monotonic() - self._used >= idle:
                self._close()

    def _alive(self) -> Connection:
        """Return the connection after a sign of life, else a new one: the server may have been started again."""
        try:
            if self._connection is not None:
                return self._begun(self._connection)
        except psycopg2.Error:
            self._close()
        self._connection = self._database.connect()
        return self._begun(self._connection)

    def _begun(self, connection: Connection) -> Connection:
        with connection.cursor() as cr:
            cr.execute(UNLESS_STOPPED)
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._database.close(connection)
