"""Counters that processes share."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.auth import counters
from app.auth.counters import SharedCounters
from app.auth.throttle import Throttle
from app.errors import Unavailable

_COUNT = """
import sys
from pathlib import Path
from app.auth.counters import SharedCounters
storage = SharedCounters(Path(sys.argv[1]))
print(flush=True)
sys.stdin.readline()  # until all are there
for _ in range(200):
    storage.count("k", 3600)
"""
_DIE = """
import os, signal, sys
from pathlib import Path
from app.auth import counters
with counters._environment(Path(sys.argv[1])).begin(write=True) as transaction:
    transaction.put(b"k", counters._VALUE.pack(100, 1e12))
    os.kill(os.getpid(), signal.SIGKILL)
"""
_DIE_READING = """
import os, signal, sys
from pathlib import Path
from app.auth import counters
counters._live = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
counters.SharedCounters(Path(sys.argv[1])).get("k")
"""


@pytest.fixture
def storage(tmp_path: Path) -> SharedCounters:
    """A storage of this process's."""
    return SharedCounters(tmp_path / "counters.lmdb")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the storage finds: the last one of these."""
    times = [1000.0]
    monkeypatch.setattr("app.auth.counters.time.time", lambda: times[-1])
    return times


def started(code: str, storage: SharedCounters) -> subprocess.Popen[bytes]:
    """Run code in a process that is given the file."""
    command = [sys.executable, "-c", code, str(storage._path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _ended(code: str, storage: SharedCounters) -> int:
    process = started(code, storage)
    process.communicate(timeout=60)
    return process.returncode


def test_no_count_is_lost_between_processes(storage: SharedCounters) -> None:
    processes = [started(_COUNT, storage) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    own = [storage.count("k", 3600)[0] for _ in range(200)]
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    assert storage.get("k") == 600
    assert own == sorted(set(own))


def test_a_process_that_dies_amid_a_count_holds_nobody_up(storage: SharedCounters) -> None:
    assert storage.count("k", 3600)[0] == 1
    assert _ended(_DIE, storage) == -signal.SIGKILL
    assert storage.count("k", 3600)[0] == 2


def test_a_process_that_dies_amid_a_look_keeps_no_room(storage: SharedCounters) -> None:
    for number in range(500):
        storage.count(str(number), 3600)
    assert _ended(_DIE_READING, storage) == -signal.SIGKILL
    size = storage._path.stat().st_size
    for number in range(5000):
        storage.count(str(number % 500), 3600)
    assert storage._path.stat().st_size <= size * 1.5


def test_a_machine_whose_memory_is_full_is_an_error_and_not_the_end_of_the_process(
    storage: SharedCounters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("app.auth.counters.os.posix_fallocate", full)
        with pytest.raises(OSError, match="No space left"):
            storage.count("k", 3600)
    assert storage.count("k", 3600)[0] == 1


def test_a_full_store_of_counts_is_no_defect(storage: SharedCounters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.auth.counters._SIZE", 64 * 1024)
    throttle = Throttle(storage, storage)

    def fill() -> None:
        for number in range(10_000):
            throttle.hit("5/minute", "api", str(number))

    with pytest.raises(Unavailable, match="can't be counted"):
        fill()


def test_a_window_begins_with_its_first_count_and_ends_for_good(storage: SharedCounters, clock: list[float]) -> None:
    assert storage.count("k", 60) == (1, 1060.0)
    clock.append(1059.0)
    assert storage.count("k", 60) == (2, 1060.0)
    clock.append(1060.0)
    assert (storage.get("k"), storage.get_expiry("k")) == (0, 1060.0)
    assert storage.count("k", 60) == (1, 1120.0)


def test_one_count_is_forgotten_or_all(storage: SharedCounters) -> None:
    for key in "abc":
        storage.count(key, 3600)
    storage.clear("a")
    assert [storage.get(key) for key in "abc"] == [0, 1, 1]
    assert storage.reset() == 2
    assert [storage.get(key) for key in "abc"] == [0, 0, 0]


def test_what_has_expired_is_deleted_in_steps_and_nothing_else(
    storage: SharedCounters, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "_SWEEP_EVERY", 10)
    monkeypatch.setattr(counters, "_SWEPT", 25)
    for number in range(100):
        storage.count(f"old-{number}", 60)
        storage.count(f"lasting-{number}", 10_000)
    clock.append(2000.0)
    for _ in range(100):
        storage.count("k", 10_000)
    left = storage.reset()
    assert left == 101
