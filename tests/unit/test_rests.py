"""Long answers that have nothing to send for now."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from serving.answer import BACKLOG
from serving.connection import ANSWER_SECONDS, PIECE, ClientConnection
from serving.places import READ, WRITE
from tests.unit.conftest import Application, Connect, Worker

Pair = tuple[ClientConnection, socket.socket]
#: Seconds of a rest, and of an answer.
REST, LONG = 60.0, 570.0


class Events(Application):
    """An application that answers with events, and rests while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[bytes] = []
        self.is_over = False
        self.seconds: float | None = LONG
        self.looks = 0  # at whether there is an event
        self.wakes: list[Callable[[], None]] = []
        self.environ: dict[str, Any] = {}
        self.before_rest: Callable[[], None] = lambda: None
        self.after_rest: Callable[[], None] = lambda: None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Application:
        self.environ = environ
        if self.seconds is not None:
            environ["gatehouse.long"](self.seconds)
        if "gatehouse.wake" in environ:
            self.wakes.append(environ["gatehouse.wake"])
        return super().__call__(environ, start_response)

    def __iter__(self) -> Iterator[bytes]:
        rest = self.environ["gatehouse.rest"]
        while True:
            self.looks += 1
            if self.events:
                yield self.events.pop(0)
            elif self.is_over:
                return
            else:
                self.before_rest()
                rest(REST)
                self.after_rest()
                yield b""

    def tell(self, event: bytes) -> None:
        """Have something to send."""
        self.events.append(event)
        self.wakes[-1]()


class Clock:
    """Time that goes by when the test says so."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def __call__(self) -> float:
        return self.now

    def pass_by(self, worker: Worker, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds
        worker.drop_late(self.now)


@pytest.fixture
def application() -> Events:
    """An application."""
    return Events()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time."""
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


@pytest.fixture
def resting(worker: Worker, connect: Connect) -> Pair:
    """A connection whose answer rests behind its head, and its client."""
    conn, client = connect()
    client.settimeout(5)
    worker.ask(conn, client, "/1")
    worker.take_turn()
    assert client.recv(1000).endswith(b"\r\n\r\n")
    assert conn.place is worker.places.resting
    assert not worker.has_turn
    return conn, client


def test_one_that_rests_goes_on_when_its_rest_is_over(
    clock: Clock, resting: Pair, worker: Worker, application: Events
) -> None:
    conn, client = resting
    application.events.append(b"event")
    clock.pass_by(worker, REST - 1)
    assert not worker.has_turn
    clock.pass_by(worker, 1)
    worker.take_turns()
    assert client.recv(1000) == b"5\r\nevent\r\n"
    assert conn.place is worker.places.resting


def test_one_that_is_woken_goes_on_at_once(resting: Pair, worker: Worker, application: Events) -> None:
    application.tell(b"event")
    worker.take_turns()
    assert resting[1].recv(1000) == b"5\r\nevent\r\n"
    assert resting[0].place is worker.places.resting


def test_who_wakes_it_often_wakes_it_once(resting: Pair, worker: Worker, application: Events) -> None:
    for _ in range(100):
        application.wakes[0]()
    worker.deferred.run_callbacks(None)
    assert (worker.has_turn, worker.deferred._queue.qsize()) == (True, 0)
    worker.take_turns()
    assert application.looks == 2


@pytest.mark.parametrize("moment", ["before the rest", "before the piece", "before the loop knows of the rest"])
def test_a_wake_up_is_never_lost(resting: Pair, worker: Worker, application: Events, moment: str) -> None:
    conn, client = resting

    def happen() -> None:
        application.before_rest = application.after_rest = lambda: None
        application.tell(b"event")
        worker.deferred.run_callbacks(None)  # the loop hears of it now, and can do nothing yet
        assert not worker._turns

    application.before_rest = happen if moment == "before the rest" else lambda: None
    application.after_rest = happen if moment == "before the piece" else lambda: None
    application.wakes[0]()
    worker.deferred.run_callbacks(None)
    found = worker.next_turn()
    assert found is conn
    worker.make(conn)
    if moment == "before the loop knows of the rest":
        happen()
    worker.made(conn)
    assert conn.place is None
    worker.take_turns()
    assert client.recv(1000) == b"5\r\nevent\r\n"
    assert conn.place is worker.places.resting
    assert application.looks <= 5


def test_who_wakes_an_answer_that_is_over_wakes_no_other_of_its_connection(
    clock: Clock, resting: Pair, worker: Worker, application: Events
) -> None:
    conn, client = resting
    worker.ask(conn, client, "/2")
    application.wakes[0]()  # which the loop is told of later
    for is_over in (True, False):
        application.is_over = is_over
        clock.pass_by(worker, REST)
        found = worker.next_turn()
        assert found is conn
        worker.make(conn)
        worker.made(conn)
    assert application.asked == ["/1", "/2"]
    assert conn.place is worker.places.resting
    worker.deferred.run_callbacks(None)
    assert not worker.has_turn


@pytest.mark.parametrize("how", [socket.socket.close, lambda client: client.shutdown(socket.SHUT_WR)])
@pytest.mark.parametrize("ahead", [b"", b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["", "amid requests"])
def test_a_client_that_hangs_up_is_noticed_at_once(
    resting: Pair, worker: Worker, application: Events, how: Callable[[socket.socket], None], ahead: bytes
) -> None:
    conn, client = resting
    client.sendall(ahead)
    worker.tell(conn)
    assert not conn.is_gone
    how(client)
    worker.tell(conn)
    assert conn.is_gone
    assert not application.is_closed  # a thread does it
    worker.take_turns()
    assert application.is_closed
    application.wakes[0]()  # the loop has nothing to do with it any more
    assert worker.deferred._queue.empty()
    assert (worker.connections, worker.has_turn, worker._busy) == (0, False, 0)


def test_a_request_that_comes_meanwhile_is_answered_behind_it(
    resting: Pair, worker: Worker, application: Events
) -> None:
    conn, client = resting
    worker.ask(conn, client, "/2")
    assert conn.place is worker.places.resting
    application.is_over = True
    application.wakes[0]()
    worker.take_turns()
    assert application.asked == ["/1", "/2"]
    assert client.recv(1000).startswith(b"0\r\n\r\nHTTP/1.1 200 OK")


def fill(worker: Worker, application: Events, conn: ClientConnection) -> int:
    """Send events until the client has not taken all; return their size."""
    size = 0
    while conn.outbox.is_empty:
        application.tell(b"x" * 60_000)
        size += 60_000
        worker.take_turns()
    assert conn.outbox.pending < BACKLOG // 2
    return size


def read(worker: Worker, pair: Pair, size: int, end: bytes = b"x\r\n") -> None:
    """Read until so many bytes of a letter have come, and the end."""
    conn, client = pair
    received = b""
    while received.count(b"x") < size or not received.endswith(end):
        received += client.recv(100_000)
        worker.tell(conn)
        worker.take_turns()


def test_what_a_slow_client_has_not_taken_is_sent_on_meanwhile(
    resting: Pair, worker: Worker, application: Events
) -> None:
    conn, _ = resting
    size = fill(worker, application, conn)
    assert conn.place is worker.places.resting
    assert conn.events == READ | WRITE
    read(worker, resting, size)
    assert conn.outbox.is_empty
    assert conn.place is worker.places.resting
    assert conn.events == READ
    assert not worker.has_turn


def test_who_sends_much_meanwhile_is_read_no_further(resting: Pair, worker: Worker, application: Events) -> None:
    conn, client = resting
    size = fill(worker, application, conn)
    client.setblocking(False)
    for _ in range(20):
        with contextlib.suppress(BlockingIOError):
            client.send(b"x" * 100_000)
        worker.tell(conn)
    assert len(conn.reader.rest) < 2 * PIECE
    assert conn.events == WRITE
    client.settimeout(5)
    read(worker, resting, size)
    assert conn.place is worker.places.resting
    assert not conn.events
    application.tell(b"event")
    worker.take_turns()
    assert client.recv(1000) == b"5\r\nevent\r\n"


def test_a_client_that_takes_nothing_is_dropped(
    clock: Clock, resting: Pair, worker: Worker, application: Events
) -> None:
    conn, _ = resting
    clock.pass_by(worker, REST - 1)
    fill(worker, application, conn)
    clock.pass_by(worker, ANSWER_SECONDS - 1)
    assert not conn.is_gone
    application.tell(b"x")  # which earns it no more time
    worker.take_turns()
    clock.pass_by(worker, 1)
    assert conn.is_gone
    worker.take_turns()
    assert application.is_closed


def test_a_client_that_has_taken_all_may_wait_for_more_as_long_as_it_takes(
    clock: Clock, resting: Pair, worker: Worker, application: Events
) -> None:
    conn, _ = resting
    read(worker, resting, fill(worker, application, conn))
    for _ in range(8):
        clock.pass_by(worker, REST)
        worker.take_turns()
    fill(worker, application, conn)
    clock.pass_by(worker, ANSWER_SECONDS - 1)
    assert conn.place is worker.places.resting


def test_the_rest_of_one_with_much_to_send_is_not_over_before_that_is_taken(
    clock: Clock, resting: Pair, worker: Worker, application: Events
) -> None:
    conn, _ = resting
    application.tell(b"x" * 1_000_000)
    worker.take_turns()
    assert conn.place is worker.places.sending
    clock.now += 1
    application.tell(b"event")
    worker.deferred.run_callbacks(None)
    assert not worker.has_turn
    read(worker, resting, 1_000_000, b"5\r\nevent\r\n")
    assert conn.place is worker.places.resting


def test_one_whose_time_is_over_is_asked_once_more(
    clock: Clock, resting: Pair, worker: Worker, application: Events
) -> None:
    conn, client = resting
    for _ in range(9):
        clock.pass_by(worker, REST)
        worker.take_turns()
    assert conn.place is worker.places.resting
    clock.pass_by(worker, LONG - 9 * REST)
    application.is_over = True
    worker.take_turns()
    assert client.recv(1000) == b"0\r\n\r\n"
    assert conn.place is worker.places.idle


def test_one_that_rests_when_its_time_is_over_is_cut(
    clock: Clock, resting: Pair, worker: Worker, application: Events
) -> None:
    conn, client = resting
    for _ in range(10):
        clock.pass_by(worker, REST)
        worker.take_turns()
    assert client.recv(1000) == b""
    assert application.is_closed
    assert conn.place is worker.places.closing


def test_only_a_long_one_can_rest(
    worker: Worker, connect: Connect, application: Events, caplog: pytest.LogCaptureFixture
) -> None:
    application.seconds = None
    conn, client = connect()
    worker.ask(conn, client, "/")
    worker.take_turns()
    assert client.recv(1000).startswith(b"HTTP/1.1 500 ")
    assert "gatehouse.long comes first" in caplog.text


def test_a_body_that_comes_in_is_waited_for_in_another_way(
    worker: Worker, connect: Connect, application: Events
) -> None:
    conn, client = connect()
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 1\r\n\r\nx")
    worker.tell(conn)
    found = worker.next_turn()
    assert found is conn
    with contextlib.suppress(KeyError):
        worker.make(conn)
    worker.made(conn)
    assert not {"gatehouse.rest", "gatehouse.wake"} & set(application.environ)


def test_a_worker_that_stops_cuts_it(resting: Pair, worker: Worker, application: Events) -> None:
    worker.end()
    assert resting[1].recv(1000) == b""
    assert not worker.is_done
    worker.take_turns()
    assert application.is_closed
    assert worker.is_done


def test_one_that_would_rest_when_the_worker_stops_is_cut(resting: Pair, worker: Worker, application: Events) -> None:
    application.before_rest = worker.end
    application.wakes[0]()
    worker.take_turns()
    assert resting[1].recv(1000) == b""
    assert application.is_closed
    assert worker.is_done


def test_a_server_that_drains_asks_all_that_rest(resting: Pair, worker: Worker, application: Events) -> None:
    application.is_over = True
    worker.wake()
    worker.take_turns()
    assert resting[1].recv(1000) == b"0\r\n\r\n"


def test_one_that_rests_keeps_no_other_request_of_its_caller_waiting(
    resting: Pair, worker: Worker, connect: Connect, application: Events
) -> None:
    other, client = connect()
    worker.ask(other, client, "/2")
    worker.take_turns()
    assert list(worker.places.resting) == [resting[0], other]


def test_room_is_made_by_idle_connections_first_and_then_by_those_that_rest(
    resting: Pair, worker: Worker, connect: Connect, application: Events
) -> None:
    (receiving, half), (idle, client) = connect(), connect()
    half.sendall(b"GET /")
    worker.tell(receiving)
    application.is_over = True
    worker.ask(idle, client, "/2")
    worker.take_turns()
    assert (receiving.place, idle.place) == (worker.places.receiving, worker.places.idle)
    worker.make_room()
    assert (idle.is_gone, resting[0].is_gone) == (True, False)
    worker.make_room()
    assert (resting[0].is_gone, receiving.is_gone) == (True, False)
    worker.take_turns()
    assert application.is_closed
