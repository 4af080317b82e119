"""Reads on a replica of the database (``db_replica_host`` in Odoo's configuration), never older than the primary.

A read notes how far the primary has written when it begins, and goes to the replica only once that has replayed as
much. So a client reads its own writes and everybody else's, whichever worker or host has made them, and the shared
caches are never filled with what a signal has already declared old.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple, TypeVar

from odoo.api import SUPERUSER_ID
from odoo.api import Environment as OdooEnvironment
from odoo.modules.registry import Registry
from odoo.sql_db import Cursor

from . import deadline
from .errors import BridgeError, Conflict, ReadOnly, Unavailable
from .gone import GONE
from .snapshots import Snapshot
from .transaction import Environment, settings_for
from .translation import translate

_logger = logging.getLogger(__name__)
T = TypeVar("T")

#: Seconds that a read waits for the replica to catch up, and between two looks.
_PATIENCE, _STEP = 0.03, 0.002
#: Seconds that a replica is left alone after it was behind for longer: reads should not wait for nothing.
_REST = 1.0


class Unfit(BridgeError):
    """The replica can't do this read at the moment; the primary can."""

    name = "replica_unfit"


class Position(NamedTuple):
    """Position of the primary in its log, as PostgreSQL's pg_lsn; generation of the caches and time before that."""

    lsn: str
    generation: int
    began: float


class Replica:
    """The replica of a database, where Odoo knows one."""

    def __init__(self, database: str, statement_timeout: float) -> None:
        """``statement_timeout`` is seconds."""
        self._database = database
        self._statement_timeout = statement_timeout
        self._rests_until = float("-inf")

    @property
    def is_fit(self) -> bool:
        """True if there is one that is worth a try."""
        registry = Registry.registries.get(self._database)  # none where it can't be loaded, as the primary will tell
        return registry is not None and registry._db_readonly is not None and time.monotonic() >= self._rests_until

    def run(self, work: Callable[[Environment], T], since: Position) -> T:
        """Run ``work(root)`` in a read-only transaction, in a state not older than ``since``.

        Raises Unfit where the replica is away, behind or gives up, and where the work wants to write: nothing has
        come of it then. BridgeError and exceptions of ``work`` pass through as in ``Transactions.run``.
        """
        registry = Registry(self._database)
        try:
            with closing(registry.cursor(readonly=True)) as cr:
                self._catch_up(cr, since)
                # Odoo's cursor, read-only by itself. Its statements get no more than what is left of the call by now.
                left = deadline.remaining()
                patience = self._statement_timeout if left is None else max(0.001, min(left, self._statement_timeout))
                cr.execute(settings_for(patience, read_only=False))
                try:
                    result = work(OdooEnvironment(cr, SUPERUSER_ID, {}))
                    cr.cache_view.share()
                    return result
                finally:
                    registry.reset_changes()
        except Exception as error:
            translated = translate(error)
            if isinstance(translated, (ReadOnly, Unavailable, Conflict)) or isinstance(error, GONE):
                _logger.info("The primary does a read that the replica could not do: %s", type(error).__name__)
                raise Unfit("The replica could not do this read.") from error
            if translated is None or translated is error:
                raise
            raise translated from error

    def open(self, since: Position) -> Snapshot:
        """Begin a snapshot in a state not older than ``since``; raises Unfit as ``run`` does."""
        cr = None
        try:
            cr = Registry(self._database).cursor(readonly=True)
            self._catch_up(cr, since)
            cr.execute(settings_for(self._statement_timeout, read_only=False))
        except Exception as error:
            if cr is not None:
                cr.close()
            raise Unfit("The replica could not do this read.") from error
        return Snapshot(cr)

    def _catch_up(self, cr: Cursor, since: Position) -> None:
        """See to it that the cursor is one of the replica, and that it reads what the primary has had by ``since``."""
        if not cr.readonly:  # Odoo has given us the primary's, and leaves the replica alone for a while
            raise Unfit("The replica is away.")
        self._wait(cr, since.lsn)
        cr.cache_view.number, cr.cache_view.began = since.generation, since.began

    def _wait(self, cr: Cursor, lsn: str) -> None:
        """Return once the replica has replayed as much; raises Unfit where it does not soon.

        Each look is a transaction of its own: the snapshot that it takes can be older than what it tells.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            cr.execute("SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() >= %s::pg_lsn", (lsn,))
            is_replica, reached = cr.fetchone()
            cr.rollback()
            if is_replica and reached:
                return
            if not is_replica or time.monotonic() > deadline:
                self._rests_until = time.monotonic() + _REST
                raise Unfit("The replica is behind.")
            time.sleep(_STEP)


def position(root: Environment) -> Position:
    """Return the primary's position in its log: all that is visible by now is before it.

    A commit is visible once it is flushed, and what is flushed is what a replica gets; only where commits are
    asynchronous is it visible before.
    """
    root.cr.execute(
        "SELECT (CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn() "
        "ELSE pg_current_wal_flush_lsn() END)::text"
    )
    view = root.cr.cache_view
    return Position(root.cr.fetchone()[0], view.number, view.began)
