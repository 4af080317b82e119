"""Bodies that are answered while they come in."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from serving.connection import STREAM_SECONDS
from serving.endings import CLOSE_SECONDS
from serving.incoming import OLDEST, PIECE, Incoming
from serving.places import WRITE
from tests.unit.conftest import STREAM, Application, Connect, Worker

HEAD = b"POST /lines HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"


class Echo(Application):
    """An application that answers with what has come, and waits for more."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = 1  # how often it says what it has got
        self.ends = False
        self.incoming = Incoming()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Application:
        self.incoming = environ["gatehouse.incoming"]
        environ["gatehouse.long"](3600)
        return super().__call__(environ, start_response)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            got = self.incoming.take()
            yield got * self.answers
            if self.ends:
                yield b"ended"
                return
            if self.incoming.failure is not None:
                yield b"failed: " + self.incoming.failure.name.encode()
                return
            if self.incoming.is_whole and not self.incoming.size:
                yield b"end"
                return
            self.incoming.wait()
            yield b""


@pytest.fixture
def application() -> Echo:
    """An application."""
    return Echo()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.fixture
def begun(worker: Worker, connect: Connect) -> Any:
    """A connection whose first line is answered, its client, and what has come of the answer."""
    conn, client = connect()
    client.settimeout(5)
    client.sendall(HEAD + chunk(b"one\n"))
    worker.receive(conn)
    assert not worker.has_turn  # more may follow
    worker.later(1)
    worker.take_turn()
    assert client.recv(10_000).endswith(b"4\r\none\n\r\n")
    return conn, client


def test_what_has_come_is_answered_once_the_client_pauses(begun: Any, worker: Worker) -> None:
    conn, client = begun
    assert conn.place is worker.places.taking
    client.sendall(chunk(b"two\n"))
    worker.tell(conn)
    assert conn.place is worker.places.taking
    worker.later(1)
    worker.take_turn()
    assert client.recv(100) == b"4\r\ntwo\n\r\n"


def test_much_is_answered_at_once(begun: Any, worker: Worker) -> None:
    conn, client = begun
    client.sendall(chunk(b"x" * PIECE))
    while not worker.has_turn:
        worker.tell(conn)
    worker.take_turn()
    received = b""
    while len(received) < PIECE:
        received += client.recv(100_000)


def test_the_end_is_answered_at_once_and_the_connection_ends_with_it(
    begun: Any, worker: Worker, application: Echo
) -> None:
    conn, client = begun
    client.sendall(chunk(b"last") + b"0\r\n\r\n")
    worker.tell(conn)
    worker.take_turn()
    assert client.recv(100) == b"4\r\nlast\r\n3\r\nend\r\n0\r\n\r\n"
    assert conn.place is worker.places.closing
    assert application.is_closed


def test_all_that_came_with_the_head_is_answered_at_once(worker: Worker, connect: Connect) -> None:
    conn, client = connect()
    client.sendall(HEAD + chunk(b"all") + b"0\r\n\r\n")
    worker.receive(conn)
    worker.take_turn()
    assert client.recv(1000).endswith(b"3\r\nall\r\n3\r\nend\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("rest", "name"),
    [(b"no chunk\r\n", b"bad_request"), (chunk(b"x" * STREAM), b"request_entity_too_large")],
)
def test_what_ends_a_body_is_told_by_the_application(begun: Any, worker: Worker, rest: bytes, name: bytes) -> None:
    conn, client = begun
    client.setblocking(False)
    received = b""
    while b"failed" not in received:
        rest = rest[client.send(rest) :] if rest else rest
        worker.tell(conn)
        if worker.has_turn:
            worker.take_turn()
        try:
            received += client.recv(1_000_000)
        except BlockingIOError:
            continue
    assert b"failed: " + name in received


def test_a_client_that_hangs_up_amid_its_body_is_told_so(begun: Any, worker: Worker) -> None:
    conn, client = begun
    client.shutdown(socket.SHUT_WR)
    worker.tell(conn)
    worker.take_turn()
    assert b"failed: bad_request" in client.recv(1000)


def test_a_client_that_sends_nothing_for_a_minute_is_given_up(begun: Any, worker: Worker) -> None:
    worker.later(STREAM_SECONDS - 1)
    assert not worker.has_turn
    worker.later(STREAM_SECONDS + 1)
    worker.take_turn()
    assert b"failed: request_timeout" in begun[1].recv(1000)


def test_a_worker_that_stops_lets_the_application_say_so(begun: Any, worker: Worker, application: Echo) -> None:
    conn, client = begun
    application.ends = True
    worker.end()
    assert worker.has_turn
    worker.take_turn()
    assert client.recv(100) == b"5\r\nended\r\n0\r\n\r\n"
    client.close()
    worker.tell(conn)
    assert worker.is_done


def test_a_trickle_without_a_pause_is_answered_within_a_second(
    begun: Any, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, client = begun
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for number in range(1, 11):
        assert not worker.has_turn, number
        client.sendall(chunk(b"a line\n"))
        worker.tell(conn)
        now += OLDEST / 9.5  # behind the tenth the first is old enough, and no sooner
        worker.drop_late(now)
    worker.take_turn()
    assert client.recv(1000).count(b"a line") == 10


def test_a_client_that_has_sent_for_long_has_its_time_to_fetch_the_answer(
    begun: Any, worker: Worker, application: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, client = begun
    application.answers = 20
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for _ in range(10):
        now += 50
        client.sendall(chunk(b"x" * 5_000))
        worker.tell(conn)
        now += 1
        worker.drop_late(now)
        worker.take_turns()
    client.sendall(b"0\r\n\r\n")
    worker.tell(conn)
    worker.take_turns()
    assert conn.place is worker.places.sending
    worker.drop_late(now + 10)
    assert not conn.is_gone
    assert _rest(worker, conn, client).endswith(b"3\r\nend\r\n0\r\n\r\n")


def test_a_client_that_reads_nothing_before_it_has_sent_all_gets_the_reason_why_its_body_was_not_wanted(
    begun: Any, worker: Worker, application: Echo
) -> None:
    conn, client = begun
    application.answers = 20
    client.setblocking(False)
    unsent = chunk(b"x" * 40_000) * 20 + b"0\r\n\r\n"
    deadline = time.monotonic() + 20
    while unsent and time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            unsent = unsent[client.send(unsent) :]
        worker.tell(conn)
        worker.take_turns()
    assert unsent == b""
    assert application.incoming.failure is not None
    assert b"failed: answers_unread" in _rest(worker, conn, client)


def test_one_that_sends_tiny_chunks_is_not_read_on_while_it_fetches_answers(
    begun: Any, worker: Worker, application: Echo
) -> None:
    conn, client = begun
    application.answers = 100
    client.sendall(chunk(b"x" * 9_000))
    worker.tell(conn)
    worker.later(1)
    worker.take_turns()
    assert not conn.outbox.is_empty
    client.setblocking(False)
    client.send(chunk(b"y") * 9_000)
    worker.on_client(conn)
    worker.go_on(0.0001)
    for _ in range(50):  # it takes some, and its socket is writable again
        with contextlib.suppress(BlockingIOError):
            client.recv(10_000)
            client.send(chunk(b"y") * 2_000)
        worker._on_client(conn)
    assert len(worker._arrivals._unread) <= 1
    assert len(conn.reader.rest) < 200_000


def test_a_full_disk_ends_one_without_a_word_amid_its_answer(begun: Any, worker: Worker, application: Echo) -> None:
    conn, client = begun
    worker.places.in_file = 10**9  # of others
    conn.outbox.in_file = conn.counted = 1
    client.sendall(chunk(b"more"))
    worker.tell(conn)
    assert conn.is_gone
    client.settimeout(5)
    assert client.recv(1000) in (b"", b"4\r\nmore\r\n")
    worker.take_turns()
    assert application.is_closed


@pytest.mark.parametrize("proxies", [1])
def test_behind_a_proxy_the_answer_begins_when_all_of_the_body_is_here(worker: Worker, connect: Connect) -> None:
    conn, client = connect()
    client.setblocking(False)
    client.send(HEAD + chunk(b"one\n"))
    worker.receive(conn)
    worker.later(1)
    worker.take_turn()
    assert not conn.events & WRITE
    with pytest.raises(BlockingIOError):
        client.recv(100)
    client.send(chunk(b"two\n") + b"0\r\n\r\n")
    worker.tell(conn)
    worker.take_turn()
    received = client.recv(1000)
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"4\r\none\n\r\n4\r\ntwo\n\r\n3\r\nend\r\n0\r\n\r\n")


def _end_early(begun: Any, worker: Worker, application: Echo) -> tuple[Any, socket.socket]:
    """Have the application answer before the body is whole."""
    conn, client = begun
    application.ends = True
    client.sendall(chunk(b"more"))
    worker.tell(conn)
    worker.later(1)
    worker.take_turn()
    assert conn.place is worker.places.closing
    return conn, client


def test_who_sends_on_behind_the_answer_has_time_to_read_it(begun: Any, worker: Worker, application: Echo) -> None:
    conn, client = _end_early(begun, worker, application)
    worker.later(CLOSE_SECONDS - 0.5)
    client.sendall(chunk(b"and more"))
    worker.tell(conn)
    worker.later(CLOSE_SECONDS - 0.5)
    assert not conn.is_gone
    worker.later(CLOSE_SECONDS + 0.5)
    assert conn.is_gone


def test_who_sends_on_without_end_is_closed(begun: Any, worker: Worker, application: Echo) -> None:
    conn, client = _end_early(begun, worker, application)
    client.setblocking(False)
    sent = 0
    while not conn.is_gone and sent < 3 * STREAM:
        with contextlib.suppress(OSError):
            sent += client.send(b"x" * 100_000)
        worker.tell(conn)
    assert conn.is_gone
    assert sent < 2 * STREAM


def test_who_is_refused_is_not_waited_for(worker: Worker, connect: Connect, application: Echo) -> None:
    application.status = "401 Unauthorized"
    application.ends = True
    conn, client = connect()
    client.sendall(HEAD + chunk(b"one"))
    worker.receive(conn)
    worker.later(1)
    worker.take_turn()
    assert conn.place is worker.places.closing
    assert conn.lingers_until - time.monotonic() <= CLOSE_SECONDS


@pytest.mark.parametrize("proxies", [1])
def test_behind_a_proxy_too_who_is_refused_is_told_why(
    worker: Worker, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker._turns, "has_room", lambda callers: False)
    conn, client = connect()
    client.sendall(HEAD + chunk(b"one\n") + b"0\r\n\r\n")
    worker.receive(conn)
    assert client.recv(1000).startswith(b"HTTP/1.1 429")


@pytest.mark.parametrize("proxies", [1])
def test_answers_end_a_body_also_where_all_together_are_too_many(
    worker: Worker, connect: Connect, application: Echo
) -> None:
    conn, client = connect()
    application.answers = 10
    client.sendall(HEAD + chunk(b"x" * 30_000))
    worker.receive(conn)
    worker.later(1)
    worker.take_turns()
    assert conn.place is worker.places.taking
    worker.places.in_file += worker._options.max_in_files * 3 // 4  # of others
    client.sendall(chunk(b"more"))
    worker.tell(conn)
    worker.later(1)
    worker.take_turns()
    worker.places.in_file = 0
    assert b"failed: answers_unread" in _rest(worker, conn, client)


def _rest(worker: Worker, conn: Any, client: socket.socket) -> bytes:
    """Fetch an answer to its end."""
    client.setblocking(False)
    received, deadline = b"", time.process_time() + 10
    while not received.endswith(b"0\r\n\r\n") and time.process_time() < deadline:
        try:
            received += client.recv(1_000_000)
        except BlockingIOError:
            worker.tell(conn)
    return received


def test_answers_wait_in_a_file_and_end_the_body_where_they_are_too_many(
    begun: Any, worker: Worker, application: Echo
) -> None:
    conn, client = begun
    application.answers = 5
    client.setblocking(False)
    sent = 0
    while application.incoming.failure is None and sent < STREAM - PIECE:
        sent += client.send(chunk(b"x" * 10_000))
        worker.tell(conn)
        worker.take_turns()
    assert application.incoming.failure is not None
    assert application.incoming.failure.name == "answers_unread"
    assert conn.outbox.pending < 400_000 < conn.outbox.in_file
    received = b""
    deadline = time.monotonic() + 10
    while b"failed: answers_unread" not in received[-100:] and time.monotonic() < deadline:
        worker.take_turns()
        try:
            received += client.recv(1_000_000)
        except BlockingIOError:
            worker.tell(conn)
    assert received.count(b"x") > 700_000
    assert b"failed: answers_unread" in received[-100:]


def test_a_client_that_goes_has_the_application_clean_up(begun: Any, worker: Worker, application: Echo) -> None:
    conn, client = begun
    client.close()
    worker.tell(conn)
    worker.take_turns()
    assert application.is_closed


@pytest.mark.parametrize("head", [HEAD.replace(b"POST", b"PUT"), HEAD.replace(b"text/csv", b"text/plain")])
def test_other_bodies_are_read_whole_first(worker: Worker, connect: Connect, head: bytes) -> None:
    conn, client = connect()
    client.sendall(head + chunk(b"one"))
    worker.receive(conn)
    assert conn.incoming is None
    assert conn.place is worker.places.receiving
    assert not worker.has_turn
