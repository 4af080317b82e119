"""If-Match of a request, as the condition that a write is done under; If-None-Match of a read."""

from __future__ import annotations

from flask import Request
from werkzeug.http import parse_etags

from app.operations.versions import Condition
from app.web.http_methods import is_safe


def condition(request: Request) -> Condition:
    """Return the condition of a request; weak tags match nothing (RFC 9110 13.1.1: strong comparison).

    A header that names no tag at all matches nothing either.
    """
    header = request.environ.get("HTTP_IF_MATCH")
    if header is None:
        return Condition()
    tags = parse_etags(header)
    return Condition.of((tag or "" for tag in tags.as_set()), any=tags.star_tag)


def has_already(request: Request, tag: str) -> bool:
    """True for a read whose client has the answer with this ETag."""
    header = request.environ.get("HTTP_IF_NONE_MATCH")
    return header is not None and is_safe(request.method) and parse_etags(header).contains_weak(tag)
