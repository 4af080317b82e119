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

from app.auth.addresses import place_of
from serving import framing
from serving.connection import Connection
from serving.places import Places
from serving.worker import LARGEST_BODIES, Worker

MOST = 200_000
Connect = Callable[[], tuple[Connection, socket.socket]]


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker that has begun no process: what it would do is called here."""
    monkeypatch.setattr(Worker, "max_body", MOST)
    monkeypatch.setattr(Worker, "place_of", staticmethod(place_of))
    made = Worker(1, 0, [], None, 30, Config(), logging.getLogger("test"))
    made.poller = selectors.DefaultSelector()
    made.places = Places(made.poller)
    made.deferred.init()
    yield made
    for conn in made.places.all():
        made._close(conn)
    made.deferred.close()
    made.poller.close()
    made.tmp.close()


@pytest.fixture
def connect(worker: Worker) -> Iterator[Connect]:
    """Make a connection of the worker's."""
    clients = []

    def open_one() -> tuple[Connection, socket.socket]:
        left, right = socket.socketpair()
        clients.append(right)
        conn = Connection(left, ("1.2.3.4", 5), ("127.0.0.1", 80), worker.max_body)
        worker.connections += 1
        return conn, right

    yield open_one
    for client in clients:
        client.close()


def upload(worker: Worker, conn: Connection, client: socket.socket, size: int) -> None:
    """Let a client send a body, but for its last byte."""
    client.setblocking(False)
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (size + 1))
    worker._step(worker._receive, conn)
    while size:
        sent = client.send(b"x" * min(size, 60_000))
        size -= sent
        worker._step(worker._receive, conn)


def take_turn(worker: Worker) -> None:
    """Do what a thread would, and then the loop."""
    worker._busy += 1
    worker._make(worker._turns.next(), worker._made)
    worker.deferred.run_callbacks(None)


def test_the_oldest_large_body_is_dropped_where_the_disk_would_fill_and_no_other(
    worker: Worker, connect: Connect
) -> None:
    pairs = [connect() for _ in range(LARGEST_BODIES + 4)]
    for conn, client in pairs:
        upload(worker, conn, client, MOST - 1)
    receiving = list(worker.places.receiving)
    assert receiving == [conn for conn, _ in pairs][-len(receiving) :]
    assert len(receiving) >= LARGEST_BODIES
    assert worker.places.in_file == sum(conn.in_file for conn in receiving) <= LARGEST_BODIES * MOST
    assert pairs[0][1].recv(100).startswith(b"HTTP/1.1 503 ")


def test_a_full_disk_is_503_and_nothing_is_left_behind(
    worker: Worker, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        closed = False

        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(framing.tempfile, "SpooledTemporaryFile", lambda **options: Full())
    conn, client = connect()
    upload(worker, conn, client, 10)
    assert client.recv(1000).startswith(b"HTTP/1.1 503 ")
    worker._close(conn)
    assert (worker.connections, worker.places.all(), worker.places.in_file) == (0, [], 0)
    assert conn.sock.fileno() == -1


def test_a_client_that_goes_while_its_answer_waits_is_forgotten(worker: Worker, connect: Connect) -> None:
    closed = []

    class Endless:
        def __iter__(self) -> Endless:
            return self

        def __next__(self) -> bytes:
            return b"x" * 100_000

        def close(self) -> None:
            closed.append(True)

    def application(environ: dict[str, Any], start_response: Any) -> Endless:
        start_response("200 OK", [])
        return Endless()

    worker.wsgi = application
    conn, client = connect()
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    worker._step(worker._receive, conn)
    while conn not in worker.places.sending:
        take_turn(worker)
    client.close()
    worker._on_client(conn)
    assert conn.is_gone
    take_turn(worker)
    assert closed == [True]
    assert (worker.connections, worker._busy, worker._turns._under_way) == (0, 0, {})
