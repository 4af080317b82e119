"""Secrets of webhooks, which sign: kept sealed, as their bytes are needed again (Standard Webhooks, "Signatures")."""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.clients.tokens import derived

_PREFIX = "whsec_"
#: Random bytes of a secret: the specification wants 24 to 64.
_BYTES = 32


class Unreadable(Exception):
    """A secret was sealed with another key than the present one."""


class Secrets:
    """Makes, seals and opens the secrets of the webhooks of one database or host."""

    def __init__(self, key: str) -> None:
        """``key`` is the one that all other keys are derived from."""
        self._cipher = AESSIV(bytes.fromhex(derived(key, "webhooks")))

    def generate(self) -> str:
        """Return a new secret, ``whsec_`` and base64; it is shown once."""
        return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()

    def seal(self, secret: str, webhook: str) -> str:
        """Return a secret as it is stored, good for this webhook alone."""
        return base64.b64encode(self._cipher.encrypt(secret.encode(), [webhook.encode()])).decode()

    def open(self, sealed: str, webhook: str) -> str:
        """Return the secret; raises Unreadable."""
        try:
            return self._cipher.decrypt(base64.b64decode(sealed), [webhook.encode()]).decode()
        except (ValueError, InvalidTag) as error:
            raise Unreadable() from error

    def open_all(self, sealed: Sequence[str], webhook: str) -> list[str]:
        """Return a webhook's own secret, which comes first, and those of before that can be read.

        Raises Unreadable for its own.
        """
        found = [self.open(sealed[0], webhook)]
        for old in sealed[1:]:  # one that was made anew because it can't be read keeps nobody from signing
            with contextlib.suppress(Unreadable):
                found.append(self.open(old, webhook))
        return found
