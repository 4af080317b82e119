"""Whose request is next, and who is the same caller."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from serving.connection import Connection
from serving.turns import Turns, caller_of


@pytest.fixture
def connections() -> Iterator[list[Connection]]:
    """Six connections."""
    sockets = [socket.socket() for _ in range(6)]
    yield [Connection(sock, ("", 0), ("", 0), 10) for sock in sockets]
    for sock in sockets:
        sock.close()


def order(turns: Turns) -> list[Connection]:
    """Return whose turn it is now."""
    found = []
    while turns:
        found.append(turns.next())
    return found


def test_a_caller_has_no_more_under_way_than_it_may(connections: list[Connection]) -> None:
    turns = Turns(2)
    assert [turns.add(conn, b"many") for conn in connections[:4]] == [True, True, False, False]
    assert turns.add(connections[4], b"one")
    assert order(turns) == [*connections[:2], connections[4]]


def test_the_end_of_a_request_is_the_turn_of_the_next_one_of_its_caller(connections: list[Connection]) -> None:
    turns = Turns(1)
    for conn in connections[:3]:
        turns.add(conn, b"many")
    assert order(turns) == connections[:1]
    assert turns.done(connections[0]) is connections[1]
    assert order(turns) == [connections[1]]
    turns.done(connections[1])
    assert turns.done(connections[2]) is None
    assert turns.add(connections[3], b"many")


def test_who_gives_up_is_left_out(connections: list[Connection]) -> None:
    turns = Turns(1)
    for conn in connections[:3]:
        turns.add(conn, b"many")
    turns.give_up(connections[1])
    assert turns.done(connections[0]) is connections[2]


def test_an_answer_that_goes_on_keeps_its_place(connections: list[Connection]) -> None:
    turns = Turns(1)
    turns.add(connections[0], b"many")
    turns.next()
    turns.again(connections[0])
    assert not turns.add(connections[1], b"many")
    assert order(turns) == [connections[0]]


TOKEN, OTHER = (b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")
COOKIE = (b"cookie", b"x=session_id=no; session_id=abc; y=z")


def test_callers_are_told_apart_by_their_credentials() -> None:
    assert caller_of([TOKEN], "1.2.3.4", 0) == caller_of([TOKEN, COOKIE], "4.3.2.1", 0)
    assert caller_of([TOKEN], "1.2.3.4", 0) != caller_of([OTHER], "1.2.3.4", 0)
    assert caller_of([COOKIE], "1.2.3.4", 0) == caller_of([(b"cookie", b"session_id=abc")], "4.3.2.1", 0)


def test_who_has_none_is_told_apart_by_address() -> None:
    forwarded = [(b"x-forwarded-for", b"6.6.6.6, 9.9.9.9"), (b"x-forwarded-for", b"8.8.8.8")]
    assert caller_of(forwarded, "1.2.3.4", 0) == b"1.2.3.4"
    assert caller_of(forwarded, "127.0.0.1", 1) == b"8.8.8.8"
    assert caller_of(forwarded, "127.0.0.1", 2) == b"9.9.9.9"
    assert caller_of([], "127.0.0.1", 1) == b"127.0.0.1"
