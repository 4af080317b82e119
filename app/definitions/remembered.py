"""Results that are kept by what they follow from: they are there as long as it is, and no others take their place."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

#: How many results one holder keeps: clients choose fields and orders, and so how many there are.
MOST = 16
#: How long a text of a client may be that something is remembered by, in characters.
LONGEST = 500


class Holder(Protocol):
    """Something that never changes, and keeps results by the function and the arguments that they are of."""

    @property
    def remembered(self) -> dict[tuple[Any, ...], Any]:
        """The results."""


H = TypeVar("H", bound=Holder)
P = ParamSpec("P")
T = TypeVar("T")


def remembered(function: Callable[Concatenate[H, P], T]) -> Callable[Concatenate[H, P], T]:
    """Make a function keep its results in its first argument, by the others: hashable, and without names.

    Errors are not kept. A holder that has the most forgets all of its own, and nothing that others have.
    """

    @wraps(function)
    def wrapped(holder: H, *arguments: Any) -> T:
        results, key = holder.remembered, (function, *arguments)
        try:
            found: T = results[key]
        except KeyError:
            found = function(holder, *arguments)  # type: ignore[call-arg]  # they are those of the function
            if len(results) >= MOST:
                results.clear()
            results[key] = found
        return found

    return cast("Callable[Concatenate[H, P], T]", wrapped)
