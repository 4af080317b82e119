"""New connections go to the worker that has the least to do."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator

import pytest

from serving.acceptor import Acceptor
from serving.balance import Board


class Taker:
    """A worker as far as it takes connections."""

    def __init__(self, listener: socket.socket, board: Board, place: int) -> None:
        self.poller = selectors.DefaultSelector()
        self.taken: list[socket.socket] = []
        self._listener = listener
        self._acceptor = Acceptor(self.poller, [listener], board, place, self._take, lambda: None)

    def _take(self, sock: socket.socket, client: object, server: object) -> None:
        self.taken.append(sock)

    def look(self, load: int, *, is_open: bool = True) -> float | None:
        """Begin a round of the loop."""
        return self._acceptor.look(load, is_open=is_open)

    def accept(self) -> int:
        """Take what there is to take; return how many were taken by now."""
        self._acceptor.accept(self._listener)
        return len(self.taken)

    def close(self) -> None:
        """Close all."""
        self.poller.close()
        for sock in self.taken:
            sock.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """What the workers share, with three clients that wait."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        clients = [socket.create_connection(made.getsockname()) for _ in range(3)]
        yield made
        for client in clients:
            client.close()


@pytest.fixture
def takers(listener: socket.socket) -> Iterator[tuple[Taker, Taker]]:
    """Two workers."""
    board = Board()
    made = Taker(listener, board, 1), Taker(listener, board, 2)
    yield made
    for taker in made:
        taker.close()


def test_a_worker_leaves_new_connections_to_one_that_has_less_to_do(takers: tuple[Taker, Taker]) -> None:
    busy, idle = takers
    idle.look(0)
    busy.look(4)
    assert busy.accept() == 0
    assert busy.look(4) is not None
    assert not busy.poller.get_map()
    assert idle.accept() == 3


def test_a_connection_that_nobody_has_taken_is_not_left_for_a_second_time(takers: tuple[Taker, Taker]) -> None:
    busy, idle = takers
    idle.look(0)
    busy.look(3)
    assert [busy.accept(), busy.accept()] == [0, 1]
    assert busy.accept() == 2


def test_a_worker_takes_no_more_than_one_beyond_another(takers: tuple[Taker, Taker]) -> None:
    one, other = takers
    one.look(0)
    other.look(0)
    assert (one.accept(), other.accept()) == (1, 2)


def test_a_worker_that_ends_takes_none_and_is_waited_for_no_longer(takers: tuple[Taker, Taker]) -> None:
    busy, ending = takers
    ending.look(0)
    ending.look(0, is_open=False)
    assert not ending.poller.get_map()
    busy.look(3)
    assert busy.accept() == 3


def test_a_worker_that_is_gone_is_waited_for_no_longer() -> None:
    board = Board()
    board.write(1, 5, 100)
    assert not board.is_any_below(5, 100)
    board.write(2, 0, 100)
    assert board.is_any_below(5, 100)
    board.leave(2)
    assert not board.is_any_below(5, 100)


def test_a_worker_that_is_frozen_is_waited_for_no_longer() -> None:
    board = Board()
    board.write(1, 0, 100)
    assert board.is_any_below(5, 101)
    assert not board.is_any_below(5, 102)
