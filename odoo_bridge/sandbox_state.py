"""The limits that the current thread works in, and functions that do something else within them.

A call in test mode keeps in all that would remain or go out; a call that may only read keeps in its transaction alone.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .errors import BridgeError, Rejected


class SandboxRefusal(Rejected):
    """Test mode does not let a call do something."""


class State(threading.local):
    """The state of one thread.

    ``cursor`` is the real cursor that everything is kept in, None outside; ``testing`` tells test mode from a call
    that may only read, and from a batch; ``nested`` makes the cursors that are asked for meanwhile; ``refused`` is the
    first thing that was refused.
    ``ways_out`` counts, at any time, what can write past the call's own transaction.
    ``threads`` counts threads that run inside of this one, and ``waited`` the seconds that these have waited.
    """

    cursor: Any = None
    testing: bool = False
    nested: Callable[[Any], Any] | None = None
    refused: SandboxRefusal | None = None
    ways_out: int = 0
    threads: int = 0
    waited: float = 0.0


state = State()


@contextmanager
def keeping_in(cursor: Any, *, testing: bool, nested: Callable[[Any], Any] | None = None) -> Iterator[None]:
    """Keep in what this thread does meanwhile; ``nested`` makes a cursor within the real one."""
    if state.cursor is not None:
        raise BridgeError("Test mode does not nest.")
    state.cursor, state.testing, state.refused, state.threads, state.waited = cursor, testing, None, 0, 0.0
    state.nested = nested
    try:
        yield
    finally:
        state.cursor, state.testing, state.nested = None, False, None


def kept_in(
    owner: Any,
    name: str,
    *,
    way_out: bool = False,
    reading: bool = False,
    together: bool = False,
    database: Callable[[Any], str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Replace a function by one that does something else in test mode, and what it always did outside.

    ``reading`` says that calls that may only read, and batches, are meant too, ``together`` batches alone; ``way_out``
    that it can write past the transaction. ``database`` returns the database of the function's first argument: another
    one is no matter of a batch.
    """

    def decorate(inside: Callable[..., Any]) -> Callable[..., Any]:
        outside = getattr(owner, name)

        @functools.wraps(outside)
        def chosen(*arguments: Any, **options: Any) -> Any:
            if way_out:
                state.ways_out += 1
            in_batch = state.nested is not None
            kept = state.cursor is not None and (state.testing or reading or (together and in_batch))
            if kept and in_batch and database is not None:
                kept = database(arguments[0]) == state.cursor.dbname
            return (inside if kept else outside)(*arguments, **options)

        setattr(owner, name, chosen)
        return inside

    return decorate


def refused(message: str, kind: str) -> SandboxRefusal:
    """Return the error for something that test mode does not let a call do, and keep the first one of the call."""
    error = SandboxRefusal(message, name=f"test_mode_no_{kind}")
    state.refused = state.refused or error
    return error
