"""An export under way: batches of records, written in a format, each from the same snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from app.definitions.definition import Definition, Exposure, Node
from app.errors import TooManyRequests
from app.operations.exports.formats import CsvWriter, NdjsonWriter, Writer
from app.operations.exports.parquet import ParquetWriter
from app.operations.single import visible_to, with_external_ids
from app.policy import export as policy
from app.policy.export import ExportQuery
from odoo_bridge import record_streams, records, slots
from odoo_bridge.transaction import Environment
from odoo_bridge.types import Table

NDJSON, CSV, PARQUET = "application/x-ndjson", "text/csv", "application/vnd.apache.parquet"
#: Formats that there are, the one first that is meant where the client does not say.
FORMATS = (NDJSON, CSV, PARQUET)
#: Exports that one caller may have at once.
AT_ONCE = 2
#: Records of the first batch, most of any, and of the first one where each may be large.
_FIRST, _MOST, _FIRST_LARGE = 100, 1_000, 5
#: Bytes and seconds that a batch is to have, by those before it.
_BYTES, _SECONDS = 512 * 1024, 1.0


class Export:
    """Pieces of the file of an export. ``records`` counts those that were given out so far."""

    def __init__(
        self,
        env: Environment,
        definition: Definition,
        exposure: Exposure,
        parameters: Mapping[str, Any],
        media_type: str,
        *,
        caller: str,
        most: int | None = None,
    ) -> None:
        """``most`` is how many records there are to be at most; ``caller`` is the principal's key.

        Raises ApiError and BridgeError.
        """
        self.records = 0
        exposure = visible_to(env, exposure)
        wanted = policy.export(parameters, definition, exposure)
        by_url = definition.document.binary == "url" and any(wanted.node.binary_fields())
        reader = records.sizes_only(env) if by_url else env
        self._left = most
        name_them = partial(with_external_ids, env, exposure.name, caller=caller)
        self._named = name_them if wanted.node.shows_external_ids else None
        self._stream = record_streams.open_stream(
            reader, exposure.name, wanted.domain, wanted.node.selection(), wanted.order
        )
        in_base64 = not by_url and any(wanted.node.binary_fields())
        self._size = _FIRST_LARGE if in_base64 else _FIRST
        self._first = self._next()
        self._writer = _writer(definition, _shown(wanted.node, self._first), media_type, wanted)

    def pieces(self) -> Iterator[bytes]:
        """Yield the pieces; each of ``next`` reads one batch at most. Raises BridgeError."""
        yield self._writer.head()
        table, self._first = self._first, None
        while table is not None:
            piece = self._writer.rows(table)
            self.records += len(table.ids)
            yield piece
            began = time.monotonic()
            before, table = len(table.ids), self._next()
            if table is not None:
                self._fit(before, len(table.ids), time.monotonic() - began)
        yield self._writer.tail()

    def _next(self) -> Table | None:
        size = self._size if self._left is None else min(self._size, self._left)
        table = self._stream.next(size) if size else None
        if self._left is not None and table is not None:
            self._left -= len(table.ids)
        return self._named(table) if self._named and table is not None else table

    def _fit(self, written: int, read: int, seconds: float) -> None:
        """Make the next batch as large as fits: wide and slow records come a few at a time.

        ``written`` is the number of the records that were written last, ``read`` of those that took so many seconds.
        """
        fitting = min(written * _BYTES / max(1, self._writer.size), read * _SECONDS / max(0.001, seconds))
        self._size = max(1, min(_MOST, 2 * self._size, int(fitting)))


def take_slot(env: Environment, caller: str) -> None:
    """Take one of the caller's exports at once, until the snapshot ends; raises TooManyRequests."""
    if not slots.take(env, f"export:{caller}", AT_ONCE):
        raise TooManyRequests(
            f"A caller has {AT_ONCE} exports at once at most. Wait for one to end.",
            retry_after=5,
            name="too_many_exports",
        )


def _writer(definition: Definition, node: Node, media_type: str, wanted: ExportQuery) -> Writer:
    makers: dict[str, Callable[[], Writer]] = {
        NDJSON: lambda: NdjsonWriter(definition, node),
        CSV: lambda: CsvWriter(definition, node, for_spreadsheets=wanted.for_spreadsheets),
        PARQUET: lambda: ParquetWriter(definition, node),
    }
    return makers[media_type]()


def _shown(node: Node, first: Table | None) -> Node:
    """Return the node without fields that Odoo refuses to the user where nobody has named the fields."""
    if not node.open or first is None:
        return node
    return node.only(name for name in node.fields if name in first.values)
