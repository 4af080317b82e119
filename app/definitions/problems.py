"""Problems of a document that an admin writes: the key at fault, and a sentence. Text only where it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

#: Place in a document, from the top: keys, and the numbers of entries in lists; () for the whole.
Key: TypeAlias = tuple[str | int, ...]
_CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong: the key where it stands, like ``("models", 0, "fields")``, and what it is.

    ``subject`` is the API or client app, where a file holds several; ``field`` the one of several fields at fault.
    """

    key: Key
    message: str
    subject: str = ""
    field: str = ""

    @property
    def top(self) -> str:
        """The key at the top of the document; "" where the whole is at fault."""
        return str(self.key[0]) if self.key else ""

    @property
    def place(self) -> str:
        """The key as text: ``models[0].fields``."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.key).removeprefix(".")

    def of(self, subject: str) -> Problem:
        """Return the problem as that of an API or client app."""
        return replace(self, subject=subject)

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.subject, self.place, self.message)))


def refuse_contradictions(found: Iterable[tuple[str, str]]) -> None:
    """Raise the error of a validator that looks at several keys: each (key at fault, message); none, and it passes."""
    told = list(found)
    if told:
        said = "; ".join(f"{key}: {message}" for key, message in told)
        raise PydanticCustomError(_CONTRADICTION, "{said}", {"said": said, "found": told})


def shape_problems(error: ValidationError) -> list[Problem]:
    """Return pydantic's findings in the words of a definition."""
    found = []
    for item in error.errors(include_url=False, include_input=False):
        key, message = _key(item["loc"]), item["msg"].removeprefix("Value error, ")
        if item["type"] == _CONTRADICTION:
            found += [Problem((*key, at), said) for at, said in item["ctx"]["found"]]
            continue
        if item["type"] == "extra_forbidden":
            message = "unknown key"
        found.append(Problem(key, message))
    return list(dict.fromkeys(found))


def _key(location: Key) -> Key:
    """Return pydantic's place in a document without its words for which of several forms is meant."""
    return tuple(part for part in location if isinstance(part, int) or not part.startswith(("list[", "literal[")))
