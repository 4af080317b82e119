"""Long answers: made piece by piece from one snapshot, and cut as soon as the call would be refused by now.

Between two pieces no thread is held: whichever is free makes the next one once the client has taken those before. A
look at the caller and the API is taken every second, in a transaction of its own.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from app.errors import ApiError, TooManyRequests, Unavailable
from app.operations.openings import Opened
from odoo_bridge.errors import BridgeError
from serving.long_answers import Cut

_logger = logging.getLogger(__name__)
#: Seconds between two looks at whether the call would still be admitted.
LOOK = 1.0
#: Reasons for an end.
STOPPING, _GONE = "The server is about to stop.", "The client has gone, or has taken too little at a time."


class Capacity:
    """Number of long answers that this process makes at once: fewer than it has threads, so that others have some."""

    def __init__(self, most: int) -> None:
        self._places = threading.BoundedSemaphore(most)

    def take(self) -> Callable[[], None]:
        """Take a place, and return the function that gives it back; raises Unavailable where all are taken."""
        if not self._places.acquire(blocking=False):
            message = "All that this server has for exports is taken at the moment."
            raise Unavailable(message, name="exports_busy", retry_after=5)
        return self._places.release


class Places:
    """Places for long answers of this process that no thread waits for, and how many of them one caller can have."""

    def __init__(
        self,
        most: int,
        each: int,
        what: str,
        too_many: Callable[..., TooManyRequests],
        busy: Callable[..., Unavailable],
    ) -> None:
        """``what`` they are stands in messages; ``too_many`` and ``busy`` make errors with their names."""
        self._most = most
        self._each = each
        self._what = what
        self._too_many = too_many
        self._busy = busy
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, caller: str) -> Callable[[], None]:
        """Take a place, and return the function that gives it back; raises TooManyRequests and Unavailable."""
        with self._lock:
            if self._taken[caller] >= self._each:
                message = f"A caller has {self._each} {self._what} at once at most in a worker. Wait for one to end."
                raise self._too_many(message, retry_after=5)
            if self._taken.total() >= self._most:
                message = f"All that this server has for {self._what} is taken at the moment."
                raise self._busy(message, retry_after=5)
            self._taken[caller] += 1
        return partial(self._give_back, caller)

    def _give_back(self, caller: str) -> None:
        with self._lock:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]


@dataclass(frozen=True, slots=True)
class Ended:
    """End of a long answer: its bytes, and the reason why it was cut, None where it was not."""

    size: int
    reason: str | None


class Stream(Protocol):
    """An answer that is made while it is sent, as the log sees it. ``error`` is the name of its end where it is cut."""

    error: str

    @property
    def records(self) -> int:
        """The records so far."""

    def on_end(self, function: Callable[[Ended], None]) -> None:
        """Have a function called once, when it has ended; at once where it has."""

    def meter(self, api: str, ended: Ended) -> None:
        """Count it once it has ended."""


class Streamed(Iterator[bytes]):
    """Pieces of an answer that is made while it is sent. ``close`` ends it in any case."""

    def __init__(self, seconds: float, is_ending: Callable[[], bool]) -> None:
        """``seconds`` is how long it may take. ``is_ending`` returns True once the server wants all answers to end."""
        self._until = time.monotonic() + seconds
        self._is_ending = is_ending
        self._size = 0
        self._reason: str | None = _GONE
        self._is_closed = False
        self._on_end: list[Callable[[Ended], None]] = []

    def on_end(self, function: Callable[[Ended], None]) -> None:
        """Have a function called once, when it has ended; at once where it has."""
        if self._is_closed:
            function(Ended(self._size, self._reason))
        else:
            self._on_end.append(function)

    def close(self) -> None:
        """End it, and give back what it holds. It can be called again."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._reason == _GONE:
            self._reason = self._why_it_ends() or _GONE
        on_end, self._on_end = self._on_end, []  # a reference cycle: only the garbage collector would free it
        with contextlib.ExitStack() as stack:  # each is done, whatever the others raise
            for function in on_end:
                stack.callback(function, Ended(self._size, self._reason))
            stack.callback(self._release)

    def head_is_all(self) -> None:
        """End it before its first piece: the client wants no more than the head."""
        self._reason = None
        self.close()

    def __del__(self) -> None:
        """End it where nobody has come to send it: something failed between its beginning and its head."""
        self.close()

    def _close_whole(self) -> None:
        """Close it where all of it is made: what fails then takes nothing from the client."""
        try:
            self.close()
        except Exception:
            _logger.exception("Unexpected error at the end of an answer")

    def _release(self) -> None:
        """Give back what it holds."""

    def _why_it_ends(self) -> str | None:
        """Return the reason why the server ends it now, None where it does not."""
        if time.monotonic() > self._until:
            return "It took longer than the server allows."
        return STOPPING if self._is_ending() else None

    def _cut(self, reason: str) -> Cut:
        self._reason = reason
        return Cut(reason)


class LongAnswer(Streamed):
    """An answer of one snapshot. One that can't be finished raises Cut."""

    def __init__(
        self,
        opened: Opened[Any],
        pieces: Iterator[bytes],
        seconds: float,
        look: Callable[[], None],
        is_ending: Callable[[], bool],
    ) -> None:
        """``look`` raises ApiError or BridgeError once the call is refused."""
        super().__init__(seconds, is_ending)
        self._opened = opened
        self._pieces = pieces
        self._look = look
        self._looked_at = time.monotonic()

    def __next__(self) -> bytes:
        """Return the next piece. Raises Cut where there is more, which can't or may not be had."""
        try:
            self._check()
            opened, seconds = self._opened, min(self._opened.seconds, max(0.1, self._until - time.monotonic()))
            piece = opened.snapshot.step(lambda root: next(self._pieces, None), seconds, testing=opened.testing)
        except (ApiError, BridgeError) as error:
            # The last step has no more than what is left of the time of all.
            raise self._cut(self._why_it_ends() or error.message) from error
        except Cut:
            raise
        except BaseException:
            self._reason = "Something went wrong on the server."
            raise
        if piece is None:
            self._reason = None
            self._close_whole()  # before the client has its last bytes, and may come with its next call
            raise StopIteration
        self._size += len(piece)
        return piece

    def _release(self) -> None:
        self._opened.snapshot.close()

    def _check(self) -> None:
        """Raise Cut where the answer may not go on."""
        reason = self._why_it_ends()
        if reason is not None:
            raise self._cut(reason)
        if time.monotonic() - self._looked_at >= LOOK:
            self._look()
            self._looked_at = time.monotonic()
