"""What a process gives back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys

#: mallopt(3): how many arenas glibc may have, and the number that Odoo's own server takes (odoo/service/server.py).
_M_ARENA_MAX, _ARENAS = -8, 2


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
    if _is_glibc():
        ctypes.CDLL(None).malloc_trim(0)
    gc.freeze()


def _is_glibc() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
