"""The path as the client has sent it: what stands in one segment of it may hold a slash, percent-encoded."""

from __future__ import annotations

from urllib.parse import unquote

from flask import Request

from app.definitions.ids import Reference
from app.errors import BadRequest
from app.operations.endpoints import Endpoint
from app.web.steps import mark_of


def key_value(request: Request, endpoint: Endpoint) -> str | Reference:
    """Return the value of a key, the path's last segment; raises BadRequest unless it is one segment of UTF-8.

    A step of a batch may have a reference there.
    """
    parameter = {"parameter": endpoint.key}
    try:
        segments = [unquote(segment, errors="strict") for segment in _path(request).split("/")]
    except UnicodeDecodeError:
        message = f"The value of {endpoint.key} in the path is not UTF-8, percent-encoded."
        raise BadRequest(message, name="invalid_path", data=parameter) from None
    if "/".join(segments[:-1]) + "/" != request.root_path.rstrip("/") + endpoint.path_with("", ""):
        message = f"The value of {endpoint.key} is one segment of the path: write / as %2F."
        raise BadRequest(message, name="invalid_path", data=parameter)
    mark = mark_of(request.environ)
    return segments[-1] if mark is None else mark.in_path.get(segments[-1], segments[-1])


def _path(request: Request) -> str:
    """Return the path, still encoded (RFC 9112 3.2: a target can be a path or a whole address)."""
    target: str = request.environ["RAW_URI"]
    if not target.startswith("/"):
        _, _, rest = target.partition("://")
        target = rest[rest.find("/") :] if "/" in rest else "/"
    return target.partition("?")[0]
