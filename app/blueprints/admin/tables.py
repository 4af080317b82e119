"""Rows as files: CSV for spreadsheets, JSON for programs. Long ones are streamed, however many rows there are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flask import Response

from app.blueprints.admin.view import download
from app.errors import BadRequest
from app.json import dumps

#: What a spreadsheet takes for the beginning of a formula, also in full width; OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def as_file(rows: Sequence[Mapping[str, Any]], name: str, kind: str) -> Response:
    """Return rows as a file to save; ``kind`` is csv or json."""
    if kind == "json":
        return download(dumps([_plain(row) for row in rows]).decode(), f"{name}.json", "application/json")
    if kind == "csv":
        return download("".join(_csv([rows])), f"{name}.csv", "text/csv")
    raise BadRequest("There is no such file.")


def as_stream(pages: Iterable[Sequence[Mapping[str, Any]]], name: str, kind: str) -> Response:
    """Return pages of rows as a file that is sent while it is read; ``kind`` is csv, or jsonl: an object on each line.

    No more than a page is in memory. Where reading fails, the answer breaks off and the browser says so.
    """
    if kind == "jsonl":
        return download(map(_jsonl, pages), f"{name}.jsonl", "application/jsonl")
    if kind == "csv":
        return download(_csv(pages), f"{name}.csv", "text/csv")
    raise BadRequest("There is no such file.")


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}


def _jsonl(page: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(dumps(_plain(row)) + b"\n" for row in page)


def _csv(pages: Iterable[Iterable[Mapping[str, Any]]]) -> Iterator[str]:
    """Yield the text of each page; the first begins with the names of the columns."""
    headed = False
    for page in pages:
        stream = io.StringIO()
        writer = csv.writer(stream)
        for row in page:
            if not headed:
                writer.writerow(row)
                headed = True
            writer.writerow([_cell(value) for value in _plain(row).values()])
        yield stream.getvalue()


def _cell(value: Any) -> Any:
    """A spreadsheet runs what begins like a formula; paths and messages come from strangers."""
    if isinstance(value, list):
        value = " ".join(map(str, value))
    if isinstance(value, dict):
        value = dumps(value).decode()
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value
