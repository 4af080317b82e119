"""One process at a time does what two must not do at once."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from dev import paths
from dev.steps import say


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file `path` while the block runs; another process waits, says so, and finds the work done.

    The kernel lets go of it when the process ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command prepares at the moment; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def preparing() -> contextlib.AbstractContextManager[None]:
    """Let one process at a time prepare what lies in `.local`."""
    return alone(paths.LOCAL / "prepare.lock")
