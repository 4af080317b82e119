"""A client app as an admin writes it: an entry of ``clients:`` in a definition file, or the options of a command."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from app.clients.store import LIFETIME
from app.definitions.document import Strict
from app.definitions.scopes import DEFAULT_SCOPES, SCOPES

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


class ClientDocument(Strict):
    """One client app. Credentials stand in no file: ``flask client rotate`` makes a secret."""

    name: str = Field(min_length=1, max_length=200)
    active: bool = True
    lifetime: int = Field(default=LIFETIME, ge=60, le=30 * 24 * 3600)
    scopes: list[str] = Field(default=list(DEFAULT_SCOPES))
    user: str | None = None
    redirect_uris: list[str] = Field(default=[])

    @field_validator("scopes")
    @classmethod
    def _known_scopes(cls, scopes: list[str]) -> list[str]:
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown:
            raise ValueError(f"there is no scope {unknown[0]!r}; known are {', '.join(SCOPES)}")
        return [scope for scope in SCOPES if scope in scopes]

    @field_validator("redirect_uris")
    @classmethod
    def _safe_uris(cls, uris: list[str]) -> list[str]:
        for uri in uris:
            if not _is_safe(uri):
                raise ValueError(
                    f"{uri!r} must be https, http on this machine (localhost), or an app's own scheme "
                    "like com.example.app:/callback, without a fragment"
                )
        return uris


def _is_safe(uri: str) -> bool:
    """RFC 6749 3.1.2 and RFC 8252 7: absolute, no fragment, and nothing that can be read on the way."""
    parts = urlsplit(uri)
    if parts.fragment or "#" in uri or any(character.isspace() for character in uri):
        return False
    if parts.scheme == "https":
        return bool(parts.hostname) and "@" not in parts.netloc
    if parts.scheme == "http":
        return parts.netloc.rsplit(":", 1)[0] in _LOOPBACK or parts.netloc in _LOOPBACK
    return bool(_PRIVATE_SCHEME.fullmatch(parts.scheme))
