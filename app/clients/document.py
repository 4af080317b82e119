"""A client app as an admin writes it: an entry of ``clients:`` in a definition file, or the options of a command."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from app.clients.store import LIFETIME
from app.definitions.document import Strict
from app.definitions.scopes import DEFAULT_SCOPES, SCOPES

#: Names of the machine that somebody sits at.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
#: Schemes of editors, which are no names of domains as they should be (RFC 8252 7.1).
_EDITORS = frozenset({"cursor", "vscode", "vscode-insiders"})
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


class ClientDocument(Strict):
    """One client app. Credentials stand in no file: ``flask client rotate`` makes a secret."""

    name: str = Field(min_length=1, max_length=200)
    active: bool = True
    lifetime: int = Field(default=LIFETIME, ge=60, le=30 * 24 * 3600)
    scopes: list[str] = Field(default=list(DEFAULT_SCOPES))
    user: str | None = None
    redirect_uris: list[str] = Field(default=[])
    resource_optional: bool = False
    metadata_hosts: list[str] = Field(default=[])

    @field_validator("scopes")
    @classmethod
    def _known_scopes(cls, scopes: list[str]) -> list[str]:
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown:
            raise ValueError(f"there is no scope {unknown[0]!r}; known are {', '.join(SCOPES)}")
        return [scope for scope in SCOPES if scope in scopes]

    @field_validator("metadata_hosts")
    @classmethod
    def _host_names(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} is no host, as claude.ai: lower case, with a port where it has one")
        return hosts

    @field_validator("redirect_uris")
    @classmethod
    def _safe_uris(cls, uris: list[str]) -> list[str]:
        for uri in uris:
            if not is_safe_redirect(uri):
                raise ValueError(
                    f"{uri!r} must be https, http on this machine (localhost), or an app's own scheme "
                    "like com.example.app:/callback, without a fragment"
                )
        return uris


def is_safe_redirect(uri: str) -> bool:
    """True if codes may be sent to an address: absolute, no fragment, and nothing that can be read on the way.

    RFC 6749 3.1.2 and RFC 8252 7.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    if "#" in uri or not all("!" <= character <= "~" for character in uri):
        return False
    if parts.scheme == "https":
        return bool(parts.hostname) and "@" not in parts.netloc
    if parts.scheme == "http":
        return "@" not in parts.netloc and parts.hostname in LOOPBACK
    return bool(_PRIVATE_SCHEME.fullmatch(parts.scheme)) or parts.scheme in _EDITORS
