"""Walks through what a search finds: pages that begin behind the last record of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from . import keysets, records
from .fast import counts
from .lengths import Counting
from .transaction import Environment
from .types import CountMode, Page, Selection, Table, Walk


def page(
    env: Environment,
    model: str,
    domain: list[Any],
    selection: Selection,
    walk: Walk,
    *,
    limit: int,
    count: CountMode,
) -> Page:
    """Return the page behind the place of a walk; raises InvalidValue, and what ``records.search`` raises.

    What it costs does not depend on the pages before it, unless it counts.
    """
    model_records = env[model]
    pages: list[Page] = []
    for stretch in keysets.stretches(model_records, walk):
        left = limit - sum(len(found.table.ids) for found in pages)
        counting = Counting(count if walk.after is None else "none", 0)
        if walk.after is not None and count != "none":
            stretch = replace(stretch, only=False)  # the count belongs to the same snapshot
        pages.append(records.search_stretch(model_records, domain, selection, walk.order, left, counting, stretch))
        if pages[-1].more:
            break
    last = next((found.last for found in reversed(pages) if found.last is not None), None)
    length = pages[0].length
    if walk.after is not None:  # a page in the middle does not show how many match
        length = counts.length(model_records, domain, Counting(count, limit), 0, True)
    return Page(_joined([found.table for found in pages]), pages[-1].more, length, last)


def _joined(tables: Sequence[Table]) -> Table:
    """Return tables of the same model one below the other, with the columns that all of them have."""
    if len(tables) == 1:
        return tables[0]
    names = [name for name in tables[0].values if all(name in table.values for table in tables)]
    related = [name for name in tables[0].related if all(name in table.related for table in tables)]
    return Table(
        list(chain.from_iterable(table.ids for table in tables)),
        {name: list(chain.from_iterable(table.values[name] for table in tables)) for name in names},
        {name: _joined([table.related[name] for table in tables]) for name in related},
    )
