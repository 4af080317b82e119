"""Length of a search: told by its page, or asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from odoo.tools import SQL

from . import estimates
from .types import CountMode, Length


@dataclass(slots=True)
class Counting:
    """Count of one search, whose page begins at ``offset``: how it is asked for, and what of it is known by now.

    ``sql`` counts, where that is plain; ``told`` came with the page; ``remembered`` was told a page before.
    """

    mode: CountMode
    offset: int
    sql: SQL | None = None
    told: int | None = None
    remembered: Length | None = None

    @property
    def is_over(self) -> bool:
        """True if nothing has to be asked for the number, unless the page contradicts it."""
        return self.mode == "none" or self.remembered is not None


def shown(counting: Counting, rows: int, more: bool) -> Length | None:
    """Return the length that a page of ``rows`` shows by itself; None where it does not."""
    return None if more or (counting.offset and not rows) else Length(counting.offset + rows)


def ask(model: Any, domain: list[Any], counting: Counting, rows: int, more: bool) -> Length:
    """Return the length of a search whose page has ``rows``, followed by ``more``, and does not show it."""
    if counting.told is not None:
        return Length(counting.told)
    if counting.mode == "exact":
        sql = counting.sql
        return Length(model.search_count(domain) if sql is None else model.env.execute_query(sql)[0][0])
    number, estimated = estimates.count(model, domain)
    if estimated:
        number = max(number, counting.offset + rows + 1) if more else min(number, counting.offset)
    return Length(number, estimated)
