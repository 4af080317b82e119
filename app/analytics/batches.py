"""Many rows into a table in one statement, whose one parameter holds them all as JSON.

A statement for each row costs a round trip for each, and PostgreSQL a plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.database import Cursor


def insert(cr: Cursor, table: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], then: str = "") -> None:
    """Insert rows into a table of the schema ``gatehouse``; ``then`` is what follows, for example ON CONFLICT.

    Values are what JSON has, and dates.
    """
    named = ", ".join(columns)
    cr.execute(
        f"INSERT INTO gatehouse.{table} ({named}) "
        f"SELECT {named} FROM json_populate_recordset(NULL::gatehouse.{table}, CAST(%s AS json)) {then}",
        (orjson.dumps(rows).decode(),),
    )
