"""How much the tests try: what shows a fault in a change, or with LONG=1, as in `make everything`, all they can."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")
LONG = bool(os.environ.get("LONG"))


def extent(short: T, long: T) -> T:
    """Return the one of two extents that is asked for."""
    return long if LONG else short
