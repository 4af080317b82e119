"""What the event loop does with connections, without a process of gunicorn's around it."""

from __future__ import annotations

import errno
import socket
import time

import pytest
from gunicorn.workers.gthread import PollableMethodQueue

from serving import request
from serving.callers import credential_of
from serving.connection import BODY_SECONDS, ClientConnection
from serving.exchanges import Exchanges
from tests.unit.conftest import LARGEST_BODIES, MOST, Application, Connect, ask, take_turn, tell


def upload(exchanges: Exchanges, conn: ClientConnection, client: socket.socket, size: int) -> None:
    """Let a client send a body, but for its last byte."""
    client.setblocking(False)
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (size + 1))
    exchanges.receive(conn)
    while size:
        sent = client.send(b"x" * min(size, 60_000))
        size -= sent
        exchanges.receive(conn)


def test_the_oldest_large_body_is_dropped_where_the_disk_would_fill_and_no_other(
    exchanges: Exchanges, connect: Connect
) -> None:
    pairs = [connect() for _ in range(LARGEST_BODIES + 4)]
    for conn, client in pairs:
        upload(exchanges, conn, client, MOST - 1)
    receiving = list(exchanges.places.receiving)
    assert receiving == [conn for conn, _ in pairs][-len(receiving) :]
    assert len(receiving) >= LARGEST_BODIES
    assert exchanges.places.in_file == sum(conn.in_file for conn in receiving) <= LARGEST_BODIES * MOST
    assert pairs[0][1].recv(100).startswith(b"HTTP/1.1 503 ")


def test_a_full_disk_is_503_and_nothing_is_left_behind(
    exchanges: Exchanges, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        closed = False

        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(request.tempfile, "SpooledTemporaryFile", lambda **options: Full())
    conn, client = connect()
    upload(exchanges, conn, client, 10)
    assert client.recv(1000).startswith(b"HTTP/1.1 503 ")
    exchanges._endings.close(conn)
    assert (exchanges.connections, exchanges.places.all(), exchanges.places.in_file) == (0, [], 0)
    assert conn.sock.fileno() == -1


def test_a_client_that_goes_while_its_answer_waits_is_forgotten(
    exchanges: Exchanges, connect: Connect, deferred: PollableMethodQueue, application: Application
) -> None:
    application.pieces = iter(lambda: b"x" * 100_000, b"")
    conn, client = connect()
    ask(exchanges, conn, client, "/")
    while conn not in exchanges.places.sending:
        take_turn(exchanges, deferred)
    client.close()
    tell(exchanges, conn)
    assert conn.is_gone
    take_turn(exchanges, deferred)
    assert application.is_closed
    assert (exchanges.connections, exchanges._busy, exchanges._turns._under_way) == (0, 0, {})


def test_an_event_from_before_a_request_was_held_does_not_read_on(
    exchanges: Exchanges, connect: Connect, deferred: PollableMethodQueue, application: Application
) -> None:
    (one, one_client), (other, other_client) = connect(), connect()
    ask(exchanges, one, one_client, "/1", "/2")
    ask(exchanges, other, other_client, "/3")
    assert list(exchanges.places.held) == [other]
    one_client.sendall(b"GET /4 HTTP/1.1\r\n")
    exchanges.on_client(one)
    take_turn(exchanges, deferred)
    exchanges.go_on(10)
    assert list(exchanges.places.held) == [one]
    assert not one.events
    take_turn(exchanges, deferred)
    take_turn(exchanges, deferred)
    assert application.asked == ["/1", "/3", "/2"]
    for conn, client in ((one, one_client), (other, other_client)):
        client.close()
        while not conn.is_gone:
            tell(exchanges, conn)
    assert (exchanges.connections, exchanges._turns._under_way, exchanges._turns._held) == (0, {}, {})


def test_a_held_request_whose_connection_is_closed_takes_no_turn(
    exchanges: Exchanges, connect: Connect, deferred: PollableMethodQueue, application: Application
) -> None:
    (one, one_client), (other, other_client) = connect(), connect()
    ask(exchanges, one, one_client, "/1")
    ask(exchanges, other, other_client, "/2")
    exchanges._endings.close(other)
    while exchanges._turns:
        take_turn(exchanges, deferred)
    assert application.asked == ["/1"]
    assert (exchanges.connections, exchanges._turns._under_way, exchanges._turns._held) == (1, {}, {})


def test_a_whole_answer_that_nobody_reads_keeps_no_turn(
    exchanges: Exchanges, connect: Connect, deferred: PollableMethodQueue, application: Application
) -> None:
    application.pieces, application.length = [b"x" * 1_500_000], 1_500_000
    (one, one_client), (other, other_client) = connect(), connect()
    ask(exchanges, one, one_client, "/1")
    ask(exchanges, other, other_client, "/2")
    take_turn(exchanges, deferred)
    assert application.is_closed
    assert one.outbox.in_file > 1_000_000
    assert not one.outbox.pending
    take_turn(exchanges, deferred)
    assert application.asked == ["/1", "/2"]


def test_who_is_refused_amid_many_chunks_is_read_no_more(
    exchanges: Exchanges, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    conn, client = connect()
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000)
    tell(exchanges, conn)
    assert exchanges.has_due
    exchanges.drop_late(conn.deadline)
    exchanges.go_on(10)
    assert list(exchanges.places.closing) == [conn]
    assert client.recv(100).startswith(b"HTTP/1.1 408 ")
    assert not caplog.records


def test_others_have_their_turn_amid_many_chunks(exchanges: Exchanges, connect: Connect) -> None:
    (many, many_client), (one, one_client) = connect(), connect()
    many_client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000)
    tell_first(exchanges, many)
    tell_first(exchanges, one)
    one_client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    exchanges.on_client(one)
    exchanges.go_on(1e-5)
    assert exchanges._turns.next() is one
    assert list(exchanges._arrivals._unread) == [many]


def tell_first(exchanges: Exchanges, conn: ClientConnection) -> None:
    """Take a new connection, and read what there is for one turn."""
    exchanges.receive(conn)


def test_a_body_that_waits_for_other_requests_of_its_caller_is_the_first_to_be_dropped(
    exchanges: Exchanges, connect: Connect
) -> None:
    busy, busy_client = connect()
    ask(exchanges, busy, busy_client, "/")
    pairs = [connect() for _ in range(LARGEST_BODIES)]
    for conn, client in pairs:
        upload(exchanges, conn, client, MOST - 1)
        client.sendall(b"x")
        tell(exchanges, conn)
    assert len(exchanges.places.held) == LARGEST_BODIES
    new, new_client = connect()
    upload(exchanges, new, new_client, MOST - 1)
    assert list(exchanges.places.receiving) == [new]
    assert pairs[0][1].recv(100).startswith(b"HTTP/1.1 503 ")
    assert len(exchanges._turns._held["1.2.3.4"]) == len(exchanges.places.held) == LARGEST_BODIES - 1


def answered(
    exchanges: Exchanges, pair: tuple[ClientConnection, socket.socket], deferred: PollableMethodQueue, token: str
) -> tuple[ClientConnection, socket.socket]:
    """Let a client ask with a token, and be answered."""
    ask(exchanges, *pair, "/", token=token)
    take_turn(exchanges, deferred)
    return pair


def test_all_credentials_of_one_principal_are_one_caller(
    exchanges: Exchanges, connect: Connect, deferred: PollableMethodQueue, application: Application
) -> None:
    application.principal = "client:1"
    (one, one_client), (other, other_client) = (answered(exchanges, connect(), deferred, token) for token in ("a", "b"))
    ask(exchanges, one, one_client, "/", token="a")
    ask(exchanges, other, other_client, "/", token="b")
    assert list(exchanges.places.held) == [other]


def test_a_credential_that_is_no_longer_good_takes_no_turns_of_others(
    exchanges: Exchanges, connect: Connect, deferred: PollableMethodQueue, application: Application
) -> None:
    application.principal = "client:1"
    (one, one_client), (other, other_client) = (
        answered(exchanges, connect(), deferred, token) for token in ("revoked", "good")
    )
    application.principal, application.status = None, "401 Unauthorized"
    ask(exchanges, one, one_client, "/", token="revoked")
    take_turn(exchanges, deferred)
    ask(exchanges, one, one_client, "/", token="revoked")
    ask(exchanges, other, other_client, "/", token="good")
    assert not exchanges.places.held


def test_a_pipelined_request_has_all_its_time_from_the_end_of_the_answer_before(
    exchanges: Exchanges, connect: Connect, deferred: PollableMethodQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, client = connect()
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
    tell(exchanges, conn)
    later = time.monotonic() + 100
    monkeypatch.setattr("serving.connection.time.monotonic", lambda: later)
    take_turn(exchanges, deferred)
    assert conn.place is exchanges.places.receiving
    assert conn.deadline == pytest.approx(later + BODY_SECONDS, abs=1)


def test_as_many_answers_are_made_at_once_as_there_are_threads(exchanges: Exchanges, connect: Connect) -> None:
    exchanges._cfg.set("threads", 3)
    for token in "0123":
        conn, client = connect()
        exchanges._callers.vouch(credential_of([(b"authorization", f"Bearer {token}".encode())]) or b"", token)
        ask(exchanges, conn, client, "/", token=token)
    under_way = [exchanges.next_turn() for _ in range(4)]
    assert [conn is not None for conn in under_way] == [True, True, True, False]
    assert not exchanges.has_turn
    assert under_way[0] is not None
    exchanges.make(under_way[0])
    exchanges.made(under_way[0])
    assert exchanges.next_turn() is not None


def test_a_client_that_sends_its_head_byte_by_byte_has_no_more_time_for_it(
    exchanges: Exchanges, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, client = connect()
    client.sendall(b"GE")
    tell(exchanges, conn)
    by, later = conn.deadline, time.monotonic() + 5
    monkeypatch.setattr("serving.connection.time.monotonic", lambda: later)
    client.sendall(b"T")
    tell(exchanges, conn)
    assert conn.place is exchanges.places.receiving
    assert conn.deadline == by


def test_an_answer_of_a_worker_that_ends_is_the_last_of_its_connection(
    exchanges: Exchanges, connect: Connect, deferred: PollableMethodQueue
) -> None:
    conn, client = connect()
    exchanges.end()
    ask(exchanges, conn, client, "/")
    take_turn(exchanges, deferred)
    assert b"\r\nConnection: close\r\n" in client.recv(1000)
