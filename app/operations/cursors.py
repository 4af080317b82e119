"""Cursors: the place where the next page of a walk begins, sealed, and good for one caller and one search.

A place holds values of a record, also such as the caller may sort by but not see, and so a cursor is encrypted; it is
authenticated together with all that it is good for. AES-SIV (RFC 5297) needs no nonce: the same place in the same
search has the same cursor.
"""

from __future__ import annotations

import base64
from datetime import date
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.clients.tokens import derived
from app.errors import BadRequest
from odoo_bridge.types import Place

#: All that a cursor is good for alone: plain data, the same for the same caller and search.
Bound = list[Any]


class Cursors:
    """Seals and opens the cursors of one database or host."""

    def __init__(self, key: str) -> None:
        """``key`` is the one that all other keys are derived from."""
        self._cipher = AESSIV(bytes.fromhex(derived(key, "cursors")))

    def seal(self, place: Place, bound: Bound) -> str:
        """Return the cursor of a place, in base64url."""
        content = orjson.dumps([value.isoformat() if isinstance(value, date) else value for value in place])
        return base64.urlsafe_b64encode(self._cipher.encrypt(content, [orjson.dumps(bound)])).decode().rstrip("=")

    def open(self, cursor: str, bound: Bound) -> Place:
        """Return the place of a cursor; raises BadRequest for one that was not sealed for just this."""
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            content = self._cipher.decrypt(sealed, [orjson.dumps(bound)])
        except (ValueError, InvalidTag):
            raise _invalid() from None
        return tuple(orjson.loads(content))


@lru_cache(maxsize=4)
def cursors(key: str) -> Cursors:
    """Return the cursors of a key; it is derived once."""
    return Cursors(key)


def _invalid() -> BadRequest:
    message = (
        "This cursor is not good for this call. It goes with the caller, domain, fields, order, language and company "
        "of the page that it came with, and until the API is changed. Begin again without cursor."
    )
    return BadRequest(message, name="invalid_cursor", data={"parameter": "cursor"})
