"""One client's connection: what it has sent, what is being answered, and what it has not fetched yet."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import termios
import time
from functools import partial
from typing import Any

from serving.answer import Answer
from serving.callers import Caller
from serving.framing import Progress, Reader
from serving.incoming import Incoming
from serving.outbox import Outbox
from serving.refusals import Refusal
from serving.request import Request

#: Bytes that are read at once.
PIECE = 64 * 1024
#: Seconds that a client has for a request's head.
HEAD_SECONDS = 10.0
#: Seconds for which more of a body that is answered while it comes in is waited for.
STREAM_SECONDS = 60.0
#: Seconds that it has for the body, and to fetch the answer; and the bytes that earn one second more.
BODY_SECONDS = ANSWER_SECONDS = 20.0
RATE = 4096


class ClientConnection:
    """A client's connection: what it has sent, and its answer. Where it waits, and for what, is kept by ``Places``.

    ``callers``: for whom its request counts (``Turns``), ``credential``: a digest of what it calls with. ``prober``:
    the address of one that asks for the server's health (``Probes``).
    """

    def __init__(
        self,
        sock: socket.socket,
        client: Any,
        server: Any,
        max_body: int,
        *,
        max_stream: int = 0,
        plain_requests: bool = True,
    ) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.client = client
        self.server = server
        self.place: dict[ClientConnection, None] | None = None
        self.deadline = 0.0
        self.events = 0
        self.counted = 0  # of ``in_file``
        self.is_gone = False
        self.lingers_until = 0.0
        self._discarded, self._max_discarded = 0, max(max_body, max_stream)
        self.answer: Answer | None = None
        self.callers: tuple[Caller, ...] = ()
        self.credential: bytes | None = None
        self.prober: str | None = None
        self.outbox = Outbox(sock)
        self._new_reader = partial(Reader, max_body, max_stream=max_stream, plain=plain_requests)
        self.reader = self._new_reader()
        self._began: float | None = None
        self._received_at = 0.0
        self._sent_before = 0

    @property
    def incoming(self) -> Incoming | None:
        """The body of its request, where that is answered while it comes in."""
        return self.reader.request.incoming if self.reader.request is not None else None

    @property
    def sends_on(self) -> bool:
        """True if the client may still be sending the body of a request that is answered already.

        One whose request is refused is not waited for.
        """
        is_good = self.answer is not None and self.answer.status == 200
        return is_good and self.incoming is not None and not self.incoming.is_whole

    @property
    def reads_ahead(self) -> bool:
        """True if more may be read of what follows the request that is being answered."""
        return len(self.reader.rest) < PIECE

    @property
    def in_file(self) -> int:
        """Bytes that are kept on the disk for it."""
        return self.reader.in_file + self.outbox.in_file

    def receive(self) -> bool:
        """Read all bytes that have come; return False where the client is gone, and has not gone amid a request."""
        try:
            data = self.sock.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        self.reader.feed(data)
        self._received_at = time.monotonic()
        return self.reader.has_begun

    def receive_ahead(self) -> bool:
        """Read on behind the request that is being answered; return whether the client is still there."""
        try:
            data = self.sock.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        if data:
            self.reader.feed(data)
        return bool(data)

    def discard(self) -> bool:
        """Throw away what is there; return whether the client is still there, and has not sent more than it may."""
        self._received_at = time.monotonic()
        try:
            size = len(self.sock.recv(PIECE))
            self._discarded += size
            return size > 0 and self._discarded <= self._max_discarded
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False

    def collect(self) -> Request | Progress:
        """Go on with the request that comes in, and ask for its body where the client waits for that.

        Returns it once it is whole. Raises Refusal, and OSError where the client is gone or the disk is full.
        """
        if self._began is None and self.reader.has_begun and self.answer is None:
            self._began = time.monotonic()
        progress = self.reader.advance()
        request = self.reader.request
        if request is not None and request.expects_continue and progress is Progress.NEEDS_DATA:
            if not request.received:
                self.outbox.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                self.outbox.flush()
            request.expects_continue = False
        return progress

    def receive_by(self) -> float:
        """Return until when the request has to be here."""
        began = self._began or time.monotonic()
        request = self.reader.request
        if request is None:
            return began + HEAD_SECONDS
        if request.incoming is not None:
            incoming = request.incoming
            return incoming.pauses_at if incoming.is_fresh else self._received_at + STREAM_SECONDS
        # What came before the last answer began is no sign of a slow client.
        received_at = max(self._received_at, began)
        return min(began + BODY_SECONDS + request.received / RATE, received_at + BODY_SECONDS)

    def fetch_by(self) -> float:
        """Return until when the answer has to be fetched, at the pace that it is fetched with."""
        fetched = self.outbox.sent - _untaken(self.sock)
        if self._began is None:
            self._began, self._sent_before = time.monotonic(), fetched
        by = self._began + ANSWER_SECONDS + max(0, fetched - self._sent_before) / RATE
        return max(by, min(self._received_at + ANSWER_SECONDS, self.lingers_until)) if self.sends_on else by

    def wait_for_server(self) -> None:
        """Take note that all so far is fetched: the time until there is more is no sign of a slow client."""
        self._began = None

    def begin_answer(self, answer: Answer) -> None:
        """Take the answer to the request that is here."""
        self.answer = answer
        self._began = None
        self.lingers_until = 0.0

    def next_request(self) -> None:
        """Begin anew, with what has come behind the last request."""
        rest, self.reader, self.answer, self._began = self.reader.rest, self._new_reader(), None, None
        if rest:
            self.reader.feed(rest)

    def refuse(self, refusal: Refusal) -> None:
        """Tell the client why its request is not served, which is forgotten. Raises OSError."""
        self.reader.close()
        self.outbox.is_held = False
        self.outbox.sendall(refusal.render())
        self.outbox.flush()

    def cut(self) -> None:
        """End the answer where it is."""
        if self.answer is not None:
            self.answer.cut()
        self.outbox.close()

    def end_sending(self) -> None:
        """Tell the client that nothing more comes. Raises OSError."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close it; what is not sent is lost. An answer that is not finished is still to be closed."""
        self.is_gone = True
        self.outbox.close()
        if self.answer is None:
            self.reader.close()
        self.reader = self._new_reader()
        with contextlib.suppress(OSError):
            self.sock.close()


def _untaken(sock: socket.socket) -> int:
    """Return the bytes that the system has for a client, and that it has not taken yet (Linux: tcp(7), SIOCOUTQ)."""
    try:
        (count,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
    except OSError:  # no such thing for this kind of socket
        return 0
    return int(count)
