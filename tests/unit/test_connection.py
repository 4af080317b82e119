"""What a connection takes for a request that is complete, and how long it waits for the rest of a body."""

from __future__ import annotations

import socket
import time

import pytest
from flask import Request
from gunicorn.config import Config
from werkzeug.exceptions import RequestTimeout
from werkzeug.test import EnvironBuilder

from app.incoming import Incoming
from serving import connection
from serving.connection import COLLECTED, Connection


@pytest.mark.parametrize(
    ("received", "complete", "upload"),
    [
        (b"", False, False),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", False, False),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True, False),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{", False, False),
        (b"POST / HTTP/1.1\r\ncontent-length:2\r\n\r\n{}", True, False),
        (b"POST / HTTP/1.1\r\nContent-Length: 999999\r\n\r\n{", True, True),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", True, True),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", False, False),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", True, False),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nDigest: y\r\n\r\n", True, False),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"x" * (COLLECTED + 1), True, True),
        (b"x" * (COLLECTED + 1), True, False),
    ],
)
def test_a_thread_takes_a_request_when_it_need_not_wait_for_it(received: bytes, complete: bool, upload: bool) -> None:
    left, right = socket.socketpair()
    with left, right:
        waiting = Connection(Config(), left, ("", 0), ("", 0))
        waiting.received += received
        assert (waiting.complete(), waiting.upload) == (complete, upload)


def test_a_body_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(connection, "BODY_RATE", 1000)
    left, right = socket.socketpair()
    with left, right:
        waiting = Connection(Config(), left, ("", 0), ("", 0))
        waiting.init()
        for _ in range(3):
            right.sendall(b"x" * 100)  # each earns a tenth of a second
            assert waiting.parser.unreader.chunk() == b"x" * 100
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            waiting.parser.unreader.chunk()
        assert 0.3 < time.monotonic() - began < 2


def test_a_body_that_came_too_slowly_is_408() -> None:
    class Dripping:
        def read(self, size: int = -1) -> bytes:
            raise TimeoutError

    environ = EnvironBuilder(method="POST", content_type="application/json").get_environ()
    environ |= {"CONTENT_LENGTH": "10", "wsgi.input": Dripping()}
    with pytest.raises(RequestTimeout):
        Incoming(Request(environ))
