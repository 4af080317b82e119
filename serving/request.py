"""One request, as its head describes it: what this server takes of those that are well-formed."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from serving.incoming import TOO_LARGE, TYPES, Incoming
from serving.refusals import Refusal

#: Bytes of a head at most, of the target in it, and fields.
HEAD, TARGET, FIELDS = 64 * 1024, 8190, 100
#: Bytes of a body that are kept in memory; more of it goes to a file.
IN_MEMORY = 64 * 1024

_METHOD = re.compile(r"[A-Z][A-Z-]*")


@dataclass(slots=True)
class Request:
    """One request. ``headers`` are pairs with names in lower case; ``length`` is what the head says of the body.

    ``received`` counts the body's bytes. ``is_cut``: the body is longer than the server takes, and not here as a whole.
    ``incoming`` is a body that is answered while it comes in.
    """

    method: str
    target: str
    version: tuple[int, int]
    headers: list[tuple[bytes, bytes]]
    length: int | None = None
    closes: bool = False
    expects_continue: bool = False
    body: IO[bytes] = field(default_factory=io.BytesIO)
    received: int = 0
    is_cut: bool = False
    is_chunked: bool = False
    incoming: Incoming | None = None

    def should_close(self) -> bool:
        """True if the connection ends with the answer; gunicorn's Response asks for it."""
        return self.closes or self.is_cut

    def take(self, data: bytes) -> None:
        """Take a piece of the body. Raises OSError where the disk has no room for it."""
        if self.incoming is not None:
            self.incoming.feed(data)
        else:
            if not self.received:
                self.body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  read by the application
            self.body.write(data)
        self.received += len(data)

    def close(self) -> None:
        """Forget the body."""
        with contextlib.suppress(OSError):  # a full disk: what could not be written is not needed any more
            self.body.close()

    def whole(self) -> Request:
        """Return it, with its body to be read from the start."""
        if self.incoming is not None:
            self.incoming.fail(TOO_LARGE) if self.is_cut else self.incoming.end()
        self.body.seek(0)
        return self


def request_of(method: str, target: str, version: tuple[int, int], headers: list[tuple[bytes, bytes]]) -> Request:
    """Return the request that a well-formed head describes. Raises Refusal for one that this server does not take."""
    _check_line(method, target)
    request = Request(method, target, version, headers, closes=version == (1, 0))
    content_types = 0
    for name, value in headers:
        content_types += name == b"content-type"
        take = _HEADERS.get(name)
        if take is not None:
            take(request, value)
    if request.is_chunked and (request.length is not None or version == (1, 0)):
        # Who reads it otherwise than we do takes the body for a request, or a request for the body.
        raise Refusal(400, "A chunked body goes with neither Content-Length nor HTTP/1.0 (RFC 9112 6.1).")
    if content_types > 1:
        raise Refusal(400, "There is more than one Content-Type.")
    if request.incoming is not None:
        if method == "POST":
            request.closes = True  # what is left of a body that is not wanted is no next request
        else:
            request.incoming = None
    return request


def _check_line(method: str, target: str) -> None:
    if _METHOD.fullmatch(method) is None:
        raise Refusal(400, "Methods are written in capitals (RFC 9110 9.1).")
    if len(target) > TARGET:
        raise Refusal(414, f"The request's target is longer than {TARGET} bytes.")
    if target[0] != "/" and not target.startswith(("http://", "https://")) and (method, target) != ("OPTIONS", "*"):
        raise Refusal(400, "The request's target is neither a path nor an absolute address (RFC 9112 3.2).")


def _content_length(request: Request, value: bytes) -> None:
    request.length = int(value)


def _content_type(request: Request, value: bytes) -> None:
    if value.partition(b";")[0].strip().lower() in TYPES:
        request.incoming = Incoming()


def _transfer_encoding(request: Request, _value: bytes) -> None:
    request.is_chunked = True


def _connection(request: Request, value: bytes) -> None:
    """Close at a client's wish, and with HTTP/1.0 also without its wish for the contrary."""
    value = value.lower()
    if request.version == (1, 0):
        request.closes = request.closes and (b"keep-alive" not in value or b"close" in value)
    elif b"close" in map(bytes.strip, value.split(b",")):
        request.closes = True


def _expect(request: Request, value: bytes) -> None:
    if request.version == (1, 1):
        if value.lower() != b"100-continue":
            raise Refusal(417, "The only expectation that is met is 100-continue.")
        request.expects_continue = True


#: What a field of the head says about the request.
_HEADERS: dict[bytes, Callable[[Request, bytes], None]] = {
    b"connection": _connection,
    b"content-length": _content_length,
    b"content-type": _content_type,
    b"expect": _expect,
    b"transfer-encoding": _transfer_encoding,
}
