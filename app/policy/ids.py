"""Ids as the API shows them: numbers, or Hashids that do not tell how many records there are.

Hashids is obscurity, not security: whoever decodes an id still has to ask whether the caller may see the record.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol, TypeAlias

from hashids import Hashids

#: Odoo's ids are int4 columns.
MAX_ID = 2**31 - 1
#: Shortest id that is shown, in characters.
MIN_LENGTH = 5

PublicId: TypeAlias = "int | str"


class InvalidId(ValueError):
    """A value that is no id in the API's form."""


class IdCodec(Protocol):
    """Ids of one model, in and out."""

    def encode(self, record_id: int) -> PublicId:
        """Return the id that a client sees."""

    def decode(self, public_id: object) -> int:
        """Return the record's id; raises InvalidId for anything but the canonical form."""


class PlainIds:
    """Odoo's own numbers; as text (in a path) they are decimal digits without sign or leading zero."""

    def encode(self, record_id: int) -> PublicId:
        return record_id

    def decode(self, public_id: object) -> int:
        if isinstance(public_id, str) and public_id.isascii() and public_id.isdigit() and public_id[0] != "0":
            public_id = int(public_id) if len(public_id) <= len(str(MAX_ID)) else MAX_ID + 1
        if isinstance(public_id, bool) or not isinstance(public_id, int) or not 0 < public_id <= MAX_ID:
            raise InvalidId(public_id)
        return public_id


class HashedIds:
    """Hashids with a salt per database and per model."""

    def __init__(self, salt: str) -> None:
        hashids = Hashids(salt=salt, min_length=MIN_LENGTH)
        # Pure Python and slow, but the same ids come again and again.
        self.encode = lru_cache(maxsize=65536)(hashids.encode)
        self._hashids = hashids

    def decode(self, public_id: object) -> int:
        if not isinstance(public_id, str) or not public_id.isascii() or len(public_id) > 32:
            raise InvalidId(public_id)
        numbers = self._hashids.decode(public_id)
        # A Hashid can hold several numbers, and several texts can decode alike: one of them is canonical.
        if len(numbers) != 1 or not 0 < numbers[0] <= MAX_ID or self.encode(numbers[0]) != public_id:
            raise InvalidId(public_id)
        record_id: int = numbers[0]
        return record_id


class Ids:
    """The codecs of all models of one API."""

    def __init__(self, salt: str | None) -> None:
        """``salt`` is the database's; None leaves ids as they are."""
        self._salt = salt
        self._plain = PlainIds()

    def of(self, model: str) -> IdCodec:
        """Return the codec of a model; codecs are made once for the whole process."""
        return self._plain if self._salt is None else _hashed(self._salt, model)

    @property
    def obfuscated(self) -> bool:
        """Whether ids are hidden."""
        return self._salt is not None


@lru_cache(maxsize=4096)
def _hashed(salt: str, model: str) -> HashedIds:
    return HashedIds(f"{salt}:{model}")
