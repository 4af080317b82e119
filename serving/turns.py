"""Whose request is next: in their order, but each caller has some under way at most, and some that wait."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

from serving.connection import Connection

#: Requests of one caller that may wait for its others; requests that may wait for a thread; credentials remembered.
HELD, READY, KNOWN = 32, 512, 10_000

_SESSION = re.compile(rb"(?:^|;)\s*session_id=([^;\s]*)")


class Turns:
    """Requests that are here as a whole, and are not answered yet."""

    def __init__(self, at_once: int) -> None:
        """``at_once``: requests of one caller that may be under way."""
        self._at_once = at_once
        self._ready: deque[Connection] = deque()
        self._under_way: dict[str | bytes, int] = {}
        self._held: dict[str | bytes, dict[Connection, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._ready)

    def has_room(self, caller: str | bytes) -> bool:
        """Whether a request more of this caller can wait for its turn."""
        return len(self._held.get(caller, ())) < HELD and len(self._ready) < READY

    def add(self, conn: Connection, caller: str | bytes) -> bool:
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

    def _forget(self, caller: str | bytes, conn: Connection) -> None:
        held = self._held[caller]
        del held[conn]
        if not held:
            del self._held[caller]


class Known:
    """Credentials that were found good lately. Others do not tell callers apart: anybody can make some up."""

    def __init__(self) -> None:
        self._digests: OrderedDict[bytes, None] = OrderedDict()

    def add(self, credential: bytes) -> None:
        """Remember a credential; called by the threads that have answered its requests."""
        self._digests[credential] = None
        while len(self._digests) > KNOWN:
            self._digests.popitem(last=False)

    def __contains__(self, credential: bytes) -> bool:
        return credential in self._digests


def credential_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return a digest of the credential that a request carries: a header, else Odoo's session; None without one."""
    session = b""
    for name, value in headers:
        if name == b"authorization":
            return _digest(value)
        if name == b"cookie":
            found = _SESSION.search(value)
            session = found[1] if found else session
    return _digest(session) if session else None


def address_of(headers: Iterable[tuple[bytes, bytes]], client: str, proxies: int) -> str:
    """Return the address that a request comes from; ``proxies``: how many in front are believed about that."""
    if not proxies:
        return client
    forwarded = [part for name, value in headers if name == b"x-forwarded-for" for part in value.split(b",")]
    return forwarded[-proxies].decode("latin-1").strip() if len(forwarded) >= proxies else client


def caller_of(
    headers: list[tuple[bytes, bytes]], client: str, proxies: int, known: Known, place_of: Callable[[str], str]
) -> tuple[str | bytes, bytes | None]:
    """Return what tells callers apart before anybody has looked who they are, and their credential.

    That is a credential that was good lately, else the address, of which ``place_of`` leaves what one client has.
    """
    credential = credential_of(headers)
    if credential is not None and credential in known:
        return credential, credential
    return place_of(address_of(headers, client, proxies)), credential


def _digest(secret: bytes) -> bytes:
    return hashlib.blake2s(secret).digest()
