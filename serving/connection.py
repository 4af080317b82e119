"""A client's connection that waits for its request outside of any thread, and has no more time than it needs."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from typing import Any, TypeAlias

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn

#: Bytes of a request that are collected before a thread takes it: heads, and the bodies of nearly all calls.
COLLECTED = 64 * 1024
#: Seconds for the rest of a larger body, and the bytes that earn one second more (as Apache's mod_reqtimeout does).
BODY_SECONDS = 20.0
BODY_RATE = 4096
#: Seconds that a client may take to fetch one answer, or one piece of an answer that comes in pieces.
ANSWER_SECONDS = 60.0

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
#: The last chunk and its trailers (RFC 9112 7.1), looked for in the last KiB of a body.
_LAST_CHUNK = re.compile(rb"(?:^|\r\n)0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*\r\n\Z")
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """Collects a request without blocking. What it finds decides only when a thread gets it: gunicorn parses it.

    ``place`` is where it waits for its client, ``watched`` whether the event loop looks at it.
    """

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, _AnswerSocket(sock), client, server)
        self.place: Place | None = None
        self.watched = False
        self.received = bytearray()
        self.upload = False
        self.kept = False  # after the answer
        # The thread need not wait for the first byte.
        self.data_ready = True

    def receive(self) -> bool:
        """Read what is there; return whether the client is still there."""
        try:
            data = self.sock.recv(COLLECTED)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        self.received += data
        return bool(data)

    def complete(self) -> bool:
        """Whether a thread can take the request; ``upload`` then tells whether it will have to wait for more of it."""
        end = self.received.find(b"\r\n\r\n")
        self.upload = False
        if end < 0:
            return len(self.received) > COLLECTED  # gunicorn refuses it
        head, size = self.received[: end + 4], len(self.received) - end - 4
        length = _LENGTH.search(head)
        if _CHUNKED.search(head):
            whole = _LAST_CHUNK.search(self.received[max(end + 4, len(self.received) - 1024) :]) is not None
        else:
            whole = length is None or size >= int(length[1])
        expects = _EXPECT.search(head) is not None  # it waits for gunicorn's "100 Continue"
        too_large = length is not None and int(length[1]) > COLLECTED
        self.upload = not whole and (expects or too_large or size > COLLECTED)
        return whole or self.upload

    def init(self) -> None:
        """In the thread: make the parser at first, and let it find what was collected."""
        fresh = self.parser is None
        super().init()
        if fresh:
            self.parser.unreader = _Unreader(self.sock)
        self.parser.unreader.expect(bytes(self.received))
        self.received.clear()
        self.sock.settimeout(ANSWER_SECONDS)  # of sendall, as a whole
        self.sock.hold()

    def refuse(self) -> None:
        """Tell a client that began a request and did not end it; one that sent nothing needs no answer."""
        if self.received:
            with contextlib.suppress(OSError):
                self.sock.send(_TIMEOUT)


Place: TypeAlias = dict[Connection, None]


class _AnswerSocket(socket.socket):
    """Sends the head of an answer, which gunicorn writes by itself, in one packet with what follows."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock.family, sock.type, sock.proto, sock.detach())
        self._holds = False
        self._held = b""

    def hold(self) -> None:
        """Hold the next thing back that is sent, until something else is."""
        self._holds = True

    def sendall(self, data: Any, flags: int = 0) -> None:
        """See socket.socket."""
        if self._holds:
            self._holds, self._held = False, data
        elif self._held and len(data) <= COLLECTED:
            held, self._held = self._held, b""
            super().sendall(held + data, flags)
        else:
            self.flush()
            super().sendall(data, flags)

    def sendfile(self, *arguments: Any, **options: Any) -> int:
        """See socket.socket."""
        self.flush()
        return super().sendfile(*arguments, **options)

    def flush(self) -> None:
        """Send what is held back: all of an answer without a body."""
        self._holds = False
        if self._held:
            held, self._held = self._held, b""
            super().sendall(held)


class _Unreader(SocketUnreader):  # type: ignore[misc]
    """Reads the rest of a body for as long as the client keeps to BODY_SECONDS and BODY_RATE."""

    _deadline = 0.0

    def expect(self, collected: bytes) -> None:
        """Begin a request."""
        self.unread(collected)
        self._deadline = time.monotonic() + BODY_SECONDS

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next piece. Raises TimeoutError."""
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("The client is too slow.")
        self.sock.settimeout(remaining)
        try:
            data: bytes = super().chunk(size_hint)
        finally:
            self.sock.settimeout(ANSWER_SECONDS)
        self._deadline += len(data) / BODY_RATE
        return data
