"""Clients that call all the time, beside what a test does to the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.server.conftest import wait_until

T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a call has given, and when it began and ended (``time.monotonic``)."""

    began: float
    ended: float
    value: T


class Load(Generic[T]):
    """Threads that each make a call time and again while the block runs, and keep what it gives."""

    def __init__(self, calls: Sequence[Callable[[], T]], *, pause: float = 0) -> None:
        """``calls``: one for each thread; ``pause``: seconds between two of them."""
        self.answers: list[Answer[T]] = []
        self._pause = pause
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(call,), daemon=True) for call in calls]

    def __enter__(self) -> Load[T]:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "a call has not come back"

    def since(self, moment: float) -> list[T]:
        """Return what the calls gave that began after a moment."""
        return [answer.value for answer in list(self.answers) if answer.began >= moment]

    def wait_for(self, number: int) -> None:
        """Return once so many more calls that began from now on have been answered."""
        now = time.monotonic()
        wait_until(lambda: len(self.since(now)) >= number, 60)

    def _run(self, call: Callable[[], T]) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            value = call()
            self.answers.append(Answer(began, time.monotonic(), value))
            self._over.wait(self._pause)
