"""psycopg2's connection and cursor, with fewer round trips in a transaction.

psycopg2 sends BEGIN and COMMIT each by itself. Here what a transaction begins with goes with its first statement, and
COMMIT can go with the last. A connection for which nothing of that was asked does all as psycopg2 does it.
"""

from __future__ import annotations

import time
from typing import Any

from odoo.sql_db import PsycoConnection
from psycopg2.errors import FeatureNotSupported, InvalidSqlStatementName, SerializationFailure
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import cursor as Psycopg2Cursor  # noqa: N812  the name that psycopg2 should have given it
from psycopg2.sql import Composable

from odoo_bridge import distance
from odoo_bridge.fast import is_on
from odoo_bridge.fast.prepared import Prepared


class StalePlan(SerializationFailure):
    """A prepared statement is no longer good, because a table was changed meanwhile: the transaction is tried again."""


class TransactionConnection(PsycoConnection):  # type: ignore[misc]
    """A connection that sends BEGIN, COMMIT and ROLLBACK itself where ``begin_with`` says so: psycopg2 does not."""

    autocommit: bool
    #: What the next transaction begins with; empty where psycopg2 sends BEGIN.
    beginning = ""
    #: What goes before a statement that is a transaction by itself, which can only read.
    settings = ""
    prepared: Prepared
    #: What it was opened with, where it may be taken from the pool without a reset (see ``connections.Pool``).
    _pool_info: dict[str, Any] | None = None

    @property
    def is_idle(self) -> bool:
        """True if no transaction is under way; False also where the connection is broken."""
        return bool(self.get_transaction_status() == TRANSACTION_STATUS_IDLE)

    def begin_with(self, begin: str, settings: str) -> None:
        """Begin each transaction with these statements: BEGIN, and ``settings`` that have no parameters either.

        The connection must be new or reset, or have begun so before: then this sends nothing.
        """
        if not self.autocommit:
            self.autocommit = True
        if not hasattr(self, "prepared"):
            self.prepared = Prepared()
        # What is alone is nobody's last statement: it can't be told whether one that was lost has been committed.
        self.beginning, self.settings = f"{begin}; {settings}", f"{settings}; SET TRANSACTION READ ONLY"

    def reset(self) -> None:
        """See psycopg2, which has all that was prepared discarded."""
        super().reset()
        self.prepared = Prepared()

    def leave_to_psycopg2(self) -> None:
        """Let psycopg2 send BEGIN again, after a reset."""
        self.beginning = ""

    def set_isolation_level(self, level: Any) -> None:
        """See psycopg2; what ``begin_with`` says has precedence."""
        if not self.beginning:
            super().set_isolation_level(level)

    def set_session(self, *arguments: Any, **options: Any) -> None:
        """See psycopg2; what ``begin_with`` says has precedence."""
        if not self.beginning:
            super().set_session(*arguments, **options)

    def commit(self) -> None:
        """Commit the transaction, if there is one."""
        if not self.beginning:
            super().commit()
        elif not self.is_idle:
            self._end("COMMIT")

    def rollback(self) -> None:
        """Roll the transaction back, if there is one."""
        if not self.beginning:
            super().rollback()
        elif not self.is_idle:
            self._end("ROLLBACK")

    def _end(self, statement: str) -> None:
        with super().cursor() as plain:  # also where cursors are held back from doing this (see held_connection.py)
            plain.execute(statement)


class TransactionCursor(Psycopg2Cursor):
    """A cursor of a ``TransactionConnection``, whose first statement in a transaction begins it.

    ``ending`` goes with each statement while it is set: ``COMMIT`` with the last one of a transaction. While ``alone``
    is set, a first statement begins none: PostgreSQL makes one of what comes in one message, settings included.
    """

    connection: TransactionConnection
    ending = ""
    alone = False

    def execute(self, query: Any, vars: Any = None) -> None:
        """Run a query; see psycopg2. Raises StalePlan."""
        rewritten = self._prepared(query, vars)
        try:
            self._send(*(rewritten or (query, vars)))
        except (FeatureNotSupported, InvalidSqlStatementName) as error:
            if rewritten is None:
                raise
            self.connection.prepared.forget()
            raise StalePlan(*error.args) from error

    def _prepared(self, query: Any, values: Any) -> tuple[str, list[Any]] | None:
        """Return the statement that runs a prepared one, and its parameters; None where it is not prepared."""
        if values and type(query) is str and isinstance(values, (list, tuple)):
            return self.connection.prepared.rewritten(query, values)
        return None

    def _send(self, query: Any, values: Any) -> None:
        """Send a statement with all that begins or ends the transaction, in one round trip where that is on."""
        if is_on("round_trips"):
            framed, begun = self._framed(query), time.monotonic()
            super().execute(framed, values)
            distance.measured.note(time.monotonic() - begun)
            return
        self._begin()
        super().execute(query, values)
        if self.ending:
            super().execute(self.ending)

    def _framed(self, query: Any) -> Any:
        """Return a query between the statements that begin and end its transaction, where it is the first or last."""
        first = self.connection.settings if self.alone else self.connection.beginning
        before = f"{first}; " if self.connection.is_idle else ""
        after = f"; {self.ending}" if self.ending else ""
        if not (before or after):
            return query
        if isinstance(query, Composable):
            query = query.as_string(self)
        return before.encode() + query + after.encode() if isinstance(query, bytes) else before + query + after

    def _begin(self) -> None:
        if self.connection.is_idle:
            super().execute(self.connection.beginning)

    def callproc(self, *arguments: Any, **options: Any) -> Any:
        """Call a function; see psycopg2."""
        self._begin()
        return super().callproc(*arguments, **options)

    def copy_expert(self, *arguments: Any, **options: Any) -> None:
        """Run a COPY; see psycopg2."""
        self._begin()
        super().copy_expert(*arguments, **options)

    def copy_from(self, *arguments: Any, **options: Any) -> None:
        """Copy from a file; see psycopg2."""
        self._begin()
        super().copy_from(*arguments, **options)

    def copy_to(self, *arguments: Any, **options: Any) -> None:
        """Copy to a file; see psycopg2."""
        self._begin()
        super().copy_to(*arguments, **options)

    def executemany(self, *arguments: Any, **options: Any) -> None:
        """Run a query several times; see psycopg2."""
        self._begin()
        super().executemany(*arguments, **options)
