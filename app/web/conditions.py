"""If-Match of a request, as the condition that a write is done under."""

from __future__ import annotations

from flask import Request
from werkzeug.http import parse_etags

from app.operations.versions import Condition


def condition(request: Request) -> Condition:
    """Return the condition of a request; weak tags match nothing (RFC 9110 13.1.1: strong comparison).

    A header that names no tag at all matches nothing either.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return Condition()
    tags = parse_etags(header)
    return Condition.of((tag or "" for tag in tags.as_set()), any=tags.star_tag)
