"""Preferences of a request: the header Prefer (RFC 7240), of which ``tx=rollback`` asks for a dry run."""

from __future__ import annotations

from urllib.request import parse_http_list

#: The preference, as an answer names the one that it has followed (RFC 7240 3).
ROLLBACK = "tx=rollback"


def asks_for_dry_run(header: str | None) -> bool:
    """True if a call is to run, be answered, and leave nothing behind. What is not known is passed over, as it says."""
    for preference in parse_http_list(header) if header else ():
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "tx":  # of two, the first one counts
            return value.strip().strip('"').lower() == "rollback"
    return False
