"""Cost of the current thread in the database: Odoo's own count (odoo/sql_db.py, Cursor.execute)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SqlCost:
    """Statements that Odoo's cursors have run, and the seconds that they took."""

    statements: int
    seconds: float


def start() -> None:
    """Count from zero; Odoo adds to two attributes of the thread, which costs next to nothing."""
    thread: Any = threading.current_thread()
    thread.query_count, thread.query_time = 0, 0.0


def spent() -> SqlCost:
    """Return the cost since ``start``, which this thread has called."""
    thread: Any = threading.current_thread()
    return SqlCost(thread.query_count, thread.query_time)


def statements() -> int:
    """Return the number of statements that this thread has run, from whatever it was counted from."""
    thread: Any = threading.current_thread()
    if not hasattr(thread, "query_count"):
        start()
    return int(thread.query_count)
