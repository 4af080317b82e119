"""Snapshots: read-only transactions that outlive the call that begins them, for answers that are made piece by piece.

The pieces may be made by different threads, one at a time: nothing of a snapshot is kept by thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import psycopg2
from odoo.api import SUPERUSER_ID
from odoo.api import Environment as OdooEnvironment
from odoo.sql_db import Cursor

from . import connections, deadline, sandbox
from .errors import Unavailable
from .gone import GONE
from .transaction import Environment, settings_for
from .translation import is_lost_connection, translate

T = TypeVar("T")


class Snapshot:
    """One transaction at one moment. ``close`` ends it, and nothing of it is kept."""

    def __init__(self, cr: Cursor) -> None:
        self._cr = cr
        self.root = OdooEnvironment(cr, SUPERUSER_ID, {})

    @classmethod
    def of_primary(cls, database: str, statement_timeout: float) -> Snapshot:
        """Begin one on the primary; ``statement_timeout`` is seconds. Raises BridgeError."""
        with _translated():
            cr = connections.cursor(database, settings_for(statement_timeout, read_only=True))
        cr.patience = statement_timeout
        return cls(cr)

    def step(self, work: Callable[[Environment], T], seconds: float, *, testing: bool = False) -> T:
        """Do a part of the work with the superuser's environment, in this thread, in so many seconds.

        ``testing`` as in ``sandbox.reading``. Raises BridgeError.
        """
        threading.current_thread().dbname = self._cr.dbname  # type: ignore[attr-defined]  # Odoo's log lines name it
        with _translated(), deadline.within(seconds), sandbox.reading(self.root, testing=testing) as root:
            try:
                return work(root)
            finally:
                root.registry.reset_changes()  # by thread: they would be the next call's

    def share_found(self) -> None:
        """Share its cached findings so far with the caches of the process."""
        self._cr.cache_view.share()

    def close(self) -> None:
        """End it, and give the connection back; in any thread."""
        if not self._cr.closed:
            with contextlib.suppress(psycopg2.Error):
                self._cr.rollback()
            self._cr.close()
        # What refers to itself would be left to the garbage collector.
        self.root.transaction.default_env = self.root.transaction.cache = self.root.transaction.envs = None


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except GONE as error:
        raise Unavailable("Odoo is being changed. Please try again in a moment.", name="odoo_changing") from error
    except Exception as error:
        if isinstance(error, psycopg2.Error) and is_lost_connection(error):
            raise Unavailable("The database cannot be reached at the moment.") from error
        translated = translate(error)
        if translated is None or translated is error:
            raise
        raise translated from error
