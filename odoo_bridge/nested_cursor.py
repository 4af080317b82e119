"""A cursor within the transaction of another one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from odoo import sql_db
from odoo.sql_db import BaseCursor, Savepoint

from .caches import View


class NestedCursor(BaseCursor):  # type: ignore[misc]
    """A cursor that commits to a savepoint of the real transaction.

    The idea is that of Odoo's own tests (odoo/tests/test_cursor.py). Post-commit hooks do not run: they are what a
    transaction does to the world outside, once it is committed.
    """

    #: Not told (see ``written_tables``): nothing that is counted here is remembered, nor anything used that is.
    written_tables = None

    def __init__(self, real: Any) -> None:
        super().__init__()
        self._real = real
        self.cache_view = View(real.cache_view.number)  # of its own, and never shared
        self._savepoint: Savepoint | None = None
        self._is_closed = False
        self._started: datetime | None = None

    def execute(self, query: Any, params: Any = None, log_exceptions: bool = True) -> Any:
        """Run a query inside the savepoint."""
        if self._is_closed:
            raise sql_db.psycopg2.InterfaceError("Cursor already closed")
        self.begin()
        return self._real.execute(query, params, log_exceptions)

    def begin(self) -> None:
        """Begin the savepoint, unless it is there."""
        if self._savepoint is None:
            self._savepoint = Savepoint(self._real)

    def execute_alone(self, query: Any, params: Any = None, log_exceptions: bool = True) -> Any:
        """Run a query inside the savepoint too: here nothing is a transaction by itself."""
        return self.execute(query, params, log_exceptions)

    def commit(self) -> None:
        """Release the savepoint: the work stays until the call ends."""
        self.flush()
        if self._savepoint is not None:
            self._savepoint.close(rollback=False)
            self._savepoint = None
        self.clear()
        self.settle_hooks()

    def settle_hooks(self) -> None:
        """Forget the hooks of what is only a savepoint."""
        self.postcommit.clear()
        self.prerollback.clear()
        self.postrollback.clear()

    def rollback(self) -> None:
        """Roll back to the last commit."""
        self.clear()
        self.postcommit.clear()
        self.prerollback.run()
        if self._savepoint is not None:
            self._savepoint.close(rollback=True)
            self._savepoint = None
        self.cache_view.forget()
        self.postrollback.run()

    def close(self) -> None:
        """Roll back uncommitted work; the real cursor stays open for its owner."""
        if not self._is_closed:
            self.rollback()
            self._is_closed = True

    @property
    def closed(self) -> bool:
        """True if the cursor is closed."""
        return self._is_closed or bool(self._real.closed)

    def now(self) -> datetime:
        """Return the time of the transaction."""
        return self._real.now()  # type: ignore[no-any-return]

    def dictfetchone(self) -> Any:
        """Return the next row as a dictionary."""
        return self._real.dictfetchone()

    def dictfetchmany(self, size: int) -> Any:
        """Return the next rows as dictionaries."""
        return self._real.dictfetchmany(size)

    def dictfetchall(self) -> Any:
        """Return all rows as dictionaries."""
        return self._real.dictfetchall()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
