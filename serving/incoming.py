"""Bodies of requests that are answered while they come in: those of a POST whose type is a stream of records.

The application finds such a body as ``gatehouse.incoming`` of the environment. Where it needs more, it says so
(``wait``) and yields ``b""``; it is asked for its next piece once more has come, or all, or none for a moment.
Meanwhile no thread waits. Nothing is locked: either the loop has the connection, or the thread that makes the answer.
"""

from __future__ import annotations

import time

from serving.refusals import Refusal

#: Types of such bodies.
TYPES = (b"application/x-ndjson", b"text/csv")
#: Bytes that are collected before the application goes on, and as many may have come when it is not there for more.
PIECE = 64 * 1024
#: Seconds without more of it that are a pause, and that anything waits where it comes in a trickle without a pause.
PAUSE, OLDEST = 0.2, 1.0
TOO_LARGE = Refusal(413, "The body is longer than this server takes.", "request_entity_too_large")
TOO_SLOW = Refusal(408, "The body came too slowly.")
BROKEN_OFF = Refusal(400, "The body has been broken off.")
UNREAD = Refusal(
    413, "The answers to what has come are not read, and there is no room for more.", name="answers_unread"
)


class Incoming:
    """A body as far as it has come, and as far as the application has not taken it yet.

    ``is_whole``: all of it has come. ``is_pausing``: nothing came for a moment, and the client may be waiting for
    answers to what is here. ``failure``: why the rest will not come. ``wants_more``: the application waits.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0
        self.is_whole = False
        self.is_pausing = False
        self.failure: Refusal | None = None
        self.wants_more = False
        self._fresh_since: float | None = None
        self._came_at = 0.0

    # What the application calls.

    def take(self) -> bytes:
        """Return the bytes that have come since, and forget them."""
        pieces, self._pieces, self.size = self._pieces, [], 0
        return b"".join(pieces)

    def wait(self) -> None:
        """Say that there is nothing to do until more has come."""
        self.wants_more = True
        self.is_pausing = False

    # What the loop calls.

    @property
    def is_ready(self) -> bool:
        """True if the application has something to go on with."""
        return self.is_whole or self.is_pausing or self.failure is not None or self.size >= PIECE

    @property
    def is_fresh(self) -> bool:
        """True if something has come since the last pause."""
        return self._fresh_since is not None

    @property
    def pauses_at(self) -> float:
        """The time when what is here is answered, if no more comes (``time.monotonic``); only of a fresh one."""
        return min(self._came_at + PAUSE, (self._fresh_since or self._came_at) + OLDEST)

    def feed(self, data: bytes) -> None:
        """Add bytes that have come."""
        self._pieces.append(bytes(data))
        self.size += len(data)
        self._came_at = time.monotonic()
        self._fresh_since = self._fresh_since or self._came_at

    def end(self) -> None:
        """Take note that all has come."""
        self.is_whole = True

    def pause(self) -> None:
        """Take note that nothing comes for a moment."""
        self.is_pausing, self._fresh_since = True, None

    def fail(self, failure: Refusal) -> None:
        """Take note that the rest will not come."""
        self.failure = self.failure or failure

    def go_on(self) -> None:
        """Let the application go on."""
        self.wants_more = False
