"""Errors of the endpoints that programs call, in the form of RFC 6749 5.2, whichever part of the server raised them."""

from __future__ import annotations

import re

from flask import Blueprint, Response

from app.json import dumps
from app.web.current import current_state

#: What RFC 6749 (5.2 and 4.1.2.1) calls an error of a status; others are the request's or the server's fault.
_CODES = {401: "invalid_client", 429: "temporarily_unavailable", 503: "temporarily_unavailable"}
#: What ``error_description`` may not hold.
_FORBIDDEN = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


def init_errors(blueprint: Blueprint) -> None:
    """Let OAuth2 clients find what they know in the body; status and headers (``Retry-After``) stay."""
    blueprint.after_request(_in_oauth2_form)


def _in_oauth2_form(response: Response) -> Response:
    failure = current_state().failure
    if failure is not None:
        code = _CODES.get(failure.status, "server_error" if failure.status >= 500 else "invalid_request")
        response.content_type = "application/json"  # theirs alone, whatever ``Accept`` says
        response.set_data(dumps({"error": code, "error_description": _FORBIDDEN.sub("'", failure.message)}))
    return response
