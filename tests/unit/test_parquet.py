"""Memory of a Parquet export, counted byte by byte: how much a process holds at a moment says little of a busy one."""

from __future__ import annotations

import tracemalloc

import pyarrow
import pytest

from app.operations.exports import parquet
from app.operations.exports.parquet import ParquetWriter
from odoo_bridge.types import Table
from tests.unit.models import definition, field, node

#: Records that are read at a time, and of a row group.
_BATCH, _GROUP = 200, 1_000


def _most_held(records: int) -> int:
    """Return the bytes that writing so many records takes at most, in Python and in Arrow."""
    shown = node(field("name"), field("count", "integer"), field("notes", "text"))
    pool = pyarrow.system_memory_pool()
    held = 0
    tracemalloc.start()
    try:
        writer = ParquetWriter(definition(), shown)
        writer.head()
        for start in range(1, records, _BATCH):
            ids = range(start, start + _BATCH)
            notes = [f"notes on {number} {'x' * 80}" for number in ids]
            writer.rows(Table(ids, {"name": [f"record {number}" for number in ids], "count": ids, "notes": notes}))
            held = max(held, pool.bytes_allocated())
        writer.tail()
        return held + tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP", _GROUP)
    _most_held(_GROUP)  # what is loaded once
    few, many = _most_held(2 * _GROUP), _most_held(8 * _GROUP)
    assert many < 1.2 * few
