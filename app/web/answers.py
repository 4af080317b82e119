"""The envelope in which every answer goes out: contract section 6. Errors can come as Problem Details instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from flask import Request, Response

from app.errors import ApiError
from app.json import dumps
from app.web.current import current_request, current_state

#: Problem Details for HTTP APIs (RFC 9457).
PROBLEM = "application/problem+json"

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Answer(Response):
    """An answer that is here as a whole: JSON, or nothing where the client has it already."""

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return content, status and headers; see Werkzeug.

        It completes addresses and lengths in a copy of the headers: here none is an address, and the length is known.
        """
        if environ["REQUEST_METHOD"] == "HEAD":
            return super().get_wsgi_response(environ)
        return cast("Iterable[bytes]", self.response), self.status, list(self.headers)


def success(result: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """Return an answer with the result."""
    return _json({"jsonrpc": "2.0", "id": _rpc_id(), "result": result}, status, headers=headers)


def unchanged(headers: Mapping[str, str]) -> Response:
    """Return a 304: the client has the answer already."""
    response = Answer(status=304, headers=headers)
    del response.headers["Content-Type"]
    return response


def failure(error: ApiError, status: int | None = None) -> Response:
    """Return the answer for an error; ``status`` is for one that goes out inside a 200, as no problem does."""
    state = current_state()
    state.failure = error
    if _wants_problem(current_request()):
        response = _json({**error.to_problem(), "request_id": state.request_id}, error.status, PROBLEM)
    else:
        body = error.to_json()
        body["data"]["request_id"] = state.request_id
        response = _json({"jsonrpc": "2.0", "id": _rpc_id(), "error": body}, status or error.status)
    response.headers.update(error.headers)
    response.vary.add("Accept")
    return response


def _wants_problem(request: Request) -> bool:
    """True if a client names Problem Details in ``Accept``, and would not rather have plain JSON (RFC 9110 12.5.1)."""
    if "problem+json" not in request.environ.get("HTTP_ACCEPT", "").lower():
        return False
    accepted = request.accept_mimetypes
    asked = max(
        (quality for value, quality in accepted if value.partition(";")[0].strip().lower() == PROBLEM), default=0
    )
    return bool(asked) and asked >= accepted.quality("application/json")


def _rpc_id() -> Any:
    incoming = current_state().incoming
    return incoming.rpc_id if incoming else None


def _json(
    document: Any, status: int, content_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Response:
    return Answer(dumps(document), status=status, headers=headers, content_type=content_type)
