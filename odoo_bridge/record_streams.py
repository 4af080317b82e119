"""Streams of the records that a search finds: all of them, in batches, by a cursor of the database's.

The database keeps its place in the result, so that neither it nor this process holds more than a batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol

from . import domains, paging, records
from .fast import row_streams
from .server_cursor import ServerCursor
from .transaction import Environment
from .types import Recordset, Selection, Table


class RecordStream(Protocol):
    """Records of a search, from the first to the last."""

    def next(self, size: int) -> Table | None:
        """Return the table of the next records, at most ``size`` of them; None behind the last."""


def open_stream(env: Environment, model: str, domain: list[Any], selection: Selection, order: str) -> RecordStream:
    """Return the stream of all records that match, in an order in which no two are equal.

    ``env`` is one of a snapshot, and nobody else's. Raises InvalidValue, AccessError.
    """
    every = env[model]
    with domains.refusals(every, domain):
        read = partial(records.read_found, selection=selection)
        straight = row_streams.open_rows(every, domain, selection, order, read)
        if straight is not None:
            return straight
        return _OdooStream(every, _Ids(every, domain, order), selection)


class _Ids:
    """Ids of the records that a search finds, in their order."""

    def __init__(self, model: Recordset, domain: list[Any], order: str) -> None:
        self._cursor: ServerCursor | None = None
        self._ids: Iterator[int] = iter(())
        if not paging.searches_as_odoo(model, "search", "search_fetch"):
            self._ids = iter(model.search(domain, order=order)._ids)
            return
        query = model._search(domain, order=order)
        if query._ids is not None:  # the model has taken records out by itself
            self._ids = iter(list(dict.fromkeys(query)))  # half of what the dictionary takes
        elif not query.is_empty():
            self._cursor = ServerCursor(model.env.cr, query.select())

    def next(self, size: int) -> list[int]:
        """Return the next ids; none behind the last."""
        if self._cursor is not None:
            return [row[0] for row in self._cursor.fetch(size)]
        return list(itertools.islice(self._ids, size))


class _OdooStream:
    """Records that Odoo reads, batch by batch, through its cache, which is emptied in between.

    What Odoo refuses to the user is left out where nobody named the fields: what it refuses of the first batch.
    """

    def __init__(self, model: Recordset, ids: _Ids, selection: Selection) -> None:
        self._model = model
        self._ids = ids
        self._selection = selection

    def next(self, size: int) -> Table | None:
        """Return the table of the next records; see ``RecordStream``. Raises AccessError."""
        ids = self._ids.next(size)
        if not ids:
            return None
        self._model.env.invalidate_all(flush=False)
        table = records.read_found(self._model.browse(ids), self._selection)
        if self._selection.open:
            kept = tuple(name for name in self._selection.plain if name in table.values)
            self._selection = Selection(kept, self._selection.related)
        return table
