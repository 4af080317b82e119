"""Counts of searches: remembered for the walk from page to page, and asked for together with a page.

Each page tells how many records match. The first one counts them; those behind it take that number for some seconds,
until this process writes one of the tables or the caches are emptied. What is remembered is known by the SQL of the
count, with rules and values, so that nobody is told but what they would have counted. Where a search had to be counted
before, page and count are one statement: else the page may tell the number itself.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from odoo.models import BaseModel
from odoo.tools import SQL

from odoo_bridge import lengths, written_tables
from odoo_bridge.caches import COUNTS
from odoo_bridge.fast import is_on
from odoo_bridge.lengths import Counting
from odoo_bridge.types import Length

#: Seconds for which a number is told again.
SECONDS = 10.0
#: How long the SQL of a count that is remembered may be, with its values, in characters: clients choose it.
_LONGEST = 4000
_NAME = re.compile(r'"(\w+)"')


@dataclass(frozen=True, slots=True)
class _Entry:
    """A number, and a moment before its snapshot; ``needless`` where a first page was found to tell it by itself."""

    length: Length
    began: float
    needless: bool


def goes_with_page(env: Any, counting: Counting, sql: SQL) -> bool:
    """Take the SQL of the count, and tell whether the statement of the page is to count too."""
    if counting.mode == "none":
        return False
    entry = _recall(env, counting, sql)
    if entry is None or counting.remembered is not None:
        return False
    return counting.mode == "exact" and (counting.offset > 0 or not entry.needless)


def length(model: Any, domain: list[Any], counting: Counting, rows: int, more: bool) -> Length:
    """Return the length of a search whose page has ``rows``, followed by ``more``: remembered, or found out."""
    if counting.mode == "none":
        return Length(None)
    found = lengths.shown(counting, rows, more)
    if found is not None:
        if counting.offset or counting.told is not None:
            _remember(model.env, counting, found, needless=counting.offset == 0)
        return found
    if is_on("counts") and counting.sql is None and (sql := _sql(model, domain)):
        _recall(model.env, counting, sql)
    known = counting.remembered
    # What the page shows is certain.
    if known is not None and known.number is not None and (known.number > counting.offset + rows) == more:
        return known
    found = lengths.ask(model, domain, counting, rows, more)
    _remember(model.env, counting, found)
    return found


def _recall(env: Any, counting: Counting, sql: SQL) -> _Entry | None:
    """Take the SQL of the count, and return the entry that is remembered of it, however old."""
    counting.sql = sql
    if not _may_remember(env):
        return None
    try:
        entry: _Entry = env.cr.cache_view.get(env.registry._Registry__caches, COUNTS, _key(env, counting))
    except (KeyError, TypeError):  # among the values is a list
        return None
    age = time.monotonic() - entry.began
    if counting.offset and age <= SECONDS and not written_tables.since(entry.began, set(_NAME.findall(sql.code))):
        counting.remembered = entry.length
    return entry


def _remember(env: Any, counting: Counting, length: Length, *, needless: bool = False) -> None:
    """Keep the number for the pages behind this one, and that they need or ``needless`` ask for it together."""
    sql = counting.sql
    if sql is None or not _may_remember(env) or len(sql.code) + len(repr(sql.params)) > _LONGEST:
        return
    try:
        hash(sql)
    except TypeError:
        return
    view = env.cr.cache_view
    entry = _Entry(length, view.began, needless)
    view.put(env.registry._Registry__caches, COUNTS, _key(env, counting), entry)


def _may_remember(env: Any) -> bool:
    """True in a transaction that has written nothing, nor is about to; in test mode nobody knows."""
    return is_on("counts") and written_tables.of(env.cr) == frozenset() and not written_tables.is_pending(env)


def _key(env: Any, counting: Counting) -> tuple[Any, ...]:
    return env.uid, counting.mode, counting.sql


def _sql(model: Any, domain: list[Any]) -> SQL | None:
    """Return the SQL of ``search_count``; None where it is not just that."""
    if type(model).search_count is not BaseModel.search_count:
        return None
    query = model._search(domain)
    return None if query._ids is not None or query.limit or query.offset else query.select("COUNT(*)")
