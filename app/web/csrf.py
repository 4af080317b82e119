"""A browser sends the session cookie by itself; a call that changes something must not come from a foreign page."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Request

from app.errors import Forbidden, UnsupportedMediaType
from app.operations.imports.starting import TYPES
from app.web.http_methods import is_safe


def protect(request: Request, allowed_origins: list[str], *, takes_lines: bool = False) -> None:
    """Refuse a write by cookie that a foreign page could have caused; raises Forbidden or UnsupportedMediaType.

    Two bars: a body of JSON, or of lines where the endpoint takes them, which no page can send without a preflight, and
    the origin that browsers tell.
    """
    if is_safe(request.method):
        return
    is_import = takes_lines and request.mimetype in TYPES
    if not is_import and (request.method == "POST" or request.get_data()) and not request.is_json:
        message = "Calls with a session cookie need Content-Type: application/json."
        raise UnsupportedMediaType(message, data={"parameter": "Content-Type"})
    origin = request.headers.get("Origin")
    if origin is not None:
        if origin not in allowed_origins and not _same_origin(origin, request):
            message = "This origin may not use the session cookie."
            raise Forbidden(message, name="foreign_origin", data={"parameter": "Origin"})
    elif request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        message = "This page may not use the session cookie."
        raise Forbidden(message, name="foreign_origin", data={"parameter": "Sec-Fetch-Site"})


def _same_origin(origin: str, request: Request) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.netloc.lower() == request.host.lower() and parts.scheme in ("http", "https")
