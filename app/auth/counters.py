"""Counters that all workers of a machine share, for rate limits; with Redis, all hosts.

The library ``limits`` brings the strategies and the Redis storage; what it lacks is a storage that forked processes
share without a server. LMDB is one: a file, in memory where the machine has such a place, that all of them map, a few
microseconds a count, locked between processes, and unlocked where one dies.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import tempfile
import threading
import time
from pathlib import Path

import lmdb
from limits.storage import RedisStorage, Storage

#: Bytes that counts may take, of ten million; memory is taken only for those that are there.
_SIZE = 1024 * 1024 * 1024
#: Bytes of the file of locks, and more than LMDB takes.
_LOCKS = 16 * 1024
#: After so many counts, so many keys are looked at for what has expired.
_SWEEP_EVERY, _SWEPT = 500, 2000
#: A count, and the end of its window as a UNIX time.
_VALUE = struct.Struct("<qd")

_opening = threading.Lock()
_environments: dict[Path, tuple[int, lmdb.Environment]] = {}


class SharedCounters(Storage):
    """A storage of ``limits`` in a file that processes share; for the fixed window strategy."""

    STORAGE_SCHEME = ["gatehouse+file"]  # noqa: RUF012  as the base class wants it

    def __init__(self, path: Path) -> None:
        super().__init__(None)
        self._path = path
        self._counted = 0
        self._swept_to = b""

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """The exceptions of the storage."""
        return lmdb.Error, OSError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, and return the count of the window, which begins with its first count."""
        return self.count(key, expiry, amount)[0]

    def count(self, key: str, expiry: float, amount: int = 1) -> tuple[int, float]:
        """Count, and return the count of the window and when that ends, as a UNIX time."""
        now = time.time()
        with _environment(self._path).begin(write=True) as transaction:
            before, expires = _live(transaction, key, now) or (0, now + expiry)
            transaction.put(key.encode(), _VALUE.pack(before + amount, expires))
            self._counted += 1
            if self._counted % _SWEEP_EVERY == 0:
                self._sweep(transaction, now)
        return before + amount, expires

    def get(self, key: str) -> int:
        """Return the count of the current window."""
        return self._find(key)[0]

    def get_expiry(self, key: str) -> float:
        """Return the end of the current window, as a UNIX time."""
        return self._find(key)[1]

    def check(self) -> bool:
        """True if the storage works."""
        self._find("check")
        return True

    def reset(self) -> int | None:
        """Forget everything and return how much that was."""
        environment = _environment(self._path)
        with environment.begin(write=True) as transaction:
            entries: int = transaction.stat()["entries"]
            transaction.drop(environment.open_db(txn=transaction), delete=False)
        return entries

    def clear(self, key: str) -> None:
        """Forget one count."""
        with _environment(self._path).begin(write=True) as transaction:
            transaction.delete(key.encode())

    def _find(self, key: str) -> tuple[int, float]:
        now = time.time()
        # With the lock, as a reader that hangs or dies would keep LMDB from using any page again that others free.
        with _environment(self._path).begin(write=True) as transaction:
            return _live(transaction, key, now) or (0, now)

    def _sweep(self, transaction: lmdb.Transaction, now: float) -> None:
        """Delete some keys that have expired, beginning where the last sweep has ended: all at once would take long."""
        with transaction.cursor() as cursor:
            cursor.set_range(self._swept_to)
            for _ in range(_SWEPT):
                if not cursor.key():
                    break
                _, expires = _VALUE.unpack(cursor.value())
                _ = cursor.delete() if expires <= now else cursor.next()
            self._swept_to = bytes(cursor.key())


def _live(transaction: lmdb.Transaction, key: str, now: float) -> tuple[int, float] | None:
    """Return the count of a window that has not ended, and its end."""
    value = transaction.get(key.encode())
    if value is None:
        return None
    count, expires = _VALUE.unpack(value)
    return (count, expires) if expires > now else None


def _environment(path: Path) -> lmdb.Environment:
    """Return this process's environment of a file: LMDB allows one, and what was opened before a fork is no use."""
    pid, found = os.getpid(), _environments.get(path)
    if found is None or found[0] != pid:
        with _opening:
            found = _environments.get(path)
            if found is None or found[0] != pid:
                if found is not None:
                    found[1].close()
                found = _environments[path] = pid, _opened(path)
    return found[1]


def _opened(path: Path) -> lmdb.Environment:
    # LMDB writes its locks through a map: where memory is full, that would be a SIGBUS, and not an error.
    descriptor = os.open(f"{path}-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, _LOCKS)
    finally:
        os.close(descriptor)
    return lmdb.open(str(path), map_size=_SIZE, subdir=False, mode=0o600, sync=False, metasync=False)


def count(storage: Storage, key: str, expiry: int) -> tuple[int, float]:
    """Count in any storage; return the count of the window and when that ends, as a UNIX time."""
    if isinstance(storage, SharedCounters):
        return storage.count(key, expiry)
    return storage.incr(key, expiry), storage.get_expiry(key)


def redis_storage(url: str, database: str) -> Storage:
    """Return the storage in a Redis, which several hosts share; its errors are limits' StorageError.

    Servers of other databases may use the same Redis: ``database``, its uuid, keeps their counts apart. Two clusters
    may have databases of one name, and two hosts may reach one cluster by different addresses.
    """
    prefix = f"gatehouse/{hashlib.sha256(database.encode()).hexdigest()[:16]}"
    return RedisStorage(url, key_prefix=prefix, wrap_exceptions=True, socket_timeout=0.5, socket_connect_timeout=0.5)


def local_storage(database: str) -> SharedCounters:
    """Return the storage that all servers of this user on this machine share for a database, by its uuid."""
    name = hashlib.sha256(database.encode()).hexdigest()[:16]
    return SharedCounters(_private_folder() / f"{name}.lmdb")


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
