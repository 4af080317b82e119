"""Problems of a document that an admin writes: the key at fault, and a sentence. Text only where it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

_CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong: the key where it stands (``models[0].fields``, "" for the whole), and what it is."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


def contradiction(key: str, message: str) -> PydanticCustomError:
    """Return the error of a validator that looks at several keys; ``key`` is the one at fault."""
    return PydanticCustomError(_CONTRADICTION, "{said}", {"key": key, "said": message})


def shape_problems(error: ValidationError) -> list[Problem]:
    """Return pydantic's findings in the words of a definition."""
    found = []
    for item in error.errors(include_url=False, include_input=False):
        key, message = "".join(_steps(item["loc"])).lstrip("."), item["msg"].removeprefix("Value error, ")
        if item["type"] == _CONTRADICTION:
            key = f"{key}.{item['ctx']['key']}".lstrip(".")
        elif item["type"] == "extra_forbidden":
            message = "unknown key"
        found.append(Problem(key, message))
    return list(dict.fromkeys(found))


def _steps(location: tuple[Any, ...]) -> Iterator[str]:
    for part in location:
        if isinstance(part, int):
            yield f"[{part}]"
        elif not part.startswith(("list[", "literal[")):  # which of several forms is meant is no key
            yield f".{part}"
