"""Threads that do what they are given, in its order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeAlias

Work: TypeAlias = Callable[[], None]


class Threads:
    """A queue of works and the threads that do them; they end with the process."""

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._count = count
        self._queue: SimpleQueue[Work] = SimpleQueue()

    def start(self) -> None:
        """Start the threads; after the fork."""
        for number in range(self._count):
            threading.Thread(target=self._serve, name=f"{self._name}-{number}", daemon=True).start()

    def do(self, work: Work) -> None:
        """Let a thread do some work, which raises nothing."""
        self._queue.put(work)

    def _serve(self) -> None:
        while True:
            self._queue.get()()
