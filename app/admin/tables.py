"""Rows as files: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Response

from app.admin.view import download
from app.errors import BadRequest
from app.json import dumps

#: Most rows that one file holds.
MOST = 50_000


def as_file(rows: Sequence[Mapping[str, Any]], name: str, kind: str) -> Response:
    """Return rows as a file to save; ``kind`` is csv or json."""
    if kind == "json":
        return download(dumps([_plain(row) for row in rows]).decode(), f"{name}.json", "application/json")
    if kind == "csv":
        return download(_csv(rows), f"{name}.csv", "text/csv")
    raise BadRequest("There is no such file.")


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    for number, row in enumerate(rows):
        if not number:
            writer.writerow(row)
        writer.writerow([_cell(value) for value in _plain(row).values()])
    return stream.getvalue()


def _cell(value: Any) -> Any:
    """A spreadsheet runs what begins like a formula; paths and messages come from strangers."""
    if isinstance(value, list):
        value = " ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
