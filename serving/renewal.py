"""A reload that a worker asks its arbiter for, because what the worker has loaded is outdated.

Both share a few bytes of memory, as in ``draining``: no signal, no file. A worker names what it suffers from, and the
circumstances that could have changed that; all workers of a host name the same. The arbiter tries the new version, as
at SIGHUP, and tells it what it is to cure (``VARIABLE``): a version that suffers from the same refuses to start. Then
the arbiter tries again after a pause that grows, or at once when the circumstances have changed.

A process that stands alone and does its work for long (``flask webhook run``) looks itself for what it is asked for
(``asked``), and becomes its successor (``succeed``).

Under any other server, and in other commands, nobody is there to be asked.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from serving import draining

#: What a trial is to cure, in its environment; a process that stands alone adds the circumstances for its successor.
VARIABLE = "GATEHOUSE_CURES"
#: Seconds between two tries in the same circumstances, at first and at most; and in others, at least.
_PAUSE, _LONGEST_PAUSE, _SHORTEST_PAUSE = 10.0, 300.0, 2.0

#: Whether an arbiter is there; what is asked for, and in which circumstances. Then what could not be cured, the last
#: first: workers may suffer from different things. 0 is nothing.
_ARBITER, _ASKED, _CIRCUMSTANCES, *_REFUSED = range(7)
_ONE = struct.Struct("=Q")
_memory = mmap.mmap(-1, 7 * _ONE.size)


@dataclass
class _Tried:
    """Memory of the arbiter's tries to cure one thing."""

    circumstances: int = 0
    pause: float = _PAUSE / 2
    ended: float = float("-inf")


_tried: dict[int, _Tried] = {}


def ask(disease: int, circumstances: int) -> None:
    """In a worker: ask for a reload; to be done again and again for as long as it is needed."""
    _write(_CIRCUMSTANCES, circumstances)
    _write(_ASKED, disease)


def is_hopeful(disease: int) -> bool:
    """True if a reload may still cure it: an arbiter is there, and the last try has not shown the contrary."""
    return _read(_ARBITER) == 1 and disease not in map(_read, _REFUSED)


def install(server: Any, reload: Callable[[str], None]) -> None:
    """In the arbiter: look once a second for what workers ask for; ``reload(cures)`` tries it."""
    look_after = server.murder_workers  # gunicorn's loop calls it at each round

    def look() -> None:
        look_after()
        disease = _read(_ASKED)
        if disease and not draining.is_draining() and _is_due(disease):
            server.log.info("A worker asks for a reload")
            reload(str(disease))

    _write(_ARBITER, 1)
    server.murder_workers = look


def asked() -> str:
    """In a process that stands alone: return what a successor could cure, with the circumstances; "" for nothing.

    What this process was begun for, and has not cured, is nothing until the circumstances are others.
    """
    disease, circumstances = _read(_ASKED), _read(_CIRCUMSTANCES)
    _write(_ASKED, 0)
    cures = f"{disease} {circumstances}"
    return cures if disease and cures != os.environ.get(VARIABLE) else ""


def succeed(cures: str = "") -> NoReturn:
    """Become the version on the disk, with the settings of now: the command line and the process id stay.

    SIGHUP waits until the successor has unblocked it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    # As it was when this process began: without what the environment file has added since.
    found = (line.partition(b"=") for line in Path("/proc/self/environ").read_bytes().split(b"\0") if line)
    environ = {os.fsdecode(name): os.fsdecode(value) for name, _, value in found}
    environ.pop(VARIABLE, None)
    more = {VARIABLE: cures} if cures else {}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ | more)  # noqa: S606  our own command line


def refused(cures: str) -> None:
    """In the arbiter: note that a try has failed; ``cures`` is empty where nobody but an admin has asked for it."""
    if cures:
        _note_refused(int(cures))
        _tried[int(cures)].ended = time.monotonic()


def _note_refused(disease: int) -> None:
    """Put it before the others, from the end on: what a worker looks for is there at each moment."""
    known = list(map(_read, _REFUSED))
    if disease not in known:
        for field, value in reversed(list(zip(_REFUSED, [disease, *known[:-1]], strict=True))):
            _write(field, value)


def _is_due(disease: int) -> bool:
    """True if it is time for a try; the answer yes counts as one."""
    circumstances = _read(_CIRCUMSTANCES)
    _write(_ASKED, 0)
    tried = _tried.setdefault(disease, _Tried())
    same = circumstances == tried.circumstances
    now = time.monotonic()
    if now - tried.ended < (tried.pause if same else _SHORTEST_PAUSE):
        return False
    tried.pause = min(2 * tried.pause, _LONGEST_PAUSE) if same else _PAUSE
    tried.circumstances, tried.ended = circumstances, now
    return True


def _read(field: int) -> int:
    value: int = _ONE.unpack_from(_memory, field * _ONE.size)[0]
    return value


def _write(field: int, value: int) -> None:
    _ONE.pack_into(_memory, field * _ONE.size, value)
