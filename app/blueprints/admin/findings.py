"""Findings: all that is wrong with a form, in its own words, each with the field to go to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the label of its field, the sentence, and the id of the element to go to.

    ``label`` and ``target`` are "" where the form as a whole is at fault; ``place`` is where in the editor of models:
    the number of the model, the key, and the field, as far as they are known.
    """

    label: str
    message: str
    target: str
    place: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return f"{self.label}: {self.message}" if self.label else self.message


class FieldError(str):
    """The text of an error beside a field, which knows its finding."""

    __slots__ = ("finding",)
    finding: Finding

    @classmethod
    def of(cls, finding: Finding, text: str) -> FieldError:
        """Return the text with its finding."""
        error = cls(text)
        error.finding = finding
        return error


def in_words(message: str, labels: Mapping[str, str]) -> str:
    """Return a sentence about keys of a definition in the words of a form; it begins with a capital, or with a name.

    Keys are told by their underscore or by brackets around them: ``max_page_size``, ``(statistics)``.
    """

    def label(match: re.Match[str]) -> str:
        key = match[0].strip("()")
        if key not in labels or ("_" not in key and key == match[0]):
            return match[0]
        return f"(“{labels[key]}”)" if match[0].startswith("(") else f"“{labels[key]}”"

    said = re.sub(r"\(\w+\)|(?<![\w.'])\w+(?![\w.'])", label, message)
    return said[:1].upper() + said[1:] if said.split(" ", maxsplit=1)[0].isalpha() else said
