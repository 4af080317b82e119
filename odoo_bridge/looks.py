"""Looks at what other processes have changed: Odoo's signals and numbers of our own, all in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from odoo.orm import registry as odoo_registry
from psycopg2.errors import InvalidSchemaName, UndefinedTable

from .connections import SettingCursor

#: What a look reads instead of tables that are not there: before the first migration, and on an older schema.
_MISSING = (UndefinedTable, InvalidSchemaName)


class Watched(Protocol):
    """A number in the database that looks read along."""

    #: False where a call that looks does not read it, lest it waits for a lock: only the process's watcher does.
    by_calls: bool

    def query(self, registry: Any) -> str:
        """Return a query, without parameters, for the number."""

    def is_known(self, number: int | None) -> bool:
        """True if the number tells nothing new; it is None where the database has not what is asked for."""

    def take(self, registry: Any, number: int | None) -> None:
        """Act on a number that is new."""


class Version:
    """A number that rises with each change of something; ``number`` is that of the last look, None if not known."""

    def __init__(self, query: str, *, empties: str | None = None, by_calls: bool = True) -> None:
        """``empties`` is the cache of the registry that is emptied when the number is another, or not known."""
        self.by_calls = by_calls
        self.number: int | None = None
        self._query = query
        self._empties = empties

    def query(self, registry: Any) -> str:
        """See ``Watched``."""
        return self._query

    def is_known(self, number: int | None) -> bool:
        """See ``Watched``: what can't be told may have changed."""
        return number is not None and number == self.number

    def take(self, registry: Any, number: int | None) -> None:
        """See ``Watched``."""
        if self._empties is not None:
            registry._Registry__caches[self._empties].clear()
        self.number = number


@dataclass(frozen=True, slots=True)
class Seen:
    """Outcome of a look: Odoo's sequences, as ``Registry.get_sequences`` gives them, and the watched numbers."""

    sequences: tuple[int | None, dict[str, int | None]]
    numbers: Sequence[tuple[Watched, int | None]]

    def is_signalled(self, registry: Any) -> bool:
        """True if Odoo has signalled something that the registry has not followed yet."""
        return self.sequences != (registry.registry_sequence, registry.cache_sequences)

    @property
    def news(self) -> list[tuple[Watched, int | None]]:
        """The numbers that tell something new."""
        return [(watched, number) for watched, number in self.numbers if not watched.is_known(number)]


def read(cr: SettingCursor, registry: Any, watched: Sequence[Watched], *, alone: bool = False) -> Seen:
    """Look at everything in one statement; in several, and transactions, where a table is missing.

    With ``alone`` it is no part of a transaction where none is under way: what follows is as new, or newer.
    """
    names = ("registry", *odoo_registry._CACHES_BY_KEY)
    signals = [f"SELECT max(id) FROM orm_signaling_{name}" for name in names]
    try:
        row = _row(cr, [*signals, *(each.query(registry) for each in watched)], alone=alone)
    except _MISSING:
        cr.rollback()
        numbers = [_number(cr, each.query(registry)) for each in watched]
        row = (*_row(cr, signals), *numbers)
    whole, *caches = row[: len(names)]
    sequences = whole, dict(zip(odoo_registry._CACHES_BY_KEY, caches, strict=True))
    return Seen(sequences, list(zip(watched, row[len(names) :], strict=True)))


def _number(cr: SettingCursor, query: str) -> int | None:
    try:
        (number,) = _row(cr, [query])
    except _MISSING:
        cr.rollback()
        return None
    found: int | None = number
    return found


def _row(cr: SettingCursor, queries: Sequence[str], *, alone: bool = False) -> tuple[Any, ...]:
    execute = cr.execute_alone if alone else cr.execute
    execute(f"SELECT {', '.join(f'({query})' for query in queries)}", log_exceptions=False)
    row: tuple[Any, ...] = cr.fetchone()
    return row
