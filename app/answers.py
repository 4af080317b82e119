"""The envelope in which every answer goes out: contract section 6."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, g

from app.errors import ApiError

#: Dates as YYYY-MM-DD, datetimes in UTC with Z. Odoo's datetimes are naive and mean UTC.
_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def success(result: Any) -> Response:
    """Return a 200 with the result."""
    return _json({"jsonrpc": "2.0", "id": _rpc_id(), "result": result}, 200)


def failure(error: ApiError, status: int | None = None) -> Response:
    """Return the answer for an error; ``code`` is the status that tells the kind, also inside a 200."""
    body = {
        "code": error.status,
        "message": error.message,
        "data": {"name": error.name, "request_id": g.request_id, **error.data},
    }
    response = _json({"jsonrpc": "2.0", "id": _rpc_id(), "error": body}, status or error.status)
    response.headers.update(error.headers)
    return response


def _rpc_id() -> Any:
    incoming = g.get("incoming")
    return incoming.rpc_id if incoming else None


def _json(document: Any, status: int) -> Response:
    return Response(orjson.dumps(document, option=_OPTIONS), status=status, content_type="application/json")
