"""Memory that a process gives back to the system."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys

#: mallopt(3): how many arenas glibc may have, and the number that Odoo's own server takes (odoo/service/server.py).
_M_ARENA_MAX, _ARENAS = -8, 2
#: Bytes that a process has to grow by before it is looked through for free memory.
_WORTH_IT = 4 * 1024 * 1024


def limit_arenas() -> None:
    """Let threads share their memory: by default glibc keeps an arena for each of them, and what is free in it."""
    if _is_glibc():
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def settle() -> None:
    """Give back what loading has left over, 5 MB, and move the rest out of the garbage collector's reach.

    Before a fork: what the collector does not look at stays shared between the processes. How often it looks at the
    rest is Odoo's to say (odoo/init.py: 12,000 new objects, where Python has 700); more gained nothing that could be
    measured.
    """
    gc.collect()
    _trim()
    gc.freeze()


class Slack:
    """Slack that large calls leave behind in a process: free memory, which glibc keeps for the next ones.

    A worker that has created a thousand records at once holds 5 MB of it.
    """

    def __init__(self) -> None:
        self._settled = _resident()

    def give_back(self) -> bool:
        """Give it back to the system where the process has grown; return whether it was tried. Takes some 4 ms."""
        if _resident() - self._settled < _WORTH_IT:
            return False
        _trim()
        self._settled = _resident()
        return True


def _resident() -> int:
    """Return the bytes of this process in memory, shared ones too; 0 where the system does not tell (proc(5))."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def _trim() -> None:
    if _is_glibc():
        ctypes.CDLL(None).malloc_trim(0)


def _is_glibc() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
