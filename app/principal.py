"""Credentials as a request carries them, and the principal that they turn out to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials of a request; nothing of them has been checked.

    ``authorization`` is the header whole, ``address`` the caller's own, as far as trusted proxies tell it. ``client``
    is the row of a client app that the panel's console calls as; no request from outside carries one. ``resource`` is
    the one that tokens are asked for, where the request has come in there (RFC 8707); None everywhere else.
    """

    session_id: str | None = None
    authorization: str | None = None
    address: str = ""
    client: int | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller that is known.

    ``uid`` is the Odoo user that executes the call; ``key`` is the same text for all calls of this caller and for
    nobody else's. ``scopes`` are None where the caller may do all that the user may; ``client`` names a client app,
    and ``url`` a client that describes itself and calls as that one.
    """

    kind: Literal["public", "session", "key", "client", "person"]
    uid: int
    key: str
    scopes: tuple[str, ...] | None = None
    client: str | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A person in front of a browser, by Odoo's session."""

    uid: int
    login: str
    administrator: bool = False
