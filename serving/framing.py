"""Requests out of a connection's bytes: h11 says where each begins and ends (RFC 9112). Nothing here waits."""

from __future__ import annotations

import contextlib
import enum
import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

import h11

from serving.refusals import Refusal

#: Bytes of a head at most, of the target in it, and fields.
HEAD, TARGET, FIELDS = 64 * 1024, 8190, 100
#: Bytes of a body that are kept in memory; more of it goes to a file.
IN_MEMORY = 64 * 1024
#: Steps of h11 in one turn, each a head or a piece of a body: a client that sends tiny chunks gets no longer turns.
STEPS = 16

#: Bytes that h11 lets pass in a field's value and RFC 9110 5.5 does not.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_HEAD_END = re.compile(rb"\n\r?\n")
#: What may be left of a chunk's end, and the line before the next one; the last chunk is one of no bytes.
_CHUNK_LINE = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]+)[^\n]*\n")
_METHOD = re.compile(r"[A-Z][A-Z-]*")
_VERSIONS = {b"1.1": (1, 1), b"1.0": (1, 0)}


class Progress(enum.Enum):
    """State of a reader with a request that is not whole yet."""

    #: The client has to send more.
    NEEDS_DATA = enum.auto()
    #: There is more to read in what it has sent, in another turn.
    HAS_MORE = enum.auto()


@dataclass(slots=True)
class Request:
    """One request. ``headers`` are pairs with names in lower case; ``length`` is what the head says of the body.

    ``received`` counts the body's bytes. ``is_cut``: the body is longer than the server takes, and not here as a whole.
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

    def should_close(self) -> bool:
        """True if the connection ends with the answer; gunicorn's Response asks for it."""
        return self.closes or self.is_cut

    def take(self, data: bytes) -> None:
        """Take a piece of the body. Raises OSError where the disk has no room for it."""
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
        self.body.seek(0)
        return self


class Reader:
    """Reads one request; what follows it on the connection is ``rest``."""

    def __init__(self, max_body: int) -> None:
        """``max_body``: bytes of a body at most."""
        self._max_body = max_body
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD)
        self._fed = 0
        self._lines = 0  # of the head
        self._tail = b""
        self._between_chunks = self._has_trailers = False
        self.request: Request | None = None

    @property
    def has_begun(self) -> bool:
        """True if anything of a request is there."""
        return self._fed > 0

    @property
    def in_file(self) -> int:
        """The bytes of the body that lie in a file."""
        request = self.request
        if request is None or request.received <= IN_MEMORY or request.body.closed:
            return 0
        return request.received

    @property
    def rest(self) -> bytes:
        """Bytes behind the request."""
        return bytes(self._connection.trailing_data[0])

    def feed(self, data: bytes) -> None:
        """Take bytes of the client's."""
        self._fed += len(data)
        if self.request is None:
            self._count_lines(data)
        self._connection.receive_data(data)

    def close(self) -> None:
        """Forget the request, and its body."""
        if self.request is not None:
            self.request.close()

    def _count_lines(self, data: bytes) -> None:
        """Count the lines of a head before it is parsed: what has very many takes long."""
        joined = self._tail + data
        end = _HEAD_END.search(joined)
        self._lines += joined.count(b"\n", len(self._tail), end.end() if end else len(joined))
        self._tail = joined[-2:]

    def advance(self) -> Request | Progress:
        """Read on in what is there, for a turn; return the request once it is whole, or longer than the server takes.

        Raises Refusal where it is none that this server takes.
        """
        if self.request is None and self._lines > FIELDS + 2:
            raise Refusal(431, f"The head of the request has more than {FIELDS} fields.")
        for _ in range(STEPS):
            if self._between_chunks:
                self._count_trailers()
            try:
                event = self._connection.next_event()
            except h11.RemoteProtocolError as error:
                raise Refusal(error.error_status_hint, str(error)) from None
            if isinstance(event, h11.Request):
                request = self._begin(event)
                if request.is_cut:
                    return request
            elif self.request is None:
                return Progress.NEEDS_DATA
            elif isinstance(event, h11.Data):
                self._between_chunks = self.request.is_chunked and event.chunk_end
                self.request.take(event.data)
                self.request.is_cut = self.request.received > self._max_body
                if self.request.is_cut:
                    return self.request.whole()
            elif isinstance(event, h11.EndOfMessage):
                return self.request.whole()
            else:
                return Progress.NEEDS_DATA
        return Progress.HAS_MORE

    def _count_trailers(self) -> None:
        """Count the lines behind the last chunk before they are parsed. Raises Refusal where there are very many."""
        rest = self.rest
        if not self._has_trailers:
            line = _CHUNK_LINE.match(rest)
            if line is None:
                return
            if line[1].strip(b"0"):  # h11 takes the line, and what follows is data
                self._between_chunks = False
                return
            self._has_trailers = True
            rest = rest[line.end() :]
        end = _HEAD_END.search(b"\n" + rest)
        if rest.count(b"\n", 0, end.end() if end else len(rest)) > FIELDS + 1:
            raise Refusal(431, f"More than {FIELDS} fields follow the body.")

    def _begin(self, event: h11.Request) -> Request:
        """Take the head; a body whose announced length is too large is not read."""
        if self._fed > HEAD and self._fed - len(self.rest) > HEAD:
            raise Refusal(431, f"The head of the request is longer than {HEAD} bytes.")
        self.request = request = _request(event)
        self._between_chunks = request.is_chunked
        request.is_cut = request.length is not None and request.length > self._max_body
        return request


def _request(event: h11.Request) -> Request:
    """Return the request that a head describes. Raises Refusal for what h11 lets pass and this server does not take."""
    version = _VERSIONS.get(event.http_version)
    if version is None:
        raise Refusal(505, "This server speaks HTTP/1.1 and HTTP/1.0.")
    method, target = event.method.decode("ascii"), event.target.decode("ascii")
    _check_line(method, target)
    request = Request(method, target, version, list(event.headers), closes=version == (1, 0))
    for name, value in request.headers:
        if _CONTROL.search(value):
            raise Refusal(400, f"The value of {name.decode('ascii')} holds a control character (RFC 9110 5.5).")
        take = _HEADERS.get(name)
        if take is not None:
            take(request, value)
    if request.is_chunked and (request.length is not None or version == (1, 0)):
        # Who reads it otherwise than we do takes the body for a request, or a request for the body.
        raise Refusal(400, "A chunked body goes with neither Content-Length nor HTTP/1.0 (RFC 9112 6.1).")
    if [name for name, _ in request.headers].count(b"content-type") > 1:
        raise Refusal(400, "There is more than one Content-Type.")
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
    b"expect": _expect,
    b"transfer-encoding": _transfer_encoding,
}
