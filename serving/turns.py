"""Turns of requests: in their order, but each caller has some under way at most, and some that wait."""

from __future__ import annotations

from collections import Counter, deque

from serving.callers import Caller
from serving.connection import ClientConnection

#: Requests of one caller that may wait for its others; requests that may wait for a thread.
HELD, READY = 32, 512


class Turns:
    """Requests that are here as a whole, and are not answered yet. One may count for several callers."""

    def __init__(self, at_once: int) -> None:
        """``at_once``: requests of one caller that may be under way."""
        self._at_once = at_once
        self._ready: deque[ClientConnection] = deque()
        self._further: deque[ClientConnection] = deque()  # whose answers have begun
        self._was_further = False  # the last turn
        self._under_way: Counter[Caller] = Counter()
        self._held: dict[Caller, dict[ClientConnection, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._ready or self._further)

    def has_room(self, callers: tuple[Caller, ...]) -> bool:
        """True if a request more of these callers can be answered in its turn, or wait for it."""
        return len(self._ready) < READY and (
            self._may_begin(callers) or all(len(self._held.get(caller, ())) < HELD for caller in callers)
        )

    def add(self, conn: ClientConnection, callers: tuple[Caller, ...]) -> bool:
        """Let a request be answered in its turn; return False where it has to wait for others of its callers."""
        conn.callers = callers
        if self._may_begin(callers):
            self._begin(conn)
            return True
        for caller in callers:
            self._held.setdefault(caller, {})[conn] = None
        return False

    def again(self, conn: ClientConnection) -> None:
        """Let an answer that is under way go on in its turn."""
        self._further.append(conn)

    def next(self) -> ClientConnection:
        """Return the connection that has its turn: now one whose answer begins, now one whose answer goes on.

        A thousand answers that are woken by one event hold up no request, nor have it refused.
        """
        self._was_further = bool(self._further) and not (self._was_further and self._ready)
        return (self._further if self._was_further else self._ready).popleft()

    def done(self, conn: ClientConnection) -> list[ClientConnection]:
        """Take note that a request is answered; return those that wait no longer for it, whose turn it is now."""
        callers, conn.callers = conn.callers, ()
        for caller in callers:
            self._under_way[caller] -= 1
            if not self._under_way[caller]:
                del self._under_way[caller]
        following = []
        for caller in callers:
            for waiting in list(self._held.get(caller, ())):
                if self._may_begin(waiting.callers):
                    self._forget(waiting)
                    self._begin(waiting)
                    following.append(waiting)
        return following

    def give_up(self, conn: ClientConnection) -> None:
        """Let a request wait no longer for others of its callers."""
        self._forget(conn)
        conn.callers = ()

    def _may_begin(self, callers: tuple[Caller, ...]) -> bool:
        return all(self._under_way[caller] < self._at_once for caller in callers)

    def _begin(self, conn: ClientConnection) -> None:
        self._under_way.update(conn.callers)
        self._ready.append(conn)

    def _forget(self, conn: ClientConnection) -> None:
        for caller in conn.callers:
            held = self._held[caller]
            del held[conn]
            if not held:
                del self._held[caller]
