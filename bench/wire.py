"""HTTP in this process: the bytes of a request in, those of its answer out, by the parts that a worker has for that.

A pair of sockets stands for the network, and one thread for the loop and the threads that make answers. What is left
out is whose turn it is (``serving.turns``).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from gunicorn.config import Config
from gunicorn.http.wsgi import Response

from bench.load import WrongAnswer
from serving.answer import Answer, Application
from serving.connection import PIECE, ClientConnection
from serving.environ import environ_of
from serving.request import Request

#: Modules of ``serving`` that are there for speed alone; ``serving.exchanges.Options.plain`` switches them.
PIECES = ("plain_requests",)
_MOST = 1024 * 1024
_ADDRESS = ("127.0.0.1", 1)


class Wire:
    """A connection that is kept, between a client and an application."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._cfg = Config()
        self._connect(plain_requests=True)

    def call(self, request: bytes) -> bytes:
        """Return the answer to a request, which has to be a 200. Raises WrongAnswer."""
        self._client.sendall(request)
        conn = self._conn
        conn.receive()
        found = conn.collect()
        if not isinstance(found, Request):
            raise WrongAnswer(f"The request is not whole: {found}.")
        response = Response(found, conn.outbox, self._cfg)
        answer = Answer(found, environ_of(found, conn.client, conn.server), conn.outbox, response, last=False)
        conn.begin_answer(answer)
        answer.advance(self._application)
        conn.next_request()
        answered = self._client.recv(PIECE)
        if not answered.startswith(b"HTTP/1.1 200 "):
            raise WrongAnswer(answered.decode(errors="replace"))
        return answered

    @contextmanager
    def without(self, piece: str) -> Iterator[None]:
        """Do something without one of the ``PIECES``, over another connection."""
        self._reconnect(without=piece)
        try:
            yield
        finally:
            self._reconnect()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
        self._conn.close()

    def _reconnect(self, *, without: str = "") -> None:
        self.close()
        self._connect(plain_requests=without != "plain_requests")

    def _connect(self, *, plain_requests: bool) -> None:
        ours, self._client = socket.socketpair()
        self._conn = ClientConnection(ours, _ADDRESS, _ADDRESS, _MOST, plain_requests=plain_requests)


def post(path: str, token: str, body: bytes) -> bytes:
    """Return the bytes of a POST of JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body
