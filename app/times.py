"""Times in UTC, as people and as machines read them; on pages a script shows them in the browser's own zone."""

from __future__ import annotations

from datetime import datetime, timezone

_FORMS = {
    "day": "%Y-%m-%d",
    "minutes": "%Y-%m-%d %H:%M",
    "seconds": "%Y-%m-%d %H:%M:%S",
    "milliseconds": "%Y-%m-%d %H:%M:%S.%f",
}


def utc(at: datetime, precision: str = "seconds") -> str:
    """Return a time as people read it, in UTC, to the ``precision``: day, minutes, seconds or milliseconds."""
    text = at.astimezone(timezone.utc).strftime(_FORMS[precision])
    return text[:-3] if precision == "milliseconds" else text


def iso(at: datetime) -> str:
    """Return a time as machines read it: ``2026-11-29T14:03:05.123Z``."""
    return utc(at, "milliseconds").replace(" ", "T") + "Z"
