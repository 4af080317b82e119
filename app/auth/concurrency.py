"""Calls under way of each caller in this process, counted so that nobody takes all of its threads.

The server already holds requests with the same credential back (``serving.turns``); here who it is counts, whatever
the credential.
"""

from __future__ import annotations

import threading

from app.config import Settings
from app.errors import TooManyRequests


class Concurrency:
    """Counts the calls that are under way."""

    def __init__(self, most: int) -> None:
        """``most``: calls of one caller."""
        self._most = most
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def enter(self, caller: str) -> None:
        """Count a call that begins. Raises TooManyRequests where its caller has too many under way."""
        with self._lock:
            count = self._counts.get(caller, 0)
            if count < self._most:
                self._counts[caller] = count + 1
                return
        raise TooManyRequests(
            f"A caller has {self._most} calls under way at most. Wait for one to end.",
            retry_after=1,
            name="too_many_at_once",
        )

    def leave(self, caller: str) -> None:
        """Take note that a call has ended."""
        with self._lock:
            if self._counts[caller] == 1:
                del self._counts[caller]
            else:
                self._counts[caller] -= 1


def make_concurrency(settings: Settings) -> Concurrency:
    """Return the counter of this process's calls.

    What the server knows of a caller has its turns (``serving.turns``). What it does not know yet, a new token for
    example, comes on top; but one thread is for others in any case.
    """
    return Concurrency(max(settings.at_once, min(2 * settings.at_once, settings.threads - 1)))
