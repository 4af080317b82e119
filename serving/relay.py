"""A relay of threads: one of them leads, and does what it finds to do by itself; who takes long passes the lead on.

The pattern is known as leader and followers. A short call costs no change of threads, and calls that are busy in Python
do not take the interpreter's lock from each other; a call that waits, for the database or for a slow client, holds
nobody up for longer than LEASE.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

#: Seconds after which the lead is taken from a thread that is at a work, and between two looks at it.
LEASE = 0.02
TICK = 0.01
#: Seconds that the watching thread sleeps at most where nothing is done.
_NAP = 1.0


class Relay:
    """Threads that lead by turns. One more than may be at long works at once, so that one is always left to lead."""

    def __init__(self, threads: int, lead: Callable[[], None]) -> None:
        """``lead`` does work by ``run``. It returns when that tells it that its thread leads no longer."""
        self._threads = threads
        self._lead = lead
        self._turns: SimpleQueue[bool] = SimpleQueue()
        self._lock = threading.Lock()
        self._turn = 0
        self._long = 0
        self._began: float | None = None
        self._runs = 0
        self._watched = 0
        self._asleep = False
        self._alarm: SimpleQueue[None] = SimpleQueue()
        self.is_over = False
        self.error: BaseException | None = None

    @property
    def has_room(self) -> bool:
        """Whether the leader may do a work that can turn out to be long."""
        return self._long < self._threads

    def start(self) -> None:
        """Start the threads, and let one of them lead."""
        for number in range(self._threads + 1):
            threading.Thread(target=self._follow, name=f"relay-{number}", daemon=True).start()
        self._turns.put(True)

    def stop(self) -> None:
        """Let ``watch`` return, and no thread lead any more. What is done now is done to its end."""
        self.is_over = True
        for _ in range(self._threads + 1):
            self._turns.put(False)
        self.wake()

    def run(self, work: Callable[[], None], *, long: bool = False) -> bool:
        """In the leader: do some work, and return whether this thread still leads. ``long`` works pass it on first."""
        turn = self._turn
        self._began = time.monotonic()
        self._runs += 1
        if long:
            self._pass_on(turn)
        elif self._asleep:
            self.wake()
        try:
            work()
        finally:
            with self._lock:
                leads = self._turn == turn
                if leads:
                    self._began = None
                else:
                    self._long -= 1
        return leads

    def watch(self) -> None:
        """In a thread that does nothing else, again and again: wait a little, and look after the leader."""
        if self._began is None and self._runs == self._watched:
            self._asleep = True
            if self._began is None:  # not since the line before, either
                with contextlib.suppress(Empty):
                    self._alarm.get(timeout=_NAP)
            self._asleep = False
        self._watched = self._runs
        time.sleep(TICK)
        turn, began = self._turn, self._began
        if began is not None and time.monotonic() - began > LEASE:
            self._pass_on(turn)

    def wake(self) -> None:
        """Let ``watch`` not sleep for long; may be called in a signal handler."""
        self._asleep = False
        self._alarm.put(None)

    def _pass_on(self, turn: int) -> None:
        """Take the lead from the thread whose turn it is, unless its work has just been done."""
        with self._lock:
            if self._turn == turn and self._began is not None:
                self._turn += 1
                self._long += 1
                self._began = None
                self._turns.put(True)

    def _follow(self) -> None:
        while self._turns.get():
            try:
                self._lead()
            except BaseException as error:  # noqa: BLE001  nobody leads any more: who watches has to know
                self.error = error
                self.stop()
