"""Answers to what never becomes a call of the application: malformed, too large or too slow requests.

In the form that clients know from the application (contract section 6), with a request id of their own.
"""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus

_NAMES = {
    400: "bad_request",
    408: "request_timeout",
    414: "uri_too_long",
    417: "expectation_failed",
    429: "too_many_at_once",
    431: "request_header_fields_too_large",
    500: "internal_error",
    501: "not_implemented",
    503: "overloaded",
    505: "http_version_not_supported",
}
#: Statuses after which the same request may well be served.
_PASSING = frozenset({429, 503})


class Refusal(Exception):
    """A request that is answered without the application, and is the last of its connection."""

    def __init__(self, status: int, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.name = name or _NAMES.get(status, "bad_request")

    def render(self) -> bytes:
        """Return the whole answer; the connection ends with it."""
        phrase, request_id = HTTPStatus(self.status).phrase, secrets.token_hex(16)
        data = {"name": self.name, "message": self.message, "request_id": request_id}
        error = {"code": self.status, "message": self.message, "data": data}
        body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
        lines = [
            f"HTTP/1.1 {self.status} {phrase}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            f"X-Request-ID: {request_id}",
            *(["Retry-After: 1"] if self.status in _PASSING else []),
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
