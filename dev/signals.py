"""Ending in order: SIGTERM and SIGHUP are handled as Ctrl-C is, and not in the middle of what must be whole."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Stopped(KeyboardInterrupt):
    """The process was asked to end by a signal; `exit_code` is what a shell expects then (128 + signal)."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.exit_code = 128 + number


def install() -> None:
    """Turn the signals that ask a process to end into Stopped, so that every `finally` runs."""
    owner = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() == owner:
            raise Stopped(number)
        # A forked child has nothing of ours to bring in order.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for number in ENDING:
        # A signal that is ignored from outside (nohup) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Hold the ending signals back while the block runs, and handle the first of them afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's alone
        return
    caught: list[int] = []
    before = {number: signal.getsignal(number) for number in ENDING}
    for number in ENDING:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, lambda n, frame: caught.append(n))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if caught:
            os.kill(os.getpid(), caught[0])


def end_with_parent() -> None:
    """Ask the kernel to send SIGTERM when the parent process is gone (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
