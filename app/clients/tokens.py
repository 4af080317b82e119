"""Secrets and tokens: random, with a part for lookup, of which only a keyed hash is kept.

A token is ``ghs_<lookup>_<secret>``. The lookup part is no secret: it finds the row without a scan and may stand in a
log. The secret part has 256 random bits, so a fast hash is safe (no dictionary holds it); the key makes a stolen table
worthless without the key. ``ghs`` (secret), ``gha`` (access), ``ghr`` (refresh), ``ghc`` (code) and ``ghv`` (approval)
let leak scanners and people tell what they have found.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Literal

Kind = Literal["ghs", "gha", "ghr", "ghc", "ghv"]
SECRET: Kind = "ghs"  # noqa: S105  a prefix
ACCESS: Kind = "gha"
REFRESH: Kind = "ghr"
CODE: Kind = "ghc"
APPROVAL: Kind = "ghv"

#: The part of a token by which it is found.
LOOKUP = re.compile(r"[A-Za-z0-9]{16}")
_FORM = re.compile(rf"(gh[sarcv])_({LOOKUP.pattern})_([A-Za-z0-9_-]{{43}})")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def generate(kind: Kind) -> str:
    """Return a new token; it is shown once and never stored."""
    lookup = "".join(secrets.choice(_ALPHABET) for _ in range(16))
    return f"{kind}_{lookup}_{secrets.token_urlsafe(32)}"


def lookup_of(token: str, kind: Kind) -> str | None:
    """Return the lookup part of a token of that kind; None for anything else."""
    match = _FORM.fullmatch(token)
    return match[2] if match and match[1] == kind else None


def stand_in(token: str) -> bytes:
    """Return a digest that stands for a token in the memory of this process, where no stolen table is to be feared.

    It takes a tenth of the time of the keyed hash, which each call would otherwise pay for.
    """
    return hashlib.blake2b(token.encode(), digest_size=32).digest()


def derived(key: str, purpose: str) -> str:
    """Return a key for another purpose, from which the first can't be found."""
    return hmac.digest(key.encode(), purpose.encode(), hashlib.sha256).hex()


@dataclass(frozen=True, slots=True)
class Hasher:
    """Hashes tokens with a key of this database or host."""

    key: str

    def hash(self, token: str) -> bytes:
        """Return the keyed hash that is stored."""
        return hmac.digest(self.key.encode(), token.encode(), hashlib.sha256)

    def matches(self, token: str, stored: bytes) -> bool:
        """True if the token is the one of the hash; takes the same time either way."""
        return hmac.compare_digest(self.hash(token), bytes(stored))
