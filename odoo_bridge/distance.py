"""Distance of the database: how long a process waits for it at least."""

from __future__ import annotations

#: Statements of which the shortest wait counts: one that is slow by itself, or that waits for a lock, is no distance.
_OF = 50


class Distance:
    """The shortest wait of the latest statements, in seconds; 0 before there were any. Threads may note at once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._shortest = float("inf")
        self._noted = 0

    def note(self, seconds: float) -> None:
        """Take note of the wait for a statement."""
        if seconds < self._shortest:
            self._shortest = seconds
        self._noted += 1
        if self._noted >= _OF:
            self.seconds, self._shortest, self._noted = self._shortest, float("inf"), 0


#: That of this process's database, as all its connections find it.
measured = Distance()
