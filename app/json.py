"""JSON as every answer writes it, and how deep that of a client may go."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

#: Deepest nesting of what a client sends: JSON, and what stands as text in a parameter or a form.
MAX_DEPTH = 40
#: Dates as YYYY-MM-DD, datetimes in UTC with Z. Odoo's datetimes are naive and mean UTC.
_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
_LINE = _OPTIONS | orjson.OPT_APPEND_NEWLINE


def dumps(document: Any) -> bytes:
    """Return the JSON of plain data."""
    try:
        return orjson.dumps(document, option=_OPTIONS)
    except TypeError:
        return _rare(document)


def lines(documents: Sequence[Any]) -> bytes:
    """Return the JSON of plain data, a line for each document."""
    try:
        return b"".join([orjson.dumps(document, option=_LINE) for document in documents])
    except TypeError:
        return b"".join([_rare(document) + b"\n" for document in documents])


def _rare(document: Any) -> bytes:
    """Return JSON of keys that are no text, and of whole numbers beyond 64 bits: JSON fields of Odoo can hold both.

    To expect the former takes half as long again for all documents.
    """
    options = _OPTIONS | orjson.OPT_NON_STR_KEYS
    try:
        return orjson.dumps(document, option=options)
    except TypeError:
        return orjson.dumps(_within_64_bits(document), option=options)


def load(data: bytes) -> Any:
    """Return a JSON document; raises ValueError that says what is wrong with it."""
    document = orjson.loads(data)
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and is_too_deep(document):
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    return document


def is_too_deep(document: Any, most: int = MAX_DEPTH) -> bool:
    """True if lists and objects nest deeper than allowed; level by level, so that depth costs no stack."""
    level = [document] if isinstance(document, (dict, list, tuple)) else []
    for _ in range(most):
        if not level:
            return False
        level = [
            item
            for parent in level
            for item in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(item, (dict, list, tuple))
        ]
    return bool(level)


def unfit(document: Any) -> str | None:
    """Return the first thing in a document, of bounded depth, that no database takes; None where all of it is fit."""
    if isinstance(document, str):
        return None if is_clean(document) else "a text with a NUL, or with half a character (U+D800 to U+DFFF)"
    if isinstance(document, int):
        return None if -(2**63) <= document < 2**63 else "a number of more than 64 bits"
    if isinstance(document, float):
        return None if math.isfinite(document) else "a number that is none (infinite, or not a number)"
    if isinstance(document, dict):
        items: Iterable[Any] = itertools.chain(document, document.values())
    elif isinstance(document, (list, tuple, set)):
        items = document
    else:
        return None
    return next(filter(None, map(unfit, items)), None)


def is_clean(text: str) -> bool:
    """True if PostgreSQL can store a text: no NUL, nothing that is not Unicode text."""
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _within_64_bits(value: Any) -> Any:
    """Return the document with larger numbers as floats, as JavaScript and most readers would take them anyway."""
    if isinstance(value, dict):
        return {key: _within_64_bits(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_within_64_bits(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value) if abs(value) < 2**1000 else str(value)
    return value
