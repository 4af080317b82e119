"""Streams of tables straight from the rows of a statement, as ``rows`` has them of a page.

Records behind many2one fields are not joined to all rows, which PostgreSQL would have to sort again, but looked up for
each batch: one statement for each such field, of the distinct ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from odoo.tools import SQL

from odoo_bridge.fast import rows
from odoo_bridge.fast.clauses import filled
from odoo_bridge.fast.shapes import Join, RowShape, WantedRows
from odoo_bridge.server_cursor import ServerCursor
from odoo_bridge.types import Recordset, Selection, Table

#: Odoo's way to read records that a search has found.
Read: TypeAlias = Callable[[Recordset], Table]


def open_rows(model: Recordset, domain: list[Any], selection: Selection, order: str, read: Read) -> RowStream | None:
    """Return the stream of the records that match; None where it takes more than rows. Raises AccessError.

    ``read`` reads a batch of which a row leads to a record that is missing.
    """
    statement = rows.statement_of(model, domain, WantedRows.of(selection), order, by_ids=False)
    return None if statement is None else RowStream(model, statement.shape, statement.page(None, 0), read)


class RowStream:
    """Tables of the rows of one statement; see ``record_streams.RecordStream``."""

    def __init__(self, model: Recordset, shape: RowShape, sql: SQL | None, read: Read) -> None:
        self._model = model
        self._shape = shape
        self._read = read
        self._cursor = None if sql is None else ServerCursor(model.env.cr, sql)

    def next(self, size: int) -> Table | None:
        """Return the table of the next records."""
        found = self._cursor.fetch(size) if self._cursor else []
        if not found:
            return None
        columns = list(zip(*found, strict=True))
        try:
            return rows.of_columns(self._shape, iter(columns), self._behind)
        except KeyError:  # a record is missing to which one of them leads
            self._model.env.invalidate_all(flush=False)
            return self._read(self._model.browse(columns[0]))

    def _behind(self, join: Join, ids: Sequence[Any]) -> Table:
        """Return the table of the records that a column leads to, each once."""
        distinct = tuple({record_id for record_id in ids if record_id})
        if not distinct:
            return rows.of_columns(join.shape, iter([()] * join.shape.width))
        self._model.env.cr.execute(*filled(join.of_ids, distinct))
        found = self._model.env.cr.fetchall()
        return rows.of_columns(join.shape, iter(list(zip(*found, strict=True)) or [()] * join.shape.width))
