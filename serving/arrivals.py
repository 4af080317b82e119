"""Requests as they come in: a whole one gets its turn, and of a stream each part that is worth an answer does."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

from serving.connection import ClientConnection
from serving.endings import Endings
from serving.framing import Progress
from serving.incoming import BROKEN_OFF, TOO_SLOW
from serving.places import READ, WRITE, Places
from serving.refusals import Refusal
from serving.request import Request

_logger = logging.getLogger(__name__)


class Arrivals:
    """Requests that the clients of one worker send. All is done by its event loop.

    ``keepalive``: seconds that a connection waits for its next request.
    """

    def __init__(
        self,
        places: Places,
        endings: Endings,
        keepalive: float,
        on_request: Callable[[ClientConnection, Request], None],
        on_more: Callable[[ClientConnection], None],
    ) -> None:
        """``on_request`` gets a request whose answer can begin, ``on_more`` one whose answer can go on."""
        self.keepalive = keepalive
        self._places = places
        self._endings = endings
        self._on_request = on_request
        self._on_more = on_more
        self._unread: deque[ClientConnection] = deque()  # with more in what they have sent than one turn was for

    def __bool__(self) -> bool:
        """True if there is more in what has come than has been looked at."""
        return bool(self._unread)

    def receive(self, conn: ClientConnection) -> None:
        """A client has sent something of a request, or has hung up."""
        if conn.receive():
            self.collect(conn)
        else:
            self._endings.close(conn)

    def receive_more(self, conn: ClientConnection) -> None:
        """The client has sent more of a body whose answer has begun, or has taken some of the answer."""
        try:
            conn.outbox.flush()
        except OSError:
            self._endings.close(conn)
            return
        if not conn.events & READ:  # what it has sent waits for a turn
            self._places.watch(conn, WRITE if conn.outbox.has_to_send else 0)
        elif conn.receive():
            self.collect_more(conn)
        else:
            self._endings.close(conn)

    def next_unread(self) -> ClientConnection:
        """Return a connection with more in what it has sent than one turn was for."""
        return self._unread.popleft()

    def go_on(self, conn: ClientConnection) -> None:
        """Go on with what was more than one turn was for; unless it has been refused since."""
        if conn.place is self._places.receiving:
            self.collect(conn)
        elif conn.place is self._places.taking:
            self.collect_more(conn)

    def collect(self, conn: ClientConnection) -> None:
        """Go on with the request that is coming in: it is here as a whole and gets its turn, or waits for more."""
        places = self._places
        try:
            progress = conn.collect()
        except Refusal as refusal:
            self._endings.refuse(conn, refusal)
        except OSError as error:
            self._fail(conn, error)
        else:
            if isinstance(progress, Request):
                places.leave(conn)
                self._on_request(conn, progress)
            elif progress is Progress.HAS_MORE:
                places.wait(conn, places.receiving, conn.receive_by(), 0)
                self._unread.append(conn)
            elif conn.reader.has_begun:
                places.wait(conn, places.receiving, conn.receive_by(), READ)
                self._endings.bound_files()
            else:
                self.idle(conn)

    def collect_more(self, conn: ClientConnection) -> None:
        """Go on with a body whose answer has begun, and with the answer once there is enough of it."""
        incoming = conn.incoming
        if incoming is None:
            return
        progress: Request | Progress | None = None
        try:
            progress = conn.collect()
        except Refusal as refusal:
            incoming.fail(refusal)
        except OSError:
            incoming.fail(BROKEN_OFF)
        if incoming.is_ready:
            self.answer_more(conn)
            return
        has_more = progress is Progress.HAS_MORE
        events = (0 if has_more else READ) | (WRITE if conn.outbox.has_to_send else 0)
        self._places.wait(conn, self._places.taking, conn.receive_by(), events)
        if has_more:
            self._unread.append(conn)
        self._endings.bound_files()

    def miss(self, conn: ClientConnection) -> None:
        """Nothing has come in time: of a stream, what is here is answered; who began a request is told so."""
        incoming = conn.incoming
        if incoming is None:
            self._endings.refuse(conn, Refusal(408, "The request came too slowly."))
            return
        if incoming.is_fresh:
            incoming.pause()
        else:
            incoming.fail(TOO_SLOW)
        self.answer_more(conn)

    def answer_more(self, conn: ClientConnection) -> None:
        """Let an answer begin or go on with what has come of the body."""
        if conn.incoming is not None:
            conn.incoming.go_on()
        self._places.leave(conn)
        if conn.answer is None and conn.reader.request is not None:
            self._on_request(conn, conn.reader.request)
        else:
            self._on_more(conn)

    def idle(self, conn: ClientConnection) -> None:
        """Wait for a request."""
        self._places.wait(conn, self._places.idle, time.monotonic() + self.keepalive, READ)

    def _fail(self, conn: ClientConnection, error: OSError) -> None:
        """The client is gone, or what it sends can't be kept."""
        if isinstance(error, (ConnectionError, TimeoutError)):
            self._endings.close(conn)
        else:
            _logger.error("A request's body can't be kept: %s", error)
            message = "There is no room for the request's body at the moment."
            self._endings.refuse(conn, Refusal(503, message, "storage_full"))
