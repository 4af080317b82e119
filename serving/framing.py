"""Requests out of a connection's bytes: h11 says where each begins and ends (RFC 9112). Nothing here waits."""

from __future__ import annotations

import enum
import re

import h11

from serving import plain_requests
from serving.refusals import Refusal
from serving.request import FIELDS, HEAD, IN_MEMORY, Request, request_of

#: Steps of h11 in one turn, each a head or a piece of a body: a client that sends tiny chunks gets no longer turns.
STEPS = 16

#: Bytes that h11 lets pass in a field's value and RFC 9110 5.5 does not.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_HEAD_END = re.compile(rb"\n\r?\n")
#: What may be left of a chunk's end, and the line before the next one; the last chunk is one of no bytes.
_CHUNK_LINE = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]+)[^\n]*\n")
_VERSIONS = {b"1.1": (1, 1), b"1.0": (1, 0)}


class Progress(enum.Enum):
    """State of a reader with a request that is not whole yet."""

    #: The client has to send more.
    NEEDS_DATA = enum.auto()
    #: There is more to read in what it has sent, in another turn.
    HAS_MORE = enum.auto()


class Reader:
    """Reads one request; what follows it on the connection is ``rest``."""

    def __init__(self, max_body: int, *, max_stream: int = 0, plain: bool = True) -> None:
        """``max_body``: bytes of a body at most, ``max_stream`` of one that is answered while it comes in.

        ``plain``: h11 is asked only about what is no plain request.
        """
        self._max_body = max_body
        self._max_stream = max_stream
        self._plain = plain
        self._first = b""  # not handed on yet
        self._connection: h11.Connection | None = None
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
        if request is None or request.incoming is not None or request.received <= IN_MEMORY or request.body.closed:
            return 0
        return request.received

    @property
    def rest(self) -> bytes:
        """Bytes behind the request."""
        return bytes(self._connection.trailing_data[0]) if self._connection else b""

    def feed(self, data: bytes) -> None:
        """Take bytes of the client's."""
        if self._plain and (self._first or not self._fed):
            self._first += data
        else:
            self._hand_on(data)
        self._fed += len(data)

    def _hand_on(self, data: bytes) -> None:
        """Hand bytes on to h11."""
        if self._connection is None:
            self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD)
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

        One that is answered while it comes in is returned for each piece of its body.
        Raises Refusal where it is none that this server takes.
        """
        if self._first:
            first, self._first = self._first, b""
            self.request = plain_requests.found_in(first, self._max_body)
            if self.request is not None:
                return self.request
            self._hand_on(first)
        return self._ask_h11(self._connection) if self._connection is not None else Progress.NEEDS_DATA

    def _ask_h11(self, connection: h11.Connection) -> Request | Progress:
        """Return the request, or how far it is, by the bytes that h11 has been handed."""
        if self.request is None and self._lines > FIELDS + 2:
            raise Refusal(431, f"The head of the request has more than {FIELDS} fields.")
        for _ in range(STEPS):
            if self._between_chunks:
                self._count_trailers()
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError as error:
                raise Refusal(error.error_status_hint, str(error)) from None
            if isinstance(event, h11.Request):
                request = self._begin(event)
                if request.is_cut:
                    return request.whole()
            elif self.request is None:
                return Progress.NEEDS_DATA
            elif isinstance(event, h11.Data):
                self._between_chunks = self.request.is_chunked and event.chunk_end
                self.request.take(event.data)
                self.request.is_cut = self.request.received > self._longest
                if self.request.is_cut:
                    return self.request.whole()
                if self.request.incoming is not None and self.request.incoming.is_ready:
                    return self.request
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
        request.is_cut = request.length is not None and request.length > self._longest
        return request

    @property
    def _longest(self) -> int:
        """The bytes of this request's body at most."""
        return self._max_body if self.request is None or self.request.incoming is None else self._max_stream


def _request(event: h11.Request) -> Request:
    """Return the request that a head describes. Raises Refusal for what h11 lets pass and this server does not take."""
    version = _VERSIONS.get(event.http_version)
    if version is None:
        raise Refusal(505, "This server speaks HTTP/1.1 and HTTP/1.0.")
    headers = list(event.headers)
    for name, value in headers:
        if _CONTROL.search(value):
            raise Refusal(400, f"The value of {name.decode('ascii')} holds a control character (RFC 9110 5.5).")
    return request_of(event.method.decode("ascii"), event.target.decode("ascii"), version, headers)
