"""Parts of the server that several tests begin with; what a worker's loop and threads would do the tests call."""

from __future__ import annotations

import logging
import selectors
import socket
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


@pytest.fixture
def application() -> Application:
    """An application."""
    return Application()


@pytest.fixture
def deferred() -> Iterator[PollableMethodQueue]:
    """What threads have for the loop."""
    queue = PollableMethodQueue()
    queue.init()
    yield queue
    queue.close()


@pytest.fixture
def proxies() -> int:
    """Number of the proxies in front."""
    return 0


@pytest.fixture
def exchanges(application: Application, deferred: PollableMethodQueue, proxies: int) -> Iterator[Exchanges]:
    """What a worker has, without its loop and threads: what they would do is called here."""
    poller = selectors.DefaultSelector()
    options = Options(
        max_body=MOST,
        max_stream=STREAM,
        max_in_files=LARGEST_BODIES * MOST,
        at_once=1,
        place_of=place_of,
        proxies=proxies,
    )
    made = Exchanges(options, Config(), logging.getLogger("test"), application, Places(poller), deferred.defer)
    yield made
    made.close()
    poller.close()


@pytest.fixture
def connect(exchanges: Exchanges) -> Iterator[Connect]:
    """Make a connection of the worker's."""
    pairs = []

    def open_one() -> tuple[ClientConnection, socket.socket]:
        left, right = socket.socketpair()
        pairs.append((ClientConnection(left, ("1.2.3.4", 5), ("127.0.0.1", 80), MOST, max_stream=STREAM), right))
        exchanges._endings.connections += 1
        return pairs[-1]

    yield open_one
    for conn, client in pairs:
        client.close()
        if not conn.is_gone:
            exchanges._endings.close(conn)
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


def ask(exchanges: Exchanges, conn: ClientConnection, client: socket.socket, *paths: str, token: str = "") -> None:
    """Let a client ask, and the loop read it."""
    credential = f"Authorization: Bearer {token}\r\n" if token else ""
    client.sendall("".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n{credential}\r\n" for path in paths).encode())
    tell(exchanges, conn)


def tell(exchanges: Exchanges, conn: ClientConnection) -> None:
    """Tell the loop that a client has done something."""
    if conn.place is None and not conn.events:
        exchanges.receive(conn)
    else:
        exchanges.on_client(conn)
        exchanges.go_on(10)


def take_turn(exchanges: Exchanges, deferred: PollableMethodQueue) -> None:
    """Do what a thread does that leads the loop, and then what others have left for it."""
    conn = exchanges.next_turn()
    assert conn is not None
    exchanges.make(conn)
    exchanges.made(conn)
    deferred.run_callbacks(None)
