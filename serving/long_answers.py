"""Long answers: those that the application ends on purpose, and that no thread waits for.

The application calls ``gatehouse.long`` of the environment, where it is there, with the seconds that its answer may
take; ``gatehouse.is_ending`` returns True once the server wants all answers to end.

One that has nothing to send for now rests: where it is asked for its next piece, it calls ``gatehouse.rest`` with
seconds, and yields ``b""``. It is asked again when these are over (the loop looks twice a second), when its own time
is, once the server drains, and as soon as any thread calls ``gatehouse.wake``. Both are there for all requests but
those with ``gatehouse.incoming``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from serving.refusals import Refusal

#: In place of an answer that is cut before its head.
NOT_BEGUN = Refusal(503, "The answer could not be begun. Please try again.", "unavailable")


class Cut(Exception):
    """End of an answer where it is, without its last chunk: no client takes a part for the whole."""


class Rest:
    """Rest of an answer, ``until`` a time (``time.monotonic``) or until it is woken.

    Nothing is locked. A wake-up is noted first, and the loop told then; it is forgotten when the answer is about to be
    asked for a piece, which knows by then why it was woken. So none is lost: where it comes before the rest, or before
    the loop has taken note of that, there is no rest; later the loop hears of it.
    """

    def __init__(self, on_wake: Callable[[], None]) -> None:
        """``on_wake``, called by any thread, has the loop look whether it lasts."""
        self.until = -math.inf
        self._on_wake = on_wake
        self._is_woken = False

    # What the application calls, in any thread.

    def wake(self) -> None:
        """End it, or the next one where there is none: more can be had."""
        if not self._is_woken:  # else the loop knows, or will see
            self._is_woken = True
            self._on_wake()

    # What the thread calls that makes the answer.

    def begin(self, until: float) -> None:
        """Take note that there is nothing to send until then."""
        self.until = until

    def end(self) -> None:
        """Take note that the answer is about to be asked for more."""
        self.until, self._is_woken = -math.inf, False

    def close(self) -> None:
        """Take note that there is no answer any more: who wakes it now wakes nobody."""
        self._on_wake = _nobody

    @property
    def has_begun(self) -> bool:
        """True if the answer has asked for it since it was asked for more."""
        return self.until > -math.inf

    # What the loop calls.

    @property
    def lasts(self) -> bool:
        """True if it is not over."""
        return self.until > time.monotonic() and not self._is_woken


def _nobody() -> None:
    """Wake nobody."""
