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

from odoo.tools import SQL

from odoo_bridge import written_tables
from odoo_bridge.caches import COUNTS
from odoo_bridge.fast import is_on
from odoo_bridge.types import CountMode, Length

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


class Counting:
    """Count of one search: how it is asked for, and what of it is known by now.

    ``sql`` counts, where that is plain; ``told`` came with the page; ``remembered`` was told a page before.
    """

    def __init__(self, model: Any, mode: CountMode, offset: int) -> None:
        self.mode = mode
        self.offset = offset
        self.sql: SQL | None = None
        self.told: int | None = None
        self.remembered: Length | None = None
        self._env = model.env

    def with_page(self, sql: SQL) -> bool:
        """Take the SQL of the count, and tell whether the statement of the page is to count too."""
        if self.mode == "none":
            return False
        entry = self.take(sql)
        if entry is None or self.remembered is not None:
            return False
        return self.mode == "exact" and (self.offset > 0 or not entry.needless)

    def take(self, sql: SQL) -> _Entry | None:
        """Take the SQL of the count, and return what is remembered of it, however old."""
        self.sql = sql
        if not self._may_remember:
            return None
        try:
            entry: _Entry = self._view.get(self._caches, COUNTS, self._key)
        except (KeyError, TypeError):  # among the values is a list
            return None
        age = time.monotonic() - entry.began
        if self.offset and age <= SECONDS and not written_tables.since(entry.began, set(_NAME.findall(sql.code))):
            self.remembered = entry.length
        return entry

    def remember(self, length: Length, *, needless: bool = False) -> None:
        """Keep the number for the pages behind this one, and that they need or ``needless`` ask for it together."""
        sql = self.sql
        if sql is None or not self._may_remember or len(sql.code) + len(repr(sql.params)) > _LONGEST:
            return
        try:
            hash(sql)
        except TypeError:
            return
        self._view.put(self._caches, COUNTS, self._key, _Entry(length, self._view.began, needless))

    @property
    def is_over(self) -> bool:
        """True if nothing has to be asked for the number, unless the page contradicts it."""
        return self.mode == "none" or self.remembered is not None

    @property
    def _may_remember(self) -> bool:
        """True in a transaction that has written nothing, nor is about to; in test mode nobody knows."""
        env = self._env
        return is_on("counts") and written_tables.of(env.cr) == frozenset() and not written_tables.is_pending(env)

    @property
    def _key(self) -> tuple[Any, ...]:
        return self._env.uid, self.mode, self.sql

    @property
    def _view(self) -> Any:
        return self._env.cr.cache_view

    @property
    def _caches(self) -> Any:
        return self._env.registry._Registry__caches
