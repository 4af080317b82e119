"""Large transfers: how long one takes, and by how much the workers grow meanwhile."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from bench.load import WrongAnswer
from bench.request import Request
from bench.servers import Server

MB = 1024 * 1024


class Fetched(NamedTuple):
    """One fetch: seconds, bytes by which the workers have grown at most meanwhile, and records, 0 where unknown."""

    seconds: float
    grown: int
    records: int


def sent(connection: http.client.HTTPConnection, call: Request) -> bytes:
    """Send a request and return its answer. Raises WrongAnswer."""
    connection.request(call.method, call.path, call.body, call.headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise WrongAnswer(f"A call was answered with {answer.status}: {content[:500]!r}")
    return content


def connection(server: Server) -> http.client.HTTPConnection:
    """Return a connection to a server."""
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)


def measured(server: Server, fetch: Callable[[], int]) -> Fetched:
    """Return the records of a fetch, its seconds, and the bytes by which the workers have grown at most meanwhile."""
    before = peak = _resident(server)
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.02):
            peak = max(peak, _resident(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    try:
        found = fetch()
        seconds = time.monotonic() - began
    finally:
        over.set()
        watcher.join()
    return Fetched(seconds, max(peak, _resident(server)) - before, found)


def _resident(server: Server) -> int:
    return sum(worker.rss for worker in server.memory())
