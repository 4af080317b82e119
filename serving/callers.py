"""Callers told apart before anybody has looked who they are."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

#: Credentials that are remembered.
KNOWN = 10_000

#: An address (str); the digest of a credential or the name of who it turned out to be (bytes).
Caller: TypeAlias = str | bytes

_SESSION = re.compile(rb"(?:^|;)\s*session_id=([^;\s]*)")


@dataclass(frozen=True, slots=True)
class Origin:
    """Callers that a request counts for; the digest of its credential, if any, and if that was good when last used."""

    callers: tuple[Caller, ...]
    credential: bytes | None = None
    is_known: bool = False


class Callers:
    """Known callers: the credentials that were found good, and whose they are; those used last stay."""

    def __init__(self, proxies: int, place_of: Callable[[str], str]) -> None:
        """``proxies``: how many in front are believed; ``place_of`` leaves of an address what one client has."""
        self._proxies = proxies
        self._place_of = place_of
        self._known: OrderedDict[bytes, bytes] = OrderedDict()

    def address(self, headers: Iterable[tuple[bytes, bytes]], client: str) -> str:
        """Return the address that a request of the TCP client ``client`` comes from."""
        return self._place_of(address_of(headers, client, self._proxies))

    def vouch(self, credential: bytes, principal: str) -> None:
        """Take note that a credential is good, and who calls with it."""
        self._known[credential] = b"principal " + principal.encode()
        self._known.move_to_end(credential)
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)

    def forget(self, credential: bytes) -> None:
        """Take note that a credential is not good, or is no longer: who has it must not use up another's turns."""
        self._known.pop(credential, None)

    def origin(self, headers: list[tuple[bytes, bytes]], client: str) -> Origin:
        """Return the origin of a request.

        One whose credential is known counts for who that is, whichever of their credentials it is. Any other counts
        for its address, so that made-up ones win nothing. Both count for the credential, so that nobody has twice as
        much under way at the time when it becomes known.
        """
        credential = credential_of(headers)
        if credential is None:
            return Origin((self.address(headers, client),))
        principal = self._known.get(credential)
        if principal is None:
            return Origin((self.address(headers, client), credential), credential)
        self._known.move_to_end(credential)
        return Origin((principal, credential), credential, is_known=True)


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
