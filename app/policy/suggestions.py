"""Names that a client may use, for errors about one that it may not: those that look alike come first."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from app.errors import BadRequest

#: Most names that an error lists, in its data and in its message.
MOST, MOST_TOLD = 50, 15
#: Longest name that is looked at, and most names that it is compared with: 1.5 ms for 600.
_LONGEST, _COMPARED = 80, 1000


def unknown(
    message: str, given: str, allowed: Iterable[str] | None, *, name: str, parameter: str, **data: str
) -> BadRequest:
    """Return the error for a name that is not allowed: ``message``, a guess at what was meant, and what is allowed.

    ``allowed`` may hold no more than this caller may know. With None, ``message`` is all that is said.
    """
    if allowed is None:
        return BadRequest(message, name=name, data={"parameter": parameter[:200], **data})
    known = set(allowed)
    close = _close(given, known)
    names = _in_order(close, known)
    guess = f" Did you mean {' or '.join(close)}?" if close else ""
    more = f", and {len(known) - MOST_TOLD} more" if len(known) > MOST_TOLD else ""
    listed = f" Allowed are: {', '.join(names[:MOST_TOLD])}{more}." if names else " None is allowed."
    return BadRequest(
        f"{message}{guess}{listed}", name=name, data={"parameter": parameter[:200], **data, "allowed": names}
    )


def closest_first(given: str, allowed: Iterable[str]) -> list[str]:
    """Return names in order, at most ``MOST``; those that look like the given one come first."""
    known = set(allowed)
    return _in_order(_close(given, known), known)


def _in_order(close: list[str], known: set[str]) -> list[str]:
    return [*close, *sorted(known.difference(close))][:MOST]


def _close(given: str, known: Iterable[str]) -> list[str]:
    """Return names that look like the given one; of a path, that begin as it does and look alike from there."""
    before = given[: given.rfind(".") + 1]
    rest = sorted(name.removeprefix(before) for name in known if name.startswith(before))
    close = get_close_matches(given.removeprefix(before)[:_LONGEST], rest[:_COMPARED], n=3, cutoff=0.7)
    return [before + name for name in close]


def shown(value: object) -> str:
    """Return a client's value as an error shows it, bounded."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
