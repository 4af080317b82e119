"""Load of each worker, in memory that the workers of one arbiter share.

The kernel gives a new connection to whoever asks first, and the one that is awake asks first: a client's kept
connections end up at one worker while the others idle.
"""

from __future__ import annotations

import mmap
import struct

#: Workers that can be told apart; of more, two share a place and wait a little more often than they need.
_PLACES = 256
_ENTRY = struct.Struct("=dd")
#: Seconds after which a worker that has not written counts as dead or frozen: an idle one writes twice a second.
_FRESH = 1.5


class Board:
    """Memory of all workers, made before the fork: each writes to its own place load + 1, and when. 0 says nobody."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _PLACES * _ENTRY.size)

    def write(self, place: int, load: int, now: float) -> None:
        """Publish a worker's load; ``now`` is ``time.monotonic()``, which all processes share."""
        _ENTRY.pack_into(self._memory, place % _PLACES * _ENTRY.size, load + 1, now)

    def leave(self, place: int) -> None:
        """Note that a worker is gone."""
        _ENTRY.pack_into(self._memory, place % _PLACES * _ENTRY.size, 0, 0)

    def is_any_below(self, load: int, now: float) -> bool:
        """True if some worker that lives is less loaded."""
        return any(0 < count <= load and now - at < _FRESH for count, at in _ENTRY.iter_unpack(self._memory[:]))
