"""Which worker has a connection, and what each of them says."""

from __future__ import annotations

import contextlib
import http.client
import socket
from urllib.parse import urlsplit

import psutil

from tests.server.conftest import Server


def worker_of(server: Server, client: socket.socket) -> int:
    """Return the process id of the worker that holds a client's connection."""
    port = client.getsockname()[1]
    (found,) = (
        pid
        for pid in server.worker_pids()
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.raddr and connection.raddr.port == port
    )
    return found


def ask_each(server: Server, path: str, cookie: str) -> set[int]:
    """Return the statuses that the workers answer a path with, each on a connection of its own."""
    address = urlsplit(server.url)
    statuses: dict[int, int] = {}
    with contextlib.ExitStack() as stack:
        while not set(server.worker_pids()) <= set(statuses):
            client = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
            stack.callback(client.close)
            client.request("GET", path, headers={"Cookie": cookie})
            answer = client.getresponse()
            answer.read()
            if client.sock is None:  # the worker has hung up, as it does after a refusal
                return {answer.status}
            # They stay open: the next one goes to the worker that has fewer.
            statuses[worker_of(server, client.sock)] = answer.status
    return set(statuses.values())
