"""JSON on several lines, also where it was cut and is no whole document any more."""

from __future__ import annotations

import re

_PART = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+|\s+')
_STEP = "  "
_OPENING, _CLOSING = frozenset("{["), frozenset("}]")


def pretty(text: str) -> str:
    """Return a text with the line breaks and indentation that a person expects; one that is no JSON as it is."""
    if text[:1] not in ("{", "["):
        return text
    lines, depth, before = [""], 0, ""
    for part in _PART.findall(text):
        if part.isspace():
            continue
        if part in _CLOSING:
            depth = max(0, depth - 1)
        if before == "," or (before in _OPENING) != (part in _CLOSING):
            lines.append(_STEP * depth)
        lines[-1] += f"{part} " if part == ":" else part
        if part in _OPENING:
            depth += 1
        before = part
    return "\n".join(lines)
