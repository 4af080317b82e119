"""Connections that clients keep are shared out among the workers."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.server.conftest import Server, wait_until
from tests.server.workers import worker_of

pytestmark = [pytest.mark.alone, pytest.mark.live]


def test_clients_that_come_at_once_and_stay_are_served_by_all_workers(server: Server) -> None:
    wait_until(lambda: len(server.worker_pids()) == 2, 20)
    shares: Counter[int] = Counter()

    def are_shared_out() -> bool:
        # On a busy machine a worker may not be run within the 3 ms that the other one leaves it: then once more.
        shares.clear()
        shares.update(worker_of(server, client) for client in come_at_once(server, 16))
        return min(shares[pid] for pid in server.worker_pids()) >= 6

    wait_until(are_shared_out, 60)


def come_at_once(server: Server, count: int) -> Iterator[socket.socket]:
    """Yield clients that have connected and asked before any of them was answered."""
    address = urlsplit(server.url)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.socket()) for _ in range(count)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex((address.hostname, address.port))
        for client in clients:
            client.setblocking(True)
            client.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for client in clients:
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        yield from clients
