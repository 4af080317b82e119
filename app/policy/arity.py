"""Arity of the prefix operators of domains: each has as many conditions behind it as it joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_OPERANDS = {"&": 2, "|": 2, "!": 1}


def missing_operands(domain: Sequence[Any]) -> str | None:
    """Return a sentence on the operator that lacks conditions; None where none does."""
    operands = 0
    for item in reversed(domain):
        needed = _OPERANDS.get(item, 0) if isinstance(item, str) else 0
        if operands < needed:
            return f"The operator {item!r} needs {needed} condition{'s' if needed > 1 else ''} after it."
        operands += 1 - needed
    return None
