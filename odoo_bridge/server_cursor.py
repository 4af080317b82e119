"""Cursors of the database's (SQL DECLARE, FETCH), which give the rows of a statement in parts."""

from __future__ import annotations

from typing import Any

from odoo.sql_db import Cursor
from odoo.tools import SQL


class ServerCursor:
    """Rows of one statement, from the first to the last. A transaction has one at most, and ends it."""

    def __init__(self, cr: Cursor, sql: SQL) -> None:
        self._cr = cr
        cr.execute(SQL("DECLARE gatehouse_found NO SCROLL CURSOR FOR %s", sql))

    def fetch(self, size: int) -> list[tuple[Any, ...]]:
        """Return the next rows, at most ``size``; none behind the last."""
        self._cr.execute(f"FETCH {size:d} FROM gatehouse_found")
        rows: list[tuple[Any, ...]] = self._cr.fetchall()
        return rows
