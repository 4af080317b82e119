"""JSON as every answer writes it."""

from __future__ import annotations

from typing import Any

import orjson

#: Dates as YYYY-MM-DD, datetimes in UTC with Z. Odoo's datetimes are naive and mean UTC.
_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def dumps(document: Any) -> bytes:
    """Return the JSON of plain data."""
    return orjson.dumps(document, option=_OPTIONS)
