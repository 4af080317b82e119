"""What tells callers apart before anybody has looked who they are."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TypeAlias

#: Credentials that are remembered.
KNOWN = 10_000

#: An address, or the digest of a credential.
Caller: TypeAlias = str | bytes

_SESSION = re.compile(rb"(?:^|;)\s*session_id=([^;\s]*)")


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


class Callers:
    """Looks up who a request comes from, as far as the server can tell."""

    def __init__(self, proxies: int, place_of: Callable[[str], str]) -> None:
        """``proxies``: how many in front are believed; ``place_of`` leaves of an address what one client has."""
        self._proxies = proxies
        self._place_of = place_of
        self.known = Known()

    def address(self, headers: Iterable[tuple[bytes, bytes]], client: str) -> str:
        """Return the address that a request of the TCP client ``client`` comes from."""
        return self._place_of(address_of(headers, client, self._proxies))

    def of(self, headers: list[tuple[bytes, bytes]], client: str) -> tuple[tuple[Caller, ...], bytes | None]:
        """Return whom a request counts for, and its credential where that is not known yet.

        A credential that was good lately counts alone. Any other counts for its address too, so that made-up ones win
        nothing; and by itself, so that nobody has twice as much once it is known.
        """
        credential = credential_of(headers)
        if credential is None:
            return (self.address(headers, client),), None
        if credential in self.known:
            return (credential,), None
        return (self.address(headers, client), credential), credential


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


def _digest(secret: bytes) -> bytes:
    return hashlib.blake2s(secret).digest()
