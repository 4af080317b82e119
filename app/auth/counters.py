"""Counters that all workers of a machine share, for rate limits; with Redis, all hosts.

The library ``limits`` brings the strategies and the Redis storage; what it lacks is a storage that forked processes
share without a server. SQLite is one: a file in memory, a few microseconds a count, locked between processes.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import stat
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from limits.storage import RedisStorage, Storage

_logger = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counter (key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires REAL NOT NULL) WITHOUT ROWID
"""
_COUNT = """
INSERT INTO counter VALUES (:key, :amount, :expires) ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN expires <= :now THEN excluded.count ELSE count + excluded.count END,
  expires = CASE WHEN expires <= :now THEN excluded.expires ELSE expires END
RETURNING count, expires
"""
#: After so many counts, what has expired is deleted.
_SWEEP_EVERY = 5000


class SqliteCounters(Storage):
    """A storage of ``limits`` in a SQLite file; for the fixed window strategy."""

    STORAGE_SCHEME = ["gatehouse+file"]  # noqa: RUF012  as the base class wants it

    def __init__(self, path: Path) -> None:
        super().__init__(None)
        self._path = path
        self._local = threading.local()
        self._counted = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        """The exceptions of the storage."""
        return sqlite3.Error

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, and return the count of the window, which begins with its first count."""
        return self.count(key, expiry, amount)[0]

    def count(self, key: str, expiry: float, amount: int = 1) -> tuple[int, float]:
        """Count, and return the count of the window and when that ends, as a UNIX time."""
        now = time.time()
        values = {"key": key, "amount": amount, "now": now, "expires": now + expiry}
        connection = self._connection()
        ((count, expires),) = connection.execute(_COUNT, values).fetchall()
        self._counted += 1
        if self._counted % _SWEEP_EVERY == 0:
            connection.execute("DELETE FROM counter WHERE expires <= ?", (now,))
        return int(count), float(expires)

    def get(self, key: str) -> int:
        """Return the count of the current window."""
        row = self._row(key)
        return int(row[0]) if row else 0

    def get_expiry(self, key: str) -> float:
        """Return the end of the current window, as a UNIX time."""
        row = self._row(key)
        return float(row[1]) if row else time.time()

    def check(self) -> bool:
        """True if the storage works."""
        self._row("")
        return True

    def reset(self) -> int | None:
        """Forget everything and return how much that was."""
        return self._connection().execute("DELETE FROM counter").rowcount

    def clear(self, key: str) -> None:
        """Forget one count."""
        self._connection().execute("DELETE FROM counter WHERE key = ?", (key,))

    def _row(self, key: str) -> Any:
        query = "SELECT count, expires FROM counter WHERE key = ? AND expires > ?"
        return self._connection().execute(query, (key, time.time())).fetchone()

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection; one that another process opened is left alone."""
        if getattr(self._local, "pid", None) != os.getpid():
            connection = sqlite3.connect(self._path, timeout=5, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(_SCHEMA)
            self._local.connection, self._local.pid = connection, os.getpid()
        connection_of_thread: sqlite3.Connection = self._local.connection
        return connection_of_thread


def count(storage: Storage, key: str, expiry: int) -> tuple[int, float]:
    """Count in any storage; return the count of the window and when that ends, as a UNIX time."""
    if isinstance(storage, SqliteCounters):
        return storage.count(key, expiry)
    return storage.incr(key, expiry), storage.get_expiry(key)


def redis_storage(url: str, database: str) -> Storage:
    """Return the storage in a Redis, which several hosts share; its errors are limits' StorageError.

    Servers of other databases may use the same Redis: ``database``, its uuid, keeps their counts apart. Two clusters
    may have databases of one name, and two hosts may reach one cluster by different addresses.
    """
    prefix = f"gatehouse/{hashlib.sha256(database.encode()).hexdigest()[:16]}"
    return RedisStorage(url, key_prefix=prefix, wrap_exceptions=True, socket_timeout=0.5, socket_connect_timeout=0.5)


def local_storage(database: str) -> SqliteCounters:
    """Return the storage that all servers of this user on this machine share for a database, by its uuid."""
    name = hashlib.sha256(database.encode()).hexdigest()[:16]
    return SqliteCounters(_private_folder() / f"{name}.sqlite3")


def _private_folder() -> Path:
    """Return a folder that is ours alone, in memory where the machine has such a place.

    Raises PermissionError where somebody else has made a folder of that name.
    """
    base = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir())  # noqa: S108  checked
    folder = base / f"gatehouse-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(f"{folder} must be a folder of ours alone: remove it.")
    return folder
