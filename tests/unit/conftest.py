"""Parts of the server that several tests begin with; what a worker's loop and threads would do the tests call."""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import PollableMethodQueue

from app.auth.addresses import place_of
from serving.connection import ClientConnection
from serving.exchanges import Exchanges
from serving.options import Options
from serving.outbox import Outbox
from serving.places import Places

#: Bytes of a body at most, how many of them have room on the disk, and bytes of one that is answered as it comes.
MOST, LARGEST_BODIES, STREAM = 200_000, 8, 1_000_000
Connect = Callable[[], tuple[ClientConnection, socket.socket]]


class Application:
    """An application that answers what the test says."""

    def __init__(self) -> None:
        self.status = "200 OK"
        self.length: int | None = None
        self.pieces: Iterable[bytes] = [b"x"]
        self.asked: list[str] = []
        self.is_closed = False
        self.principal: str | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Application:
        self.asked.append(environ["PATH_INFO"])
        if self.principal is not None and "gatehouse.vouch" in environ:
            environ["gatehouse.vouch"](self.principal)
        start_response(self.status, [] if self.length is None else [("Content-Length", str(self.length))])
        return self

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)

    def close(self) -> None:
        """Clean up."""
        self.is_closed = True


class Worker(Exchanges):
    """What a worker has, without its loop and threads: what they would do the tests call."""

    deferred: PollableMethodQueue  # what threads have for the loop

    def ask(self, conn: ClientConnection, client: socket.socket, *paths: str, token: str = "") -> None:
        """Let a client ask, and the loop read it."""
        credential = f"Authorization: Bearer {token}\r\n" if token else ""
        client.sendall("".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n{credential}\r\n" for path in paths).encode())
        self.tell(conn)

    def tell(self, conn: ClientConnection) -> None:
        """Tell the loop that a client has done something."""
        if conn.place is None and not conn.events:
            self.receive(conn)
        else:
            self.on_client(conn)
            self.go_on(10)

    def take_turn(self) -> None:
        """Do what a thread does that leads the loop, and then what others have left for it."""
        conn = self.next_turn()
        assert conn is not None
        self.make(conn)
        self.made(conn)
        self.deferred.run_callbacks(None)

    def take_turns(self) -> None:
        """Take turns until nobody has one."""
        self.deferred.run_callbacks(None)
        for _ in range(1000):
            if not self.has_turn:
                return
            self.take_turn()
        raise AssertionError("There is no end of turns.")

    def later(self, seconds: float) -> None:
        """Let time go by."""
        self.drop_late(time.monotonic() + seconds)


@pytest.fixture
def application() -> Application:
    """An application."""
    return Application()


@pytest.fixture
def proxies() -> int:
    """Number of the proxies in front."""
    return 0


@pytest.fixture
def worker(application: Application, proxies: int) -> Iterator[Worker]:
    """A worker."""
    deferred = PollableMethodQueue()
    deferred.init()
    poller = selectors.DefaultSelector()
    options = Options(
        max_body=MOST,
        max_stream=STREAM,
        max_in_files=LARGEST_BODIES * MOST,
        at_once=1,
        place_of=place_of,
        proxies=proxies,
    )
    made = Worker(options, Config(), logging.getLogger("test"), application, Places(poller), deferred.defer)
    made.deferred = deferred
    yield made
    made.close()
    poller.close()
    deferred.close()


@pytest.fixture
def connect(worker: Worker) -> Iterator[Connect]:
    """Make a connection of the worker's."""
    pairs = []

    def open_one() -> tuple[ClientConnection, socket.socket]:
        left, right = socket.socketpair()
        pairs.append((ClientConnection(left, ("1.2.3.4", 5), ("127.0.0.1", 80), MOST, max_stream=STREAM), right))
        worker._endings.connections += 1
        return pairs[-1]

    yield open_one
    for conn, client in pairs:
        client.close()
        if not conn.is_gone:
            worker._endings.close(conn)
        if conn.answer is not None:
            conn.answer.close()


@pytest.fixture
def ends() -> Iterator[tuple[Outbox, socket.socket]]:
    """An outbox, and the client's end of its connection."""
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.settimeout(5)
        yield Outbox(left), right
