"""The trace that a call is part of: the header ``traceparent`` (W3C Trace Context, level 1, section 3.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Version, trace id, parent id and flags, all in lower case (3.2.2); a later version may say more behind another dash.
_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """``trace_id`` is the same for all that one request of a user has caused, ``parent_id`` is who calls us."""

    trace_id: str
    parent_id: str


def parse(header: str | None) -> Trace | None:
    """Return the trace of a header; None without one, and for one that is not valid, which has to be ignored."""
    match = _HEADER.fullmatch(header) if header else None
    if match is None:
        return None
    version, trace_id, parent_id, _, more = match.groups()
    if version == "ff" or (version == "00" and more) or not (trace_id.strip("0") and parent_id.strip("0")):
        return None
    return Trace(trace_id, parent_id)
