"""The envelope in which every answer goes out: contract section 6."""

from __future__ import annotations

from typing import Any

from flask import Response

from app.errors import ApiError
from app.json import dumps
from app.web.current import current_state


def success(result: Any) -> Response:
    """Return a 200 with the result."""
    return _json({"jsonrpc": "2.0", "id": _rpc_id(), "result": result}, 200)


def failure(error: ApiError, status: int | None = None) -> Response:
    """Return the answer for an error; ``status`` is for one that goes out inside a 200."""
    state = current_state()
    state.failure = error
    body = error.to_json()
    body["data"]["request_id"] = state.request_id
    response = _json({"jsonrpc": "2.0", "id": _rpc_id(), "error": body}, status or error.status)
    response.headers.update(error.headers)
    return response


def _rpc_id() -> Any:
    incoming = current_state().incoming
    return incoming.rpc_id if incoming else None


def _json(document: Any, status: int) -> Response:
    return Response(dumps(document), status=status, content_type="application/json")
