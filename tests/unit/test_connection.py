"""What a connection takes for a request that is complete, and how long it waits for the rest of a body."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

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
    with right, closing(Connection(Config(), left, ("", 0), ("", 0))) as waiting:
        waiting.received += received
        assert (waiting.complete(), waiting.upload) == (complete, upload)


def test_a_body_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(connection, "BODY_RATE", 1000)
    left, right = socket.socketpair()
    with right, closing(Connection(Config(), left, ("", 0), ("", 0))) as waiting:
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


@pytest.fixture
def answering() -> Iterator[tuple[Connection, socket.socket]]:
    """Return a connection whose request is being answered, and the client's end."""
    left, right = socket.socketpair()
    with right:
        connection = Connection(Config(), left, ("", 0), ("", 0))
        connection.init()
        right.settimeout(5)
        yield connection, right
        connection.close()


def test_the_head_of_an_answer_leaves_with_the_body(answering: tuple[Connection, socket.socket]) -> None:
    connection, client = answering
    connection.sock.sendall(b"head ")
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.recv(100)
    connection.sock.sendall(b"body")
    assert client.recv(100) == b"head body"
    connection.sock.sendall(b" more")
    assert client.recv(100) == b" more"


def test_an_answer_without_a_body_leaves_at_its_end(answering: tuple[Connection, socket.socket]) -> None:
    connection, client = answering
    connection.sock.sendall(b"head")
    connection.sock.flush()
    assert client.recv(100) == b"head"


def test_a_file_follows_the_head(answering: tuple[Connection, socket.socket], tmp_path: Path) -> None:
    connection, client = answering
    path = tmp_path / "file"
    path.write_bytes(b"content")
    connection.sock.sendall(b"head ")
    with path.open("rb") as file:
        connection.sock.sendfile(file)
    assert client.recv(5, socket.MSG_WAITALL) == b"head "
    assert client.recv(7, socket.MSG_WAITALL) == b"content"
