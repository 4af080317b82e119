"""Apache Parquet: typed columns, in which what is empty is null. pyarrow is loaded by the first such export."""

from __future__ import annotations

import io
import time
from typing import Any

from app.definitions.definition import Definition, Node
from app.errors import NotAcceptable
from app.operations.exports.flat import Column, Flattener, columns
from odoo_bridge.types import Table

#: Rows, bytes and seconds of a row group, whichever are reached first: readers want large ones, which take memory, and
#: keep a proxy waiting.
GROUP, GROUP_BYTES, GROUP_SECONDS = 10_000, 4 * 1024 * 1024, 20.0


class ParquetWriter:
    """Records as a Parquet file (application/vnd.apache.parquet)."""

    def __init__(self, definition: Definition, node: Node) -> None:
        """Raises NotAcceptable where pyarrow is not installed."""
        try:
            import pyarrow  # noqa: PLC0415  large, and no other call needs it
            import pyarrow.parquet as parquet  # noqa: PLC0415
        except ImportError:
            raise NotAcceptable(
                "This server has no pyarrow, which Parquet needs: its operators install requirements-parquet.txt.",
                name="parquet_not_installed",
            ) from None
        # Its own pools keep what they have had: 25 MB for 100,000 records, where the system's allocator keeps 3.
        pyarrow.set_memory_pool(pyarrow.system_memory_pool())
        self.size = 0
        self._arrow = pyarrow
        self._node = node
        self._flattener = Flattener(definition)
        self._schema = pyarrow.schema([(each.name, self._type(each, definition)) for each in columns(node)])
        self._file = _Pieces()
        self._writer = parquet.ParquetWriter(self._file, self._schema)
        self._waiting: list[Any] = []
        self._began = time.monotonic()

    def head(self) -> bytes:
        return self._file.take()

    def rows(self, table: Table) -> bytes:
        if not self._waiting:
            self._began = time.monotonic()
        values = self._flattener.values(table, self._node)
        arrays = [self._arrow.array(each, type=field.type) for each, field in zip(values, self._schema, strict=True)]
        self._waiting.append(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        self.size = self._waiting[-1].nbytes
        waiting, number = sum(each.nbytes for each in self._waiting), sum(each.num_rows for each in self._waiting)
        if waiting >= GROUP_BYTES or number >= GROUP or time.monotonic() - self._began >= GROUP_SECONDS:
            self._write()
        return self._file.take()

    def tail(self) -> bytes:
        if self._waiting:
            self._write()
        self._writer.close()
        return self._file.take()

    def _write(self) -> None:
        self._writer.write_table(self._arrow.concat_tables(self._waiting))
        self._waiting = []

    def _type(self, column: Column, definition: Definition) -> Any:
        arrow = self._arrow
        if column.kind == "id":
            return arrow.string() if definition.ids.obfuscated else arrow.int64()
        return {
            "integer": arrow.int64(),
            "float": arrow.float64(),
            "boolean": arrow.bool_(),
            "date": arrow.date32(),
            "datetime": arrow.timestamp("us", tz="UTC"),
        }.get(column.kind, arrow.string())


class _Pieces(io.RawIOBase):
    """A file that is taken away while it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        """Return the bytes that were written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
