"""The WSGI environment of a request (PEP 3333), as gunicorn makes it (gunicorn/http/wsgi.py)."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

from gunicorn import SERVER_SOFTWARE
from gunicorn.http.wsgi import FileWrapper
from gunicorn.util import split_request_uri, unquote_to_wsgi_str

from serving.refusals import Refusal
from serving.request import Request

_ALWAYS: dict[str, Any] = {
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.file_wrapper": FileWrapper,
    "wsgi.input_terminated": True,
    "SERVER_SOFTWARE": SERVER_SOFTWARE,
    "SCRIPT_NAME": "",
}
#: Fields that CGI names without HTTP_.
_CGI = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


def environ_of(request: Request, client: Any, server: Any) -> dict[str, Any]:
    """Return the environment of a request. Raises Refusal where its target can't be taken apart.

    ``client`` and ``server`` are addresses as sockets have them. A field that comes several times is joined by commas.
    A name with an underscore is left out: the application could not tell it from the one with a hyphen.
    """
    try:
        parts = split_request_uri(request.target)
    except ValueError:
        raise Refusal(400, "The request's target can't be taken apart.") from None
    environ = {
        **_ALWAYS,
        "wsgi.input": request.body,
        "wsgi.errors": sys.stderr,
        "REQUEST_METHOD": request.method,
        "RAW_URI": request.target,
        "PATH_INFO": unquote_to_wsgi_str(parts.path),
        "QUERY_STRING": parts.query,
        "SERVER_PROTOCOL": f"HTTP/{request.version[0]}.{request.version[1]}",
    }
    for name, value in request.headers:
        key = _key(name)
        if key is None:
            continue
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = _host_and_port(client)
    environ["SERVER_NAME"], environ["SERVER_PORT"] = _host_and_port(server)
    return environ


@lru_cache(maxsize=256)
def _key(name: bytes) -> str | None:
    """Return the name of a field in the environment; None for one that could be taken for another."""
    return None if b"_" in name else _CGI.get(name) or "HTTP_" + name.decode("ascii").upper().replace("-", "_")


def _host_and_port(address: Any) -> tuple[str, str]:
    """Return the parts of a socket's address; of a Unix socket its path, without a port."""
    return (address[0], str(address[1])) if isinstance(address, tuple) else (str(address), "")
