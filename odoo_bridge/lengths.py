"""Length of a search: told by its page, remembered from a page before, or asked for."""

from __future__ import annotations

from typing import Any

from odoo.models import BaseModel
from odoo.tools import SQL

from . import estimates
from .fast import is_on
from .fast.counts import Counting
from .types import Length


def length(model: Any, domain: list[Any], counting: Counting, rows: int, more: bool) -> Length:
    """Return the length of a search whose page has ``rows``, followed by ``more``."""
    offset = counting.offset
    if counting.mode == "none":
        return Length(None)
    if not more and (rows or offset == 0):
        found = Length(offset + rows)
        if offset or counting.told is not None:
            counting.remember(found, needless=offset == 0)
        return found
    if is_on("counts") and counting.sql is None and (sql := _sql(model, domain)):
        counting.take(sql)
    known = counting.remembered
    # What the page shows is certain.
    if known is not None and known.number is not None and (known.number > offset + rows) == more:
        return known
    found = _count(model, domain, counting, rows, more)
    counting.remember(found)
    return found


def _count(model: Any, domain: list[Any], counting: Counting, rows: int, more: bool) -> Length:
    if counting.told is not None:
        return Length(counting.told)
    if counting.mode == "exact":
        sql = counting.sql
        return Length(model.search_count(domain) if sql is None else model.env.execute_query(sql)[0][0])
    number, estimated = estimates.count(model, domain)
    if estimated:
        number = max(number, counting.offset + rows + 1) if more else min(number, counting.offset)
    return Length(number, estimated)


def _sql(model: Any, domain: list[Any]) -> SQL | None:
    """Return the SQL of ``search_count``; None where it is not just that."""
    if type(model).search_count is not BaseModel.search_count:
        return None
    query = model._search(domain)
    return None if query._ids is not None or query.limit or query.offset else query.select("COUNT(*)")
