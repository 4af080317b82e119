"""Threads that lead an event loop in turn (Leader/Followers: Schmidt et al., Pattern-Oriented Software Architecture 2).

A thread that is handed each request has to be woken, wants the interpreter's lock from the one that woke it, and has
to wake that one again. So the leader answers a request itself, and only where that takes long another one leads on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: Seconds between two looks at a leader that is away: one who has mostly waited in between need not be waited for.
LOOK_SECONDS = 0.002


class Crew:
    """Threads of which one leads, while the main thread watches that it is never away for long."""

    def __init__(self, name: str, size: int, lead: Callable[[], bool], patience: Callable[[], float]) -> None:
        """``lead`` is called in the thread that is to lead: until another one does (False), or all is done (True).

        ``patience`` returns the seconds that a leader may be away; 0 lets another one lead at once.
        """
        self._name = name
        self._size = size
        self._lead = lead
        self._patience = patience
        self._lock = threading.Lock()
        self._appointments = threading.Semaphore(0)
        self._leader: int | None = None
        self._away_since: float | None = None
        self._has_left = threading.Event()
        self._is_over = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Start the threads, after the fork, and return when all is done; raises what the leader has raised.

        Called by the main thread, which does nothing else: whatever the others do, it is there for signals.
        """
        for number in range(self._size):
            threading.Thread(target=self._serve, name=f"{self._name}-{number}", daemon=True).start()
        self._appointments.release()
        while not self._is_over.is_set():
            self._has_left.wait()
            self._has_left.clear()
            self._watch()
        if self._error is not None:
            raise self._error

    def leave(self) -> None:
        """Called by the leader: it does something that may take long, and can be no leader any more when it returns."""
        self._away_since = since = time.monotonic()
        if not self._patience():
            self._appoint(since)
        elif not self._has_left.is_set():
            self._has_left.set()

    def come_back(self) -> bool:
        """Called by who was the leader when it left; return True if it still is, False where another one leads now."""
        with self._lock:
            if self._leader != threading.get_ident():
                return False
            self._away_since = None
            return True

    def wake(self) -> None:
        """Wake the main thread, which runs Python's handlers of signals."""
        self._has_left.set()

    def _watch(self) -> None:
        """Wait until the leader is back; let another thread lead where that takes too long, or where it only waits."""
        patience = self._patience()
        look, used = min(patience, LOOK_SECONDS), time.process_time()
        while not self._is_over.wait(look) and (since := self._away_since) is not None:
            before, used = used, time.process_time()
            away = time.monotonic() - since
            if away >= patience or (away >= look and used - before < look / 2):
                self._appoint(since)
                return

    def _appoint(self, since: float) -> None:
        """Let another thread lead, unless the leader that has left then has come back."""
        with self._lock:
            if self._away_since is not since:
                return
            self._away_since = self._leader = None
        self._appointments.release()

    def _serve(self) -> None:
        while not self._is_over.is_set():
            self._appointments.acquire()
            self._leader = threading.get_ident()
            try:
                is_over = self._lead()
            except BaseException as error:  # noqa: BLE001  it is raised by the main thread
                self._error, is_over = error, True
            if is_over:
                self._is_over.set()
                self._has_left.set()
