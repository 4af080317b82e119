"""Needs of the capture: tables whose changes have to be noted, and the columns that matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class TableNeed:
    """Need of one table.

    ``key`` is ``("id",)``, or both columns of a relation table. ``kept`` are the columns whose old values are needed,
    ``watched`` those of which it is enough to know that they were changed.
    """

    key: tuple[str, ...]
    kept: frozenset[str] = frozenset()
    watched: frozenset[str] = frozenset()

    def __or__(self, other: TableNeed) -> TableNeed:
        """Return the need of both."""
        kept = self.kept | other.kept
        return TableNeed(self.key, kept, (self.watched | other.watched) - kept)

    @property
    def columns(self) -> frozenset[str]:
        """All columns whose change is noted, besides those of the key."""
        return self.kept | self.watched


#: Needs by the name of the table.
Needs: TypeAlias = Mapping[str, TableNeed]


def union(needs: Iterable[Needs]) -> dict[str, TableNeed]:
    """Return all needs as one."""
    found: dict[str, TableNeed] = {}
    for each in needs:
        for table, need in each.items():
            found[table] = found[table] | need if table in found else need
    return found
