"""Whose request is next: in their order, but each caller has some under way at most, and some that wait."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterable

from serving.connection import Connection

_SESSION = re.compile(rb"(?:^|;) *session_id=([^;]*)")


class Turns:
    """Requests that are here as a whole, and are not answered yet."""

    def __init__(self, at_once: int) -> None:
        """``at_once``: requests of one caller that may be under way."""
        self._at_once = at_once
        self._ready: deque[Connection] = deque()
        self._under_way: dict[bytes, int] = {}
        self._held: dict[bytes, dict[Connection, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._ready)

    def add(self, conn: Connection, caller: bytes) -> bool:
        """Let a request be answered in its turn; return False where it has to wait for others of its caller."""
        conn.caller = caller
        count = self._under_way.get(caller, 0)
        if count < self._at_once:
            self._under_way[caller] = count + 1
            self._ready.append(conn)
            return True
        self._held.setdefault(caller, {})[conn] = None
        return False

    def again(self, conn: Connection) -> None:
        """Let an answer that is under way go on in its turn."""
        self._ready.append(conn)

    def next(self) -> Connection:
        """Return whose turn it is."""
        return self._ready.popleft()

    def done(self, conn: Connection) -> Connection | None:
        """Take note that a request is answered; return the one that waits no longer for it, which has its turn now."""
        caller, conn.caller = conn.caller, None
        if caller is None:
            return None
        held = self._held.get(caller)
        if held:
            following = next(iter(held))
            self._forget(caller, following)
            self._ready.append(following)
            return following
        if self._under_way[caller] == 1:
            del self._under_way[caller]
        else:
            self._under_way[caller] -= 1
        return None

    def give_up(self, conn: Connection) -> None:
        """Let a request wait no longer for others of its caller."""
        caller, conn.caller = conn.caller, None
        if caller is not None:
            self._forget(caller, conn)

    def _forget(self, caller: bytes, conn: Connection) -> None:
        held = self._held[caller]
        del held[conn]
        if not held:
            del self._held[caller]


def caller_of(headers: Iterable[tuple[bytes, bytes]], address: str, proxies: int) -> bytes:
    """Return what tells callers apart before anybody has looked who they are: their credential, else their address.

    ``proxies``: how many proxies in front are believed about addresses. Whoever presents many credentials has turns for
    each of them; a wrong one is answered quickly, and the gateway counts by who it is.
    """
    forwarded: list[bytes] = []
    session = b""
    for name, value in headers:
        if name == b"authorization":
            return _digest(value)
        if name == b"cookie":
            found = _SESSION.search(value)
            session = found[1] if found else session
        elif name == b"x-forwarded-for" and proxies:
            forwarded += value.split(b",")
    if session:
        return _digest(session)
    if len(forwarded) >= proxies > 0:
        return forwarded[-proxies].strip()
    return address.encode()


def _digest(secret: bytes) -> bytes:
    return hashlib.blake2s(secret).digest()
