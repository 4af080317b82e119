"""Text from a client into plain data: JSON, or a Python literal; never evaluated, always bounded."""

from __future__ import annotations

import ast
from datetime import date, datetime, timezone
from typing import Any

import orjson

from app.errors import BadRequest
from app.json import MAX_DEPTH, is_too_deep, unfit

#: Longest text of a domain or list, in characters.
MAX_TEXT = 65_536


def parse(text: str, what: str) -> Any:
    """Return the value of a JSON text or Python literal; raises BadRequest that names ``what``."""
    value = _parse(text, what)
    if sum(map(text.count, "[{(")) > MAX_DEPTH and is_too_deep(value):
        raise BadRequest(
            f"{what} is nested more than {MAX_DEPTH} levels deep, as no list of conditions or values needs to be.",
            name=f"invalid_{what}",
            data={"parameter": what},
        )
    if found := unfit(value):
        raise BadRequest(f"{what} holds {found}.", name=f"invalid_{what}", data={"parameter": what})
    return value


def _parse(text: str, what: str) -> Any:
    if len(text) > MAX_TEXT:
        raise BadRequest(
            f"{what} is longer than {MAX_TEXT} characters.", name=f"invalid_{what}", data={"parameter": what}
        )
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise BadRequest(
            f"{what} is neither JSON nor a Python literal.", name=f"invalid_{what}", data={"parameter": what}
        ) from None


def to_number(text: str, digits: int = 9) -> int | None:
    """Return the whole number that a text of decimal digits is, or None where it is none or has more digits."""
    return int(text) if len(text) <= digits and text.isascii() and text.isdigit() else None


def to_date(value: object) -> date | None:
    """Return the date of a text ``YYYY-MM-DD``, or None where it is none."""
    if not isinstance(value, str) or len(value) != 10:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def to_datetime(value: object) -> datetime | None:
    """Return the naive UTC datetime of an ISO 8601 text, or None. Without an offset, UTC is meant."""
    if not isinstance(value, str) or not 16 <= len(value) <= 35:
        return None
    try:
        # Python 3.10 knows neither Z nor fractions of another length than 3 or 6.
        moment = datetime.fromisoformat(value[:-1] + "+00:00" if value[-1] in "zZ" else value)
        if moment.tzinfo is not None:
            moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return moment
