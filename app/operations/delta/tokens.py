"""Tokens of a delta: the point up to which a client knows everything, sealed as cursors are."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

from app.errors import BadRequest
from app.operations.cursors import Bound, Cursors

#: Form of what a token holds.
_FORM = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a client.

    It knows all that transactions before ``first`` have done, nothing yet where that is None. ``end`` and ``after`` are
    there within a pass of several pages: the transaction where it ends, and the id behind which the next page begins.
    No answer has seen anything of the transactions from ``ahead`` on: those before it may have hidden a record from
    one, so that the client lacks what it was to have. Before the time ``earliest`` none of them has written. The rest
    has to be as it was: the ``incarnation`` of the database, and the ``fingerprint`` of the caller's rights and of the
    definition.
    """

    first: int | None
    end: int | None
    after: int
    ahead: int
    earliest: float
    incarnation: str
    fingerprint: str


def seal(cursors: Cursors, progress: Progress, bound: Bound) -> str:
    """Return the token of a progress, which is good for its caller, API, model, language and company alone."""
    return cursors.seal((_FORM, *astuple(progress)), [*bound, "delta"])


def opened(cursors: Cursors, token: str, bound: Bound) -> Progress:
    """Return the progress that a token tells of; raises BadRequest for one that was not given to this caller here."""
    try:
        form, *values = cursors.open(token, [*bound, "delta"])
    except BadRequest:
        raise _invalid() from None
    if form != _FORM:
        raise _invalid()
    known: list[Any] = values
    return Progress(*known)


def _invalid() -> BadRequest:
    message = (
        "This token is not good for this call. It goes with the caller, API, model, fields, language and company of "
        "the answer that it came with. Begin again without token."
    )
    return BadRequest(message, name="invalid_delta_token", data={"parameter": "token"})
