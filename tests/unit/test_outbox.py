"""What is sent of an answer, when its client takes little or nothing."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from serving.outbox import IN_MEMORY, Outbox


def fetch(outbox: Outbox, client: socket.socket) -> bytes:
    """Read all that an outbox sends."""
    received = b""
    while not outbox.is_empty:
        outbox.flush()
        received += client.recv(1_000_000)
    client.setblocking(False)
    while True:
        try:
            received += client.recv(1_000_000)
        except BlockingIOError:
            return received


def test_head_and_body_leave_together(ends: tuple[Outbox, socket.socket]) -> None:
    outbox, client = ends
    outbox.sendall(b"head ")
    outbox.sendall(b"body")
    outbox.flush()
    assert client.recv(100) == b"head body"
    assert outbox.is_empty


def test_what_the_client_does_not_take_waits(ends: tuple[Outbox, socket.socket]) -> None:
    outbox, client = ends
    pieces = [bytes([number % 256]) * 10_000 for number in range(200)]
    for piece in pieces:
        outbox.sendall(piece)
    outbox.flush()
    assert 0 < outbox.pending < 2_000_000
    assert outbox.pending + outbox.sent == 2_000_000
    assert fetch(outbox, client) == b"".join(pieces)


def test_much_that_waits_goes_to_a_file(ends: tuple[Outbox, socket.socket]) -> None:
    outbox, client = ends
    body = os.urandom(3_000_000)
    outbox.sendall(body)
    outbox.flush()
    outbox.put_away()
    assert outbox.pending == 0
    assert outbox.in_file > IN_MEMORY
    assert fetch(outbox, client) == body
    assert outbox.in_file == 0


def test_what_can_not_be_put_away_stays(ends: tuple[Outbox, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    outbox, client = ends
    body = os.urandom(3_000_000)
    outbox.sendall(body)
    monkeypatch.setattr("serving.outbox.os.dup", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        outbox.put_away()
    assert fetch(outbox, client) == body


def test_a_file_is_sent_after_what_comes_before_it_also_when_it_is_closed(
    ends: tuple[Outbox, socket.socket], tmp_path: Path
) -> None:
    outbox, client = ends
    path, content = tmp_path / "file", os.urandom(1_000_000)
    path.write_bytes(content)
    outbox.sendall(b"head ")
    with path.open("rb") as file:
        outbox.sendfile(file, 10, 900_000)
    outbox.sendall(b" end")
    assert fetch(outbox, client) == b"head " + content[10:900_010] + b" end"


def test_a_file_that_became_shorter_ends_the_connection(ends: tuple[Outbox, socket.socket], tmp_path: Path) -> None:
    outbox, _ = ends
    path = tmp_path / "file"
    path.write_bytes(b"short")
    with path.open("rb") as file:
        outbox.sendfile(file, 0, 100)
    with pytest.raises(ConnectionAbortedError):
        outbox.flush()


def test_a_client_that_is_gone_is_an_error(ends: tuple[Outbox, socket.socket]) -> None:
    outbox, client = ends
    client.close()
    outbox.sendall(b"x")
    with pytest.raises(OSError, match="Broken pipe"):
        outbox.flush()


def test_nothing_is_left_open_of_what_is_not_sent(ends: tuple[Outbox, socket.socket], tmp_path: Path) -> None:
    outbox, _ = ends
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    before = len(os.listdir("/proc/self/fd"))
    with path.open("rb") as file:
        outbox.sendfile(file, 0, 10)
    outbox.close()
    assert len(os.listdir("/proc/self/fd")) == before
    assert outbox.is_empty
