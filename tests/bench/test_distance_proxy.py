"""A proxy that makes a server seem far away."""

from __future__ import annotations

import random
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from bench.distance_proxy import away

SECONDS = 0.1
BYE = b"last words"


class Server(socketserver.ThreadingTCPServer):
    """A server that takes many connections at once: in its queue a kernel would let them wait for seconds."""

    request_queue_size = 200
    daemon_threads = True


class Echo(socketserver.BaseRequestHandler):
    """Sends back what it gets, and hangs up after BYE."""

    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)
            if data == BYE:
                break


@contextmanager
def echoing() -> Iterator[int]:
    """The port of a proxy before a server."""
    with Server(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        try:
            with away("127.0.0.1", server.server_address[1], SECONDS) as port:
                yield port
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def far() -> Iterator[int]:
    with echoing() as port:
        yield port


def heard(port: int, data: bytes, length: int) -> bytes:
    """Send data, and return so many bytes of the answer, or those until its end."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        sender = threading.Thread(target=connection.sendall, args=[data])
        sender.start()
        answer = b""
        while len(answer) < length and (part := connection.recv(1_000_000)):
            answer += part
        sender.join()
        return answer


def test_there_and_back_takes_as_long_as_was_said(far: int) -> None:
    started = time.monotonic()
    assert heard(far, b"x", 1) == b"x"
    assert time.monotonic() - started >= SECONDS


def test_what_is_sent_arrives_whole_and_in_order(far: int) -> None:
    data = random.Random(7).randbytes(5_000_000)
    started = time.monotonic()
    assert heard(far, data, len(data)) == data
    # Pieces are under way together: one after the other, twenty and more of them would take longer.
    assert time.monotonic() - started < 20 * SECONDS


def test_many_connections_wait_beside_each_other(far: int) -> None:
    started = time.monotonic()
    assert heard(far, b"x", 1) == b"x"
    alone = time.monotonic() - started
    with ThreadPoolExecutor(100) as threads:
        assert set(threads.map(lambda _: heard(far, b"x", 1), range(100))) == {b"x"}
    assert time.monotonic() - started < 50 * alone


def test_a_server_that_hangs_up_is_heard_to_its_end(far: int) -> None:
    assert heard(far, BYE, 1000) == BYE


def test_a_server_that_is_not_there_ends_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with away("127.0.0.1", port, SECONDS) as proxy, socket.create_connection(("127.0.0.1", proxy), timeout=20) as to:
        assert to.recv(1) == b""
