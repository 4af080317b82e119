"""How many connections each worker holds, in memory that the workers of one arbiter share.

The kernel gives a new connection to whoever asks first, and the one that is awake asks first: a client's kept
connections end up at one worker while the others idle.
"""

from __future__ import annotations

import mmap
import struct

#: Workers that can be told apart; of more, two share a place and wait a little more often than they need.
_PLACES = 256
_COUNT = struct.Struct("=I")


class Board:
    """Made before the workers are forked; each then writes to its own place. 0 says that nobody is there."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _PLACES * _COUNT.size)

    def write(self, place: int, connections: int) -> None:
        """Note how many connections a worker holds."""
        _COUNT.pack_into(self._memory, place % _PLACES * _COUNT.size, connections + 1)

    def leave(self, place: int) -> None:
        """Note that a worker is gone."""
        _COUNT.pack_into(self._memory, place % _PLACES * _COUNT.size, 0)

    def is_freer(self, connections: int) -> bool:
        """Whether some worker holds fewer than so many connections."""
        return any(0 < count <= connections for (count,) in _COUNT.iter_unpack(self._memory[:]))
