"""Length of a search: told by its page, or asked for."""

from __future__ import annotations

from typing import Any

from . import estimates
from .types import CountMode, Length


def length(model: Any, domain: list[Any], count: CountMode, offset: int, rows: int, more: bool) -> Length:
    """Return the length of a search whose page from ``offset`` has ``rows``, followed by ``more``."""
    if count == "none":
        return Length(None)
    if not more and (rows or offset == 0):
        return Length(offset + rows)
    if count == "exact":
        return Length(model.search_count(domain))
    number, estimated = estimates.count(model, domain)
    if estimated:  # what the page shows is certain
        number = max(number, offset + rows + 1) if more else min(number, offset)
    return Length(number, estimated)
