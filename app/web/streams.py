"""Answers that are made while they are sent."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from flask import Request, Response
from werkzeug.datastructures import MIMEAccept

from app.errors import BadRequest, NotAcceptable, UnsupportedMediaType
from app.operations.delta.streaming import ChangeStream, Resting
from app.operations.exports.export import CSV, NDJSON, PARQUET
from app.operations.exports.starting import Begun
from app.operations.imports.importing import Import
from app.web.http_methods import sent_method
from serving import draining
from serving.incoming import Incoming

#: Type of a stream of changes.
EVENTS = "text/event-stream"
#: What ends the names of files of each type.
_ENDINGS = {NDJSON: "ndjson", CSV: "csv", PARQUET: "parquet"}


def media_type(request: Request, known: Sequence[str]) -> str:
    """Return the type that a client accepts best, the first where it does not say; raises NotAcceptable."""
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        message = "An export needs HTTP/1.1: by HTTP/1.0 nobody could tell a part of it from the whole."
        raise BadRequest(message, name="http_version")
    accepted = _accepted(request)
    if not accepted:
        return known[0]
    best = accepted.best_match(known)
    if best is None and accepted.accept_json:  # each line is
        return NDJSON
    if best is None:
        raise NotAcceptable(f"There is {', '.join(known)}.", data={"parameter": "Accept", "allowed": list(known)})
    return best


def _accepted(request: Request) -> MIMEAccept:
    """Return the types that a client accepts, without parameters: Werkzeug takes a type with some for another one."""
    return MIMEAccept((value.partition(";")[0].strip(), quality) for value, quality in request.accept_mimetypes)


def asks_for_events(request: Request) -> bool:
    """True if a client wants to be told of changes as they come; raises BadRequest for HTTP/1.0."""
    if _accepted(request).best != EVENTS:
        return False
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        raise BadRequest("A stream of changes needs HTTP/1.1.", name="http_version")
    return True


def resting(request: Request) -> Resting:
    """Return the server's hooks for an answer that has nothing to send; where it has none, a thread waits."""
    environ = request.environ
    return Resting(environ.get("gatehouse.rest", time.sleep), environ.get("gatehouse.wake", lambda: None))


def change_answer(begun: ChangeStream, request: Request, seconds: float) -> Response:
    """Return the answer of a stream of changes."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if sent_method(request.environ) == "HEAD":
        begun.head_is_all()
        return _head(headers, EVENTS)
    _be_long(request, seconds)
    return Response(begun, headers=headers, content_type=EVENTS, direct_passthrough=True)


def is_ending(request: Request) -> Callable[[], bool]:
    """Return the function that tells whether the server wants all answers to end, as it stops or drains."""
    stops: Callable[[], bool] = request.environ.get("gatehouse.is_ending", lambda: False)  # not every server says so
    return lambda: stops() or draining.is_draining()


def incoming(request: Request) -> Incoming:
    """Return the body of an import; of a server that waits for all of it, the whole."""
    found: Incoming | None = request.environ.get("gatehouse.incoming")
    if found is None:
        found = Incoming()
        found.feed(request.get_data())
        found.end()
    return found


def check_encoding(request: Request) -> None:
    """Raise UnsupportedMediaType for a body of lines that is compressed."""
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        message = f"The body is sent as it is, without Content-Encoding: {encoding[:40]}."
        raise UnsupportedMediaType(message, data={"parameter": "Content-Encoding"})


def import_answer(begun: Import, request: Request, seconds: float) -> Response:
    """Return the answer of an import."""
    _be_long(request, seconds)
    headers = {"X-Accel-Buffering": "no"}
    return Response(begun, headers=headers, content_type=NDJSON, direct_passthrough=True)


def answer(begun: Begun, request: Request, kind: str) -> Response:
    """Return the answer of an export, of this media type; of a HEAD no more than the head."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", request.path.strip("/"))
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{_ENDINGS[kind]}"',
        "Vary": "Accept, Accept-Language, X-Timezone, X-Company-Id, Cookie",
        "X-Accel-Buffering": "no",  # nginx would keep it until its end, up to a gigabyte in a file
    }
    content_type = f"{kind}; charset=utf-8; header=present" if kind == CSV else kind
    if sent_method(request.environ) == "HEAD":
        begun.answer.head_is_all()
        return _head(headers, content_type)
    _be_long(request, begun.seconds)
    return Response(begun.answer, headers=headers, content_type=content_type, direct_passthrough=True)


def _head(headers: dict[str, str], content_type: str) -> Response:
    """Return the head of an answer whose length is not known (RFC 9110 8.6)."""
    head = Response(headers=headers, content_type=content_type)
    head.automatically_set_content_length = False
    return head


def _be_long(request: Request, seconds: float) -> None:
    """Tell the server that an answer takes long; not every server wants to know."""
    be_long = request.environ.get("gatehouse.long")
    if be_long is not None:
        be_long(seconds)
