"""Whose request is next."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import cast

import pytest

from serving.connection import ClientConnection
from serving.turns import HELD, READY, Turns


@pytest.fixture
def connections() -> Iterator[list[ClientConnection]]:
    """Six connections."""
    sockets = [socket.socket() for _ in range(6)]
    yield [ClientConnection(sock, ("", 0), ("", 0), 10) for sock in sockets]
    for sock in sockets:
        sock.close()


def order(turns: Turns) -> list[ClientConnection]:
    """Return whose turn it is now."""
    found = []
    while turns:
        found.append(turns.next())
    return found


def test_a_caller_has_no_more_under_way_than_it_may(connections: list[ClientConnection]) -> None:
    turns = Turns(2)
    assert [turns.add(conn, (b"many",)) for conn in connections[:4]] == [True, True, False, False]
    assert turns.add(connections[4], (b"one",))
    assert order(turns) == [*connections[:2], connections[4]]


def test_the_end_of_a_request_is_the_turn_of_the_next_one_of_its_caller(connections: list[ClientConnection]) -> None:
    turns = Turns(1)
    for conn in connections[:3]:
        turns.add(conn, (b"many",))
    assert order(turns) == connections[:1]
    assert turns.done(connections[0]) == [connections[1]]
    assert order(turns) == [connections[1]]
    turns.done(connections[1])
    assert not turns.done(connections[2])
    assert turns.add(connections[3], (b"many",))


def test_who_gives_up_is_left_out(connections: list[ClientConnection]) -> None:
    turns = Turns(1)
    for conn in connections[:3]:
        turns.add(conn, (b"many",))
    turns.give_up(connections[1])
    assert turns.done(connections[0]) == [connections[2]]


def test_an_answer_that_goes_on_keeps_its_place(connections: list[ClientConnection]) -> None:
    turns = Turns(1)
    turns.add(connections[0], (b"many",))
    turns.next()
    turns.again(connections[0])
    assert not turns.add(connections[1], (b"many",))
    assert order(turns) == [connections[0]]


class _Any:
    """A connection of which only its callers matter."""

    callers = ()


def test_no_more_wait_than_there_is_room_for() -> None:
    turns = Turns(1)
    for _ in range(HELD + 1):
        assert turns.has_room(("many",))
        turns.add(cast("ClientConnection", _Any()), ("many",))
    assert not turns.has_room(("many",))
    assert turns.has_room(("other",))
    for number in range(READY):
        turns.add(cast("ClientConnection", _Any()), (str(number),))
    assert not turns.has_room(("other",))


def test_answers_that_go_on_and_requests_that_begin_take_turns(connections: list[ClientConnection]) -> None:
    turns = Turns(6)
    for conn in connections[:4]:
        turns.again(conn)
    for conn in connections[4:]:
        turns.add(conn, (b"caller",))
    one, two, three, four, first, second = connections
    assert order(turns) == [one, first, two, second, three, four]


def test_answers_that_go_on_take_no_room_of_requests() -> None:
    turns = Turns(1)
    for _ in range(READY + 1):
        turns.again(cast("ClientConnection", _Any()))
    assert turns.has_room(("caller",))


def test_a_request_that_counts_for_two_begins_when_both_have_room(connections: list[ClientConnection]) -> None:
    turns = Turns(1)
    by_address, by_both, by_credential = connections[:3]
    assert turns.add(by_address, ("address",))
    assert not turns.add(by_both, ("address", b"credential"))
    assert turns.add(by_credential, (b"credential",))
    assert not turns.done(by_address)
    assert turns.done(by_credential) == [by_both]
    assert not turns.add(by_address, ("address",))
    assert not turns.add(by_credential, (b"credential",))
    assert turns.done(by_both) == [by_address, by_credential]


def test_who_waits_for_one_of_its_callers_is_in_the_way_of_no_other(connections: list[ClientConnection]) -> None:
    turns = Turns(1)
    turns.add(connections[0], (b"busy",))
    for _ in range(HELD):
        turns.add(cast("ClientConnection", _Any()), ("address", b"busy"))
    assert turns.has_room(("address", b"other"))
    assert not turns.has_room(("address", b"busy"))


def test_who_is_known_lately_has_no_more_than_before(connections: list[ClientConnection]) -> None:
    turns = Turns(2)
    assert [turns.add(conn, ("address", b"credential")) for conn in connections[:2]] == [True, True]
    assert not turns.add(connections[2], (b"credential",))
    assert turns.add(connections[3], (b"another",))


def test_who_gives_up_waits_for_none_of_its_callers(connections: list[ClientConnection]) -> None:
    turns = Turns(1)
    turns.add(connections[0], ("address", b"credential"))
    turns.add(connections[1], ("address", b"credential"))
    turns.give_up(connections[1])
    assert not turns.done(connections[0])
    assert not turns._held
    assert not turns._under_way
