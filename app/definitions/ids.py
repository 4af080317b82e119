"""Ids as the API shows them: numbers, or Hashids that do not tell how many records there are.

Hashids is obscurity, not security: whoever decodes an id still has to ask whether the caller may see the record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeAlias

import hashids
from hashids import Hashids

from app.literals import to_number

#: Odoo's ids are int4 columns.
MAX_ID = 2**31 - 1
#: Shortest id that is shown, in characters.
MIN_LENGTH = 5
#: How many check numbers there are.
_CHECKS = 997
#: Hashids shuffles by the remainder of a number.
_REMAINDERS = 100
#: How many ids of a model each process remembers, in each direction: 200 bytes each, so 1.6 MB.
_REMEMBERED = 8192

PublicId: TypeAlias = "int | str"


class InvalidId(ValueError):
    """A value that is no id in the API's form."""


@dataclass(frozen=True, slots=True, repr=False)
class Reference:
    """A record that a step of a batch names by the step that has made it: ``@{p.id}``, in place of an id.

    It carries the record itself, and so is good in every API, whatever the form of its ids.
    """

    model: str
    record_id: int
    text: str

    def __repr__(self) -> str:
        """Return the text that the client wrote."""
        return self.text

    def to(self, model: str) -> int:
        """Return the record's id where one of a model is meant; raises InvalidId for another one."""
        if self.model != model:
            raise InvalidId(self)
        return self.record_id


def holds_reference(value: object) -> bool:
    """True if a value of JSON is or holds a reference."""
    if isinstance(value, dict):
        return any(map(holds_reference, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(holds_reference, value))
    return isinstance(value, Reference)


class IdCodec(Protocol):
    """Ids of one model, in and out."""

    def encode(self, record_id: int) -> PublicId:
        """Return the id that a client sees."""

    def encode_all(self, record_ids: Iterable[int]) -> Sequence[PublicId]:
        """Return the ids of very many records, which are not remembered."""

    def decode(self, public_id: object) -> int:
        """Return the record's id; raises InvalidId for anything but the canonical form."""


class PlainIds:
    """Odoo's own numbers; as text (in a path) they are decimal digits without sign or leading zero."""

    def __init__(self, model: str) -> None:
        self._model = model

    def encode(self, record_id: int) -> PublicId:
        return record_id

    def encode_all(self, record_ids: Iterable[int]) -> list[int]:
        return list(record_ids)

    def decode(self, public_id: object) -> int:
        number = public_id
        if isinstance(public_id, Reference):
            return public_id.to(self._model)
        if isinstance(public_id, str) and not public_id.startswith("0"):
            number = to_number(public_id, digits=len(str(MAX_ID)))
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= MAX_ID:
            raise InvalidId(public_id)
        return number


class HashedIds:
    """Hashids with a salt per database and per model, of the id and a check number.

    One in forty texts of five letters is a Hashid of something: the check number tells ids of another model, and
    made-up ones, from our own.
    """

    def __init__(self, salt: str, model: str) -> None:
        salt = f"{salt}:{model}"
        self._model = model
        self._hashids = Hashids(salt=salt, min_length=MIN_LENGTH)
        self._orders = _orders(self._hashids)
        self._short = len(self._hashids._alphabet) ** (MIN_LENGTH - 2)  # ids of smaller numbers are padded
        self._hash = hashlib.blake2b(key=hashlib.sha256(salt.encode()).digest(), digest_size=8)
        # Pure Python and slow, but the same ids come again and again.
        self.encode = lru_cache(maxsize=_REMEMBERED)(self._encode)
        self._decode_text = lru_cache(maxsize=_REMEMBERED)(self._decode)

    def _encode(self, record_id: int) -> str:
        return self.encode_all((record_id,))[0]

    def encode_all(self, record_ids: Iterable[int]) -> list[str]:
        """Encode as Hashids does, in 1.1 in place of 13 µs: an export needs an id for each record."""
        orders, short, base = self._orders, self._short, len(self._hashids._alphabet)
        copy, from_bytes = self._hash.copy, int.from_bytes
        public_ids = []
        for record_id in record_ids:
            digest = copy()
            digest.update(b"%d" % record_id)
            number = record_id * _CHECKS + from_bytes(digest.digest(), "big") % _CHECKS
            if number < short:
                public_ids.append(str(self._hashids.encode(number)))
                continue
            letter, alphabet = orders[number % _REMAINDERS]
            digits = ""
            while number:
                number, digit = divmod(number, base)
                digits = alphabet[digit] + digits
            public_ids.append(letter + digits)
        return public_ids

    def decode(self, public_id: object) -> int:
        if isinstance(public_id, Reference):
            return public_id.to(self._model)
        if not isinstance(public_id, str) or not public_id.isascii() or len(public_id) > 32:
            raise InvalidId(public_id)
        return self._decode_text(public_id)

    def _decode(self, public_id: str) -> int:
        numbers = self._hashids.decode(public_id)
        # A Hashid can hold several numbers, and several texts can decode alike: one of them is canonical.
        record_id = numbers[0] // _CHECKS if len(numbers) == 1 else 0
        if not 0 < record_id <= MAX_ID or self.encode(record_id) != public_id:
            raise InvalidId(public_id)
        return record_id


def _orders(codec: Hashids) -> list[tuple[str, str]]:
    """Return the first letter of a number's id, and the alphabet of its digits, by the number's remainder.

    Hashids makes the order of the alphabet anew for each number (hashids._encode), in one of so few ways.
    """
    alphabet, salt = codec._alphabet, codec._salt
    letters = [alphabet[remainder % len(alphabet)] for remainder in range(_REMAINDERS)]
    return [(letter, hashids._reorder(alphabet, (letter + salt + alphabet)[: len(alphabet)])) for letter in letters]


class Ids:
    """The codecs of all models of one API."""

    def __init__(self, salt: str | None) -> None:
        """``salt`` is the database's; None leaves ids as they are."""
        self._salt = salt

    def of(self, model: str) -> IdCodec:
        """Return the codec of a model; codecs are made once for the whole process."""
        return _plain(model) if self._salt is None else _hashed(self._salt, model)

    @property
    def obfuscated(self) -> bool:
        """True if ids are hidden."""
        return self._salt is not None


@lru_cache(maxsize=4096)
def _hashed(salt: str, model: str) -> HashedIds:
    return HashedIds(salt, model)


@lru_cache(maxsize=4096)
def _plain(model: str) -> PlainIds:
    return PlainIds(model)
