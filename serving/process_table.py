"""Table of this server's processes, in memory that they share: the arbiter, and a place for each worker.

A place is given again when its worker is gone: whoever counts by place has few things to count.
"""

from __future__ import annotations

import mmap
import os
import struct

#: Workers that can be told apart, far more than anybody runs; those beyond are not in the table.
_PLACES = 256
_NUMBER = struct.Struct("=I")
_ARBITER, _WANTED, _FIRST = 0, 1, 2


class ProcessTable:
    """Memory of all workers, made before the fork. The arbiter and each worker write what they know; all of them read.

    Workers go by ``age``, gunicorn's number for each that an arbiter has started.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, (_FIRST + _PLACES) * _NUMBER.size)
        self._places: dict[int, int] = {}  # by age, in the arbiter

    @property
    def arbiter(self) -> int:
        """The arbiter's process id; 0 where none serves."""
        return self._read(_ARBITER)

    @property
    def wanted(self) -> int:
        """Number of workers that the arbiter means to have."""
        return self._read(_WANTED)

    def workers(self) -> dict[int, int]:
        """Return the workers' process ids by place."""
        pids = {place: self._read(_FIRST + place) for place in range(_PLACES)}
        return {place: pid for place, pid in pids.items() if pid}

    def want(self, workers: int) -> None:
        """In the arbiter: it looks after so many workers from now on."""
        self._write(_ARBITER, os.getpid())
        self._write(_WANTED, workers)

    def reserve(self, age: int) -> None:
        """In the arbiter, before the fork: keep the lowest free place for a worker."""
        taken = set(self._places.values())
        free = next((place for place in range(_PLACES) if place not in taken), None)
        if free is not None:
            self._places[age] = free

    def enter(self, age: int, pid: int) -> None:
        """In the worker, after the fork, or in the arbiter: the worker's process is there."""
        if age in self._places:
            self._write(_FIRST + self._places[age], pid)

    def leave(self, age: int) -> None:
        """In the arbiter: the worker's process has ended."""
        if age in self._places:
            self._write(_FIRST + self._places.pop(age), 0)

    def _read(self, index: int) -> int:
        number: int = _NUMBER.unpack_from(self._memory, index * _NUMBER.size)[0]
        return number

    def _write(self, index: int, number: int) -> None:
        _NUMBER.pack_into(self._memory, index * _NUMBER.size, number)


#: This server's: the module is imported before any worker is forked.
processes = ProcessTable()
