"""Headers that tell from when an API is deprecated (RFC 9745) and may be gone (RFC 8594). No date ends it by itself."""

from __future__ import annotations

from datetime import datetime, time, timezone
from functools import lru_cache

from werkzeug.http import http_date

from app import literals
from app.definitions.document import ApiDocument


def headers(document: ApiDocument) -> dict[str, str]:
    """Return the headers of an API's dates, for all of its answers."""
    found = {}
    if document.deprecated is not None:
        found["Deprecation"] = f"@{int(_start(document.deprecated).timestamp())}"
    if document.sunset is not None:
        found["Sunset"] = http_date(_start(document.sunset))
    return found


@lru_cache(maxsize=256)
def _start(day: str) -> datetime:
    """Return the first moment of a day in UTC; documents hold no other text."""
    date = literals.to_date(day)
    if date is None:
        raise ValueError(day)
    return datetime.combine(date, time.min, timezone.utc)
