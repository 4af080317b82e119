"""Versions of records, so that no update is lost: ETag, If-None-Match and If-Match (RFC 9110 8.8.3 and 13.1).

An ETag is ``"state.content"``. The state follows from when the record was last written and from the definition;
If-Match compares it alone, because a client may have read another selection of fields. The content is a hash of the
answer, so that a 304 is right also where a related record has changed, or the language.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.definitions.definition import Definition
from app.errors import PreconditionFailed


def state(definition: Definition, model: str, record_id: int, written: datetime | None) -> str | None:
    """Return the version of a record; None where Odoo does not log when it was written.

    Keyed, so that it tells neither the time nor the id that it is made of.
    """
    if written is None:
        return None
    parts = (definition.id, definition.revision, model, record_id, written.isoformat())
    return hashlib.blake2b(
        "\n".join(map(str, parts)).encode(), key=definition.salt.encode()[:64], digest_size=10
    ).hexdigest()


def etag(version: str | None, content: bytes) -> str:
    """Return the ETag, without quotes, of an answer about a record."""
    return f"{version or 'none'}.{_digest(content)}"


@dataclass(frozen=True, slots=True)
class Condition:
    """If-Match: the versions that the client has seen; None where it sets no condition, ``any`` for ``*``.

    ``new`` is ``If-None-Match: *``: there may be no such record yet. ``told`` says that the version is asked for: a dry
    run tells it, so that the write can be made only where the record is still the one that was looked at.
    """

    versions: frozenset[str] | None = None
    any: bool = False
    new: bool = False
    told: bool = False

    @classmethod
    def of(cls, tags: Iterable[str], *, any: bool) -> Condition:
        """Return the condition that names these ETags; with none of them it holds for no version."""
        return cls(frozenset(tag.partition(".")[0] for tag in tags) - {""}, any)

    def check(self, version: str | None) -> None:
        """Raise PreconditionFailed unless the record is in a version that the client has seen."""
        if self.versions is not None and not self.any and version not in self.versions:
            raise PreconditionFailed(
                "The record has changed since it was read. Read it again, then repeat the change.",
                data={"parameter": "If-Match"},
            )

    def check_missing(self) -> None:
        """Raise PreconditionFailed where the client expects a record that is not there."""
        if self.given:
            raise PreconditionFailed(
                "There is no such record yet, and If-Match asks for one.", data={"parameter": "If-Match"}
            )

    def check_known(self) -> None:
        """Raise PreconditionFailed where the client expects that there is no record, and there is."""
        if self.new:
            raise PreconditionFailed(
                "There is such a record already, and If-None-Match: * asks for a new one.",
                data={"parameter": "If-None-Match"},
            )

    @property
    def given(self) -> bool:
        """True if the client sets a condition."""
        return self.versions is not None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:20]
