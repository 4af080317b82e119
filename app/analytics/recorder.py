"""The background writer of the request log and the statistics: it never slows a call, and never blocks one.

Calls put rows into a bounded queue; one thread per process writes them in batches. While the database is away it
keeps what fits, and counts what it has to drop.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import date

import psycopg2

from app import partitions
from app.analytics import batches, bodies, retention, rollup
from app.analytics.bodies import Room
from app.analytics.logged_calls import COLUMNS, Batch, LoggedCall
from app.analytics.token_use import TokenUse
from app.database import Database, KeptConnection
from app.definitions.system import SystemSettings
from app.observe import meters

_logger = logging.getLogger(__name__)

CAPACITY = 20_000
BATCH = 1_000
#: Seconds between two writes. Calls feel a write of many rows: at 1,400 calls a second one each second held some of
#: them up for 50 ms.
INTERVAL = 0.25
#: Seconds between two tries while the database is away.
RETRY = 1.0
#: Seconds for which the connection is kept when there is nothing to write.
PATIENCE = 5.0


class Recorder:
    """Takes rows from the calls of this process and writes them in batches."""

    def __init__(
        self,
        database: Database,
        system: Callable[[], SystemSettings] = SystemSettings,
        *,
        capacity: int = CAPACITY,
        room: int = bodies.CAPACITY,
        interval: float = INTERVAL,
    ) -> None:
        """``system`` returns the settings in force, of which one says when rows are old.

        ``capacity`` is the rows that may wait, ``room`` the bytes of bodies that may wait with them;
        ``interval`` is the seconds between two batches.
        """
        self.dropped = 0
        self._database = database
        self._system = system
        self._capacity = capacity
        self._interval = interval
        self._queue: deque[tuple[float, LoggedCall]] = deque()  # each with the time when it came
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._thread: threading.Thread | None = None
        self._known_days: set[date] = set()
        self._uses = TokenUse()
        self._room = Room(room)
        self._writing = threading.Lock()
        self._waiting: Batch | None = None
        self._connection = KeptConnection(database)
        self._cleaner: threading.Thread | None = None
        # Not at once: a process that lives for a minute has nothing to clean up.
        self._next_clean_up = time.monotonic() + retention.INTERVAL / 6

    def record(self, row: LoggedCall) -> None:
        """Take a row; where the queue is full it is dropped and counted."""
        if self._pid != os.getpid():
            self._start()
        if row.exchange is not None and not self._room.take(row.exchange.size):
            row = row.without_content()
            meters.LOG_BODIES_DROPPED.inc()
        if len(self._queue) < self._capacity:  # or a few more, where several threads ask at once
            self._queue.append((time.monotonic(), row))
        else:
            self._drop(1, row.exchange.size if row.exchange else 0)

    def token_used(self, lookup: str) -> None:
        """Note that a call came with a token, by the part of it that is no secret."""
        if self._pid != os.getpid():
            self._start()
        self._uses.note(lookup)

    def lag(self) -> float:
        """Return for how many seconds the oldest row has waited that is still to be written; 0 where none waits."""
        if self._pid != os.getpid():
            return 0.0
        batch = self._waiting
        try:
            since = batch.since if batch is not None else self._queue[0][0]
        except IndexError:
            return 0.0
        return time.monotonic() - since

    def measure(self) -> None:
        """Set the meters of what waits; not called by the thread that writes, which may be the one that is stuck."""
        meters.LOG_QUEUE.set(self._unwritten())
        meters.LOG_WAITING.set(self.lag())

    def stop(self, patience: float = 10.0) -> None:
        """Write all queued rows and end; those not written within ``patience`` seconds are lost, and logged as lost."""
        self._stopped.set()
        if self._thread is not None and self._pid == os.getpid():
            self._thread.join(patience)
        if left := self._unwritten():
            _logger.error("%d rows of the request log could not be written", left)

    def flush(self) -> None:
        """Write all queued rows, in this thread; also those that the other one has begun with, when this returns."""
        while self._write_next():
            pass
        self._uses.write(self._connection)

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            # After a fork the parent's queue and thread are the parent's.
            self._queue = deque()
            self._room = Room(self._room.capacity)
            self._writing, self._waiting = threading.Lock(), None
            self._connection = KeptConnection(self._database)
            self._stopped.clear()
            self._cleaner = None
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()
            atexit.register(self.stop)

    def _run(self) -> None:
        is_away = False
        while True:
            stopping = self._stopped.wait(max(self._interval, RETRY) if is_away else self._interval)
            is_away = not all((self._write_rows(stopping), self._write_uses()))
            self._connection.close(0.0 if stopping else PATIENCE)
            if stopping:
                return
            self._clean_up_at_times()

    def _write_rows(self, stopping: bool) -> bool:
        """Write the rows that wait, and all that there are at the end; False where the database is away."""
        give_up = time.monotonic() + 8
        more = True
        while more:
            try:
                # What comes meanwhile waits for the next time: else a busy server would write row by row.
                more = self._write_next() and (stopping or len(self._queue) >= BATCH)
            except psycopg2.Error as error:
                _logger.warning("The request log can't be written: %s", error.__class__.__name__)
                if not stopping or time.monotonic() > give_up:
                    return False
                time.sleep(0.2)
        return True

    def _unwritten(self) -> int:
        batch = self._waiting
        return len(self._queue) + (len(batch.rows) if batch is not None else 0)

    def _write_next(self) -> bool:
        """Write the batch that waits, or the next one; False where there is none.

        Raises psycopg2.Error, and then the batch waits on.
        """
        with self._writing:
            batch = self._waiting = self._waiting or self._take()
            if batch is None:
                return False
            try:
                self._write(batch)
            except Exception as error:
                if isinstance(error, psycopg2.Error) and not isinstance(error, psycopg2.DataError):
                    raise
                # Rows that the database can't hold must not hold up all others.
                _logger.exception("%d rows of the request log can't be written, and are dropped", len(batch.rows))
                self._drop(len(batch.rows), batch.held)
            self._waiting = None
            return True

    def _write_uses(self) -> bool:
        """Write the last uses of tokens; False where the database is away."""
        try:
            self._uses.write(self._connection)
        except psycopg2.Error as error:
            _logger.warning("The last use of tokens can't be written: %s", error.__class__.__name__)
            return False
        return True

    def _clean_up_at_times(self) -> None:
        """Drop old rows, in a thread of its own: it may take minutes, and new rows do not wait for it."""
        if time.monotonic() < self._next_clean_up or (self._cleaner is not None and self._cleaner.is_alive()):
            return
        self._next_clean_up = time.monotonic() + retention.INTERVAL
        self._cleaner = threading.Thread(target=self._clean_up, name="retention", daemon=True)
        self._cleaner.start()

    def _clean_up(self) -> None:
        try:
            retention.clean_up(self._database, self._system().log_retention_days)
        except psycopg2.Error as error:
            _logger.warning("Old rows of the request log can't be dropped: %s", error.__class__.__name__)

    def _take(self) -> Batch | None:
        taken: list[tuple[float, LoggedCall]] = []
        while len(taken) < BATCH:
            try:
                taken.append(self._queue.popleft())
            except IndexError:
                break
        return Batch.of([row for _, row in taken], since=taken[0][0]) if taken else None

    def _write(self, batch: Batch) -> None:
        """Write a batch and its statistics in one transaction: both are there, or neither."""
        days = {row.at.date() for row in batch.rows}
        with self._connection.transaction() as cr:
            for day in days - self._known_days:
                partitions.ensure(cr, "request_log", day)
            batches.insert(cr, "request_log", COLUMNS, batch.values)
            rollup.add(cr, batch.rows)
        self._known_days |= days
        self._room.give_back(batch.held)

    def _drop(self, rows: int, held: int) -> None:
        self.dropped += rows
        meters.LOG_DROPPED.inc(rows)
        self._room.give_back(held)
