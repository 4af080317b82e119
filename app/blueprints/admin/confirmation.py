"""Confirmation of what can't be taken back easily: a page that says what a button does, and to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: Most names that a page lists.
_MOST_NAMES = 12


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One question. ``effect`` is what will happen, ``facts`` whom it concerns, by label: text or a time.

    ``button`` says what is done; it sends ``values`` to the address ``action``. ``back`` is where nothing is done.
    """

    title: str
    effect: str
    facts: Mapping[str, str | datetime]
    button: str
    action: str
    back: str
    values: Mapping[str, Any] = field(default_factory=dict)


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 client app", "3 client apps", "no client app"."""
    return f"{number:,}" + f" {one if number == 1 else many or one + 's'}" if number else f"no {one}"


def listed(names: Iterable[str]) -> str:
    """Return names in one line, with the number of those that it leaves out."""
    found = list(names)
    shown = ", ".join(found[:_MOST_NAMES])
    return f"{shown} and {len(found) - _MOST_NAMES:,} more" if len(found) > _MOST_NAMES else shown
