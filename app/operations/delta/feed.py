"""The feed of a process: tells those who listen that there are changes in the tables that they follow.

One look at the database for all of them, while there are any.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2

from app.database import Cursor, Database, KeptConnection
from app.observe import meters

_logger = logging.getLogger(__name__)
#: Seconds between two looks, also where one has failed.
INTERVAL = 0.5
#: The tables with changes by transactions from one to before another. None of these has written for longer than a day.
_CHANGED = """
SELECT name FROM gatehouse.captured WHERE EXISTS (
    SELECT FROM gatehouse.changes WHERE changes.relation = captured.relation::oid
    AND xid >= %s::text::xid8 AND xid < %s::text::xid8 AND at > now() - interval '1 day'
)
"""


@dataclass(eq=False, slots=True)
class Listener:
    """Listener to some tables: the function is called when one of them has changed."""

    tables: frozenset[str]
    wake: Callable[[], None]


class Feed:
    """Looks for changes on behalf of the listeners of this process."""

    def __init__(self, database: Database, interval: float = INTERVAL) -> None:
        self._connection = KeptConnection(database)
        self._interval = interval
        self._listeners: set[Listener] = set()
        self._lock = threading.RLock()  # the garbage collector may end a stream anywhere
        self._thread: threading.Thread | None = None
        self._horizon: int | None = None

    @property
    def size(self) -> int:
        """The number of listeners."""
        return len(self._listeners)

    def listen(self, listener: Listener) -> None:
        """Wake a listener from now on. It may be woken for nothing, never missed."""
        with self._lock:
            self._listeners.add(listener)
            meters.CHANGE_STREAMS.set(len(self._listeners))
            if self._thread is None or not self._thread.is_alive():
                self._horizon = None
                thread = threading.Thread(target=self._run, name="feed", daemon=True)
                thread.start()
                self._thread = thread

    def leave(self, listener: Listener) -> None:
        """Wake it no longer."""
        with self._lock:
            self._listeners.discard(listener)
            meters.CHANGE_STREAMS.set(len(self._listeners))

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._interval):
            with self._lock:
                if not self._listeners:
                    self._thread = None
                    break
            try:
                changed = self._look()
            except psycopg2.Error as error:
                _logger.warning("Changes can't be looked for: %s", error.__class__.__name__)
                self._horizon = None
                continue
            except Exception:
                _logger.exception("Changes can't be looked for")
                self._horizon = None
                continue
            for listener in list(self._listeners):
                if changed is None or listener.tables & changed:
                    _wake(listener)
        self._connection.close()

    def _look(self) -> frozenset[str] | None:
        """Return the tables that have changed since the last look; None where there was none."""
        with self._connection.transaction() as cr:
            horizon, before = _horizon(cr), self._horizon
            self._horizon = horizon
            if before is None:
                return None
            if horizon == before:
                return frozenset()
            cr.execute(_CHANGED, (str(before), str(horizon)))
            return frozenset(name for (name,) in cr.fetchall())


def _wake(listener: Listener) -> None:
    """Wake a listener; one that can't be woken is no reason to wake no other."""
    try:
        listener.wake()
    except Exception:
        _logger.exception("A listener could not be woken")


def _horizon(cr: Cursor) -> int:
    cr.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    row = cr.fetchone()
    found: int = row[0] if row else 0
    return found
