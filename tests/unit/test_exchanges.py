"""What the event loop does with connections, without a process of gunicorn's around it."""

from __future__ import annotations

import errno
import socket
import time

import pytest

from serving import request
from serving.callers import credential_of
from serving.connection import BODY_SECONDS, ClientConnection
from tests.unit.conftest import LARGEST_BODIES, MOST, Application, Connect, Worker


def upload(worker: Worker, conn: ClientConnection, client: socket.socket, size: int) -> None:
    """Let a client send a body, but for its last byte."""
    client.setblocking(False)
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (size + 1))
    worker.receive(conn)
    while size:
        sent = client.send(b"x" * min(size, 60_000))
        size -= sent
        worker.receive(conn)


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

    monkeypatch.setattr(request.tempfile, "SpooledTemporaryFile", lambda **options: Full())
    conn, client = connect()
    upload(worker, conn, client, 10)
    assert client.recv(1000).startswith(b"HTTP/1.1 503 ")
    worker._endings.close(conn)
    assert (worker.connections, worker.places.all(), worker.places.in_file) == (0, [], 0)
    assert conn.sock.fileno() == -1


def test_a_client_that_goes_while_its_answer_waits_is_forgotten(
    worker: Worker, connect: Connect, application: Application
) -> None:
    application.pieces = iter(lambda: b"x" * 100_000, b"")
    conn, client = connect()
    worker.ask(conn, client, "/")
    while conn not in worker.places.sending:
        worker.take_turn()
    client.close()
    worker.tell(conn)
    assert conn.is_gone
    worker.take_turn()
    assert application.is_closed
    assert (worker.connections, worker._busy, worker._turns._under_way) == (0, 0, {})


def test_an_event_from_before_a_request_was_held_does_not_read_on(
    worker: Worker, connect: Connect, application: Application
) -> None:
    (one, one_client), (other, other_client) = connect(), connect()
    worker.ask(one, one_client, "/1", "/2")
    worker.ask(other, other_client, "/3")
    assert list(worker.places.held) == [other]
    one_client.sendall(b"GET /4 HTTP/1.1\r\n")
    worker.on_client(one)
    worker.take_turn()
    worker.go_on(10)
    assert list(worker.places.held) == [one]
    assert not one.events
    worker.take_turn()
    worker.take_turn()
    assert application.asked == ["/1", "/3", "/2"]
    for conn, client in ((one, one_client), (other, other_client)):
        client.close()
        while not conn.is_gone:
            worker.tell(conn)
    assert (worker.connections, worker._turns._under_way, worker._turns._held) == (0, {}, {})


def test_a_held_request_whose_connection_is_closed_takes_no_turn(
    worker: Worker, connect: Connect, application: Application
) -> None:
    (one, one_client), (other, other_client) = connect(), connect()
    worker.ask(one, one_client, "/1")
    worker.ask(other, other_client, "/2")
    worker._endings.close(other)
    while worker._turns:
        worker.take_turn()
    assert application.asked == ["/1"]
    assert (worker.connections, worker._turns._under_way, worker._turns._held) == (1, {}, {})


def test_a_whole_answer_that_nobody_reads_keeps_no_turn(
    worker: Worker, connect: Connect, application: Application
) -> None:
    application.pieces, application.length = [b"x" * 1_500_000], 1_500_000
    (one, one_client), (other, other_client) = connect(), connect()
    worker.ask(one, one_client, "/1")
    worker.ask(other, other_client, "/2")
    worker.take_turn()
    assert application.is_closed
    assert one.outbox.in_file > 1_000_000
    assert not one.outbox.pending
    worker.take_turn()
    assert application.asked == ["/1", "/2"]


def test_who_is_refused_amid_many_chunks_is_read_no_more(
    worker: Worker, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    conn, client = connect()
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000)
    worker.tell(conn)
    assert worker.has_due
    worker.drop_late(conn.deadline)
    worker.go_on(10)
    assert list(worker.places.closing) == [conn]
    assert client.recv(100).startswith(b"HTTP/1.1 408 ")
    assert not caplog.records


def test_others_have_their_turn_amid_many_chunks(worker: Worker, connect: Connect) -> None:
    (many, many_client), (one, one_client) = connect(), connect()
    many_client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000)
    tell_first(worker, many)
    tell_first(worker, one)
    one_client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    worker.on_client(one)
    worker.go_on(1e-5)
    assert worker._turns.next() is one
    assert list(worker._arrivals._unread) == [many]


def tell_first(worker: Worker, conn: ClientConnection) -> None:
    """Take a new connection, and read what there is for one turn."""
    worker.receive(conn)


def test_a_body_that_waits_for_other_requests_of_its_caller_is_the_first_to_be_dropped(
    worker: Worker, connect: Connect
) -> None:
    busy, busy_client = connect()
    worker.ask(busy, busy_client, "/")
    pairs = [connect() for _ in range(LARGEST_BODIES)]
    for conn, client in pairs:
        upload(worker, conn, client, MOST - 1)
        client.sendall(b"x")
        worker.tell(conn)
    assert len(worker.places.held) == LARGEST_BODIES
    new, new_client = connect()
    upload(worker, new, new_client, MOST - 1)
    assert list(worker.places.receiving) == [new]
    assert pairs[0][1].recv(100).startswith(b"HTTP/1.1 503 ")
    assert len(worker._turns._held["1.2.3.4"]) == len(worker.places.held) == LARGEST_BODIES - 1


def answered(
    worker: Worker, pair: tuple[ClientConnection, socket.socket], token: str
) -> tuple[ClientConnection, socket.socket]:
    """Let a client ask with a token, and be answered."""
    worker.ask(*pair, "/", token=token)
    worker.take_turn()
    return pair


def test_all_credentials_of_one_principal_are_one_caller(
    worker: Worker, connect: Connect, application: Application
) -> None:
    application.principal = "client:1"
    (one, one_client), (other, other_client) = (answered(worker, connect(), token) for token in ("a", "b"))
    worker.ask(one, one_client, "/", token="a")
    worker.ask(other, other_client, "/", token="b")
    assert list(worker.places.held) == [other]


def test_a_credential_that_is_no_longer_good_takes_no_turns_of_others(
    worker: Worker, connect: Connect, application: Application
) -> None:
    application.principal = "client:1"
    (one, one_client), (other, other_client) = (answered(worker, connect(), token) for token in ("revoked", "good"))
    application.principal, application.status = None, "401 Unauthorized"
    worker.ask(one, one_client, "/", token="revoked")
    worker.take_turn()
    worker.ask(one, one_client, "/", token="revoked")
    worker.ask(other, other_client, "/", token="good")
    assert not worker.places.held


def test_a_pipelined_request_has_all_its_time_from_the_end_of_the_answer_before(
    worker: Worker, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, client = connect()
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
    worker.tell(conn)
    later = time.monotonic() + 100
    monkeypatch.setattr("serving.connection.time.monotonic", lambda: later)
    worker.take_turn()
    assert conn.place is worker.places.receiving
    assert conn.deadline == pytest.approx(later + BODY_SECONDS, abs=1)


def test_as_many_answers_are_made_at_once_as_there_are_threads(worker: Worker, connect: Connect) -> None:
    worker._cfg.set("threads", 3)
    for token in "0123":
        conn, client = connect()
        worker._callers.vouch(credential_of([(b"authorization", f"Bearer {token}".encode())]) or b"", token)
        worker.ask(conn, client, "/", token=token)
    under_way = [worker.next_turn() for _ in range(4)]
    assert [conn is not None for conn in under_way] == [True, True, True, False]
    assert not worker.has_turn
    assert under_way[0] is not None
    worker.make(under_way[0])
    worker.made(under_way[0])
    assert worker.next_turn() is not None


def test_a_client_that_sends_its_head_byte_by_byte_has_no_more_time_for_it(
    worker: Worker, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, client = connect()
    client.sendall(b"GE")
    worker.tell(conn)
    by, later = conn.deadline, time.monotonic() + 5
    monkeypatch.setattr("serving.connection.time.monotonic", lambda: later)
    client.sendall(b"T")
    worker.tell(conn)
    assert conn.place is worker.places.receiving
    assert conn.deadline == by


def test_an_answer_of_a_worker_that_ends_is_the_last_of_its_connection(worker: Worker, connect: Connect) -> None:
    conn, client = connect()
    worker.end()
    worker.ask(conn, client, "/")
    worker.take_turn()
    assert b"\r\nConnection: close\r\n" in client.recv(1000)
