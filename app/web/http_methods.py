"""HTTP methods by what they may do (RFC 9110 9.2.1 and 9.3.2, RFC 10008 2): the one definition, for every door.

``HEAD`` is answered as ``GET``: it becomes one before anything looks at the request, and its answer loses the body at
the end. So nothing in between has to think of it, and nothing can forget to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Flask

#: Methods that change nothing. All others, unknown ones too, count as writes; TRACE is served nowhere.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})
#: The media types that a QUERY can have, for the header that names them (RFC 10008 3).
ACCEPT_QUERY = '"application/json", "application/x-www-form-urlencoded"'
#: Where the method lies that the client has sent, where the request is answered as another one.
_SENT = "gatehouse.sent_method"


def is_safe(method: str) -> bool:
    """True if a request of that method may change nothing: it needs no proof of where it comes from."""
    return method in _SAFE


def sent_method(environ: dict[str, Any]) -> str:
    """Return the method that the client has sent, for the log."""
    method: str = environ.get(_SENT) or environ["REQUEST_METHOD"]
    return method


def init_http_methods(app: Flask) -> None:
    """Answer HEAD as GET, without the body; registered last, so that it stands before all else."""
    inner = app.wsgi_app

    def wsgi_app(environ, start_response) -> Iterable[bytes]:  # type: ignore[no-untyped-def]
        if environ["REQUEST_METHOD"].upper() != "HEAD":
            return inner(environ, start_response)
        # A copy: the server's own look at the method goes on, so that it sends no body either.
        answer = inner({**environ, "REQUEST_METHOD": "GET", _SENT: "HEAD"}, start_response)
        close = getattr(answer, "close", None)
        if close is not None:
            close()
        return []

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]
