"""If-Match of a request, as the condition that a write is done under; If-None-Match of a read."""

from __future__ import annotations

from dataclasses import replace

from flask import Request
from werkzeug.http import parse_etags

from app.errors import BadRequest
from app.operations.versions import Condition
from app.web.http_methods import is_safe
from app.web.preferences import asks_for_dry_run


def condition(request: Request) -> Condition:
    """Return the condition of a request; weak tags match nothing (RFC 9110 13.1.1: strong comparison).

    A header that names no tag at all matches nothing either.
    """
    header, told = request.environ.get("HTTP_IF_MATCH"), asks_for_dry_run(request.environ.get("HTTP_PREFER"))
    if header is None:
        return Condition(told=told)
    tags = parse_etags(header)
    return replace(Condition.of((tag or "" for tag in tags.as_set()), any=tags.star_tag), told=told)


def condition_of_upsert(request: Request, *, of_many: bool = False) -> Condition:
    """Return the condition of a write that creates or updates: ``If-None-Match: *`` lets it create alone.

    Raises BadRequest for both headers at once, and for tags where they can be of no use; ``of_many`` records have no
    ETag in common.
    """
    found, header = condition(request), request.environ.get("HTTP_IF_NONE_MATCH")
    if header is not None and (header.strip() != "*" or found.given):
        raise _invalid("If-None-Match", "Here it takes * alone, and stands without If-Match: create, do not update.")
    if of_many and found.given and not found.any:
        raise _invalid("If-Match", "For several records it takes * alone: update, do not create.")
    return replace(found, new=header is not None)


def _invalid(header: str, message: str) -> BadRequest:
    return BadRequest(f"{header}: {message}", name="invalid_condition", data={"parameter": header})


def has_already(request: Request, tag: str) -> bool:
    """True for a read whose client has the answer with this ETag."""
    header = request.environ.get("HTTP_IF_NONE_MATCH")
    return header is not None and is_safe(request.method) and parse_etags(header).contains_weak(tag)
