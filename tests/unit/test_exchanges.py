"""What the event loop does with connections, without a process of gunicorn's around it."""

from __future__ import annotations

import errno
import logging
import selectors
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import PollableMethodQueue

from app.auth.addresses import place_of
from serving import framing
from serving.connection import Connection
from serving.exchanges import LARGEST_BODIES, Exchanges, Options
from serving.places import Places

MOST = 200_000
Connect = Callable[[], tuple[Connection, socket.socket]]


class Endless:
    """An application's answer without an end."""

    def __init__(self) -> None:
        self.is_closed = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Endless:
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Endless:
        return self

    def __next__(self) -> bytes:
        return b"x" * 100_000

    def close(self) -> None:
        """Clean up."""
        self.is_closed = True


@pytest.fixture
def endless() -> Endless:
    """An application."""
    return Endless()


@pytest.fixture
def deferred() -> Iterator[PollableMethodQueue]:
    """What threads have for the loop."""
    queue = PollableMethodQueue()
    queue.init()
    yield queue
    queue.close()


@pytest.fixture
def exchanges(endless: Endless, deferred: PollableMethodQueue) -> Iterator[Exchanges]:
    """What a worker has, without its loop and threads: what they would do is called here."""
    poller = selectors.DefaultSelector()
    options = Options(max_body=MOST, place_of=place_of)
    made = Exchanges(options, Config(), logging.getLogger("test"), endless, Places(poller), deferred.defer)
    yield made
    made.close()
    poller.close()


@pytest.fixture
def connect(exchanges: Exchanges) -> Iterator[Connect]:
    """Make a connection of the worker's."""
    clients = []

    def open_one() -> tuple[Connection, socket.socket]:
        left, right = socket.socketpair()
        clients.append(right)
        conn = Connection(left, ("1.2.3.4", 5), ("127.0.0.1", 80), MOST)
        exchanges.connections += 1
        return conn, right

    yield open_one
    for client in clients:
        client.close()


def upload(exchanges: Exchanges, conn: Connection, client: socket.socket, size: int) -> None:
    """Let a client send a body, but for its last byte."""
    client.setblocking(False)
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (size + 1))
    exchanges._step(exchanges._receive, conn)
    while size:
        sent = client.send(b"x" * min(size, 60_000))
        size -= sent
        exchanges._step(exchanges._receive, conn)


def take_turn(exchanges: Exchanges, deferred: PollableMethodQueue) -> None:
    """Do what a thread would, and then the loop."""
    exchanges._busy += 1
    exchanges._make(exchanges._turns.next(), exchanges._made)
    deferred.run_callbacks(None)


def test_the_oldest_large_body_is_dropped_where_the_disk_would_fill_and_no_other(
    exchanges: Exchanges, connect: Connect
) -> None:
    pairs = [connect() for _ in range(LARGEST_BODIES + 4)]
    for conn, client in pairs:
        upload(exchanges, conn, client, MOST - 1)
    receiving = list(exchanges.places.receiving)
    assert receiving == [conn for conn, _ in pairs][-len(receiving) :]
    assert len(receiving) >= LARGEST_BODIES
    assert exchanges.places.in_file == sum(conn.in_file for conn in receiving) <= LARGEST_BODIES * MOST
    assert pairs[0][1].recv(100).startswith(b"HTTP/1.1 503 ")


def test_a_full_disk_is_503_and_nothing_is_left_behind(
    exchanges: Exchanges, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        closed = False

        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(framing.tempfile, "SpooledTemporaryFile", lambda **options: Full())
    conn, client = connect()
    upload(exchanges, conn, client, 10)
    assert client.recv(1000).startswith(b"HTTP/1.1 503 ")
    exchanges._close(conn)
    assert (exchanges.connections, exchanges.places.all(), exchanges.places.in_file) == (0, [], 0)
    assert conn.sock.fileno() == -1


def test_a_client_that_goes_while_its_answer_waits_is_forgotten(
    exchanges: Exchanges, connect: Connect, deferred: PollableMethodQueue, endless: Endless
) -> None:
    conn, client = connect()
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    exchanges._step(exchanges._receive, conn)
    while conn not in exchanges.places.sending:
        take_turn(exchanges, deferred)
    client.close()
    exchanges._on_client(conn)
    assert conn.is_gone
    take_turn(exchanges, deferred)
    assert endless.is_closed
    assert (exchanges.connections, exchanges._busy, exchanges._turns._under_way) == (0, 0, {})
