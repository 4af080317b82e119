"""Definitions of which something is wrong: as much of them as can be read, so that the rest is checked all the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.definitions.document import EACH_KEY_ALONE, ApiDocument
from app.definitions.problems import Key, Problem, shape_problems

#: Stand-ins for what every document needs.
_NEEDED = {"name": "-", "route": "/api/-"}
_UNREADABLE_MODEL = {"model": "-"}


@dataclass(frozen=True, slots=True)
class Partial:
    """The part of a document that can be read, with stand-ins where it can't; ``left_out`` are the places of those.

    ``document`` is valid key by key; its keys may contradict each other.
    """

    document: ApiDocument
    left_out: tuple[Key, ...]

    def is_about(self, problem: Problem) -> bool:
        """True if a problem is about what was read, and not about a stand-in."""
        return not any(problem.key[: len(key)] == key for key in self.left_out)


def readable(values: Mapping[str, Any]) -> Partial | None:
    """Read as much of a document as can be; None where too little is left, such as an API of no type."""
    try:
        return Partial(ApiDocument.model_validate(dict(values), context=EACH_KEY_ALONE), ())
    except ValidationError as error:
        places = dict.fromkeys(_place(values, problem.key) for problem in shape_problems(error))
        left_out = tuple(
            place for place in places if not any(place[:length] in places for length in range(1, len(place)))
        )
    if ("type",) in left_out:
        return None
    try:
        return Partial(ApiDocument.model_validate(_without(values, left_out), context=EACH_KEY_ALONE), left_out)
    except ValidationError:
        return None


def _place(values: Mapping[str, Any], key: Key) -> Key:
    """Return the place to leave out: a key at the top, a key of a model, or a whole model."""
    if key[0] != "models" or len(key) < 2 or not isinstance(values["models"], list):
        return key[:1]
    entry = values["models"][key[1]] if isinstance(key[1], int) else None
    whole = not isinstance(entry, dict) or len(key) == 2 or key[2] == "model"
    return key[:2] if whole else key[:3]


def _without(values: Mapping[str, Any], places: Iterable[Key]) -> dict[str, Any]:
    mended = dict(values)
    if isinstance(values.get("models"), list):
        mended["models"] = [dict(entry) if isinstance(entry, dict) else entry for entry in values["models"]]
    for top, *below in places:
        if not below:
            mended.pop(str(top), None)
            continue
        index, *inner = below
        if inner:
            mended["models"][index].pop(inner[0], None)
        else:
            mended["models"][index] = _UNREADABLE_MODEL
    return {**_NEEDED, **mended}
