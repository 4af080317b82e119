"""The longest time of a call: its SQL statements get no more than is left of it, and bulk calls stop between items.

It is a matter of the thread, as a call has one. What Python does without the database is not interrupted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import TooCostly


class CallTimeout(TooCostly):
    """The call has used up its time."""

    name = "call_timeout"

    def __init__(self) -> None:
        super().__init__("The call took longer than the server allows. Ask for less at once.")


class _Here(threading.local):
    ends: float | None = None


_here = _Here()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limit the time of the block; a call within a call has the time of the outer one."""
    before = _here.ends
    if before is None:
        _here.ends = time.monotonic() + seconds
    try:
        yield
    finally:
        _here.ends = before


@contextmanager
def lifted() -> Iterator[None]:
    """Lift the limit for the block, which ends a call and keeps its work."""
    before, _here.ends = _here.ends, None
    try:
        yield
    finally:
        _here.ends = before


def remaining() -> float | None:
    """Return the seconds that are left, None where there is no limit."""
    ends = _here.ends
    return None if ends is None else ends - time.monotonic()


def is_over() -> bool:
    """True if no time is left."""
    left = remaining()
    return left is not None and left <= 0


def lift() -> None:
    """Take the limit away for the rest of this try of the call: it only has to come to its end."""
    _here.ends = None


def mark() -> float | None:
    """Return the present limit, for ``restore``."""
    return _here.ends


def restore(limit: float | None) -> None:
    """Let a limit hold again that was there: at each new try."""
    _here.ends = limit
