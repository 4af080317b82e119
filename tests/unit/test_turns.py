"""Whose request is next, and who is the same caller."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import cast

import pytest

from app.auth.addresses import place_of
from serving.connection import Connection
from serving.turns import HELD, KNOWN, READY, Known, Turns, caller_of, credential_of


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


class _Any:
    """A connection of which only its caller matters."""

    caller = None


def test_no_more_wait_than_there_is_room_for() -> None:
    turns = Turns(1)
    for _ in range(HELD + 1):
        assert turns.has_room("many")
        turns.add(cast("Connection", _Any()), "many")
    assert not turns.has_room("many")
    assert turns.has_room("other")
    for number in range(READY):
        turns.add(cast("Connection", _Any()), str(number))
    assert not turns.has_room("other")


TOKEN, OTHER = (b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")
COOKIE = (b"cookie", b"x=session_id=no; session_id=abc; y=z")
KNOWN_ONES = Known()
for _headers in ([TOKEN], [OTHER], [COOKIE]):
    KNOWN_ONES.add(credential_of(_headers) or b"")


def caller(
    headers: list[tuple[bytes, bytes]], address: str, proxies: int = 0, known: Known = KNOWN_ONES
) -> str | bytes:
    return caller_of(headers, address, proxies, known, place_of)[0]


def test_callers_are_told_apart_by_their_credentials() -> None:
    assert caller([TOKEN], "1.2.3.4") == caller([TOKEN, COOKIE], "4.3.2.1")
    assert caller([TOKEN], "1.2.3.4") != caller([OTHER], "1.2.3.4")
    assert caller([COOKIE], "1.2.3.4") == caller([(b"cookie", b"session_id=abc  ")], "4.3.2.1")


def test_credentials_that_anybody_can_make_up_are_no_callers_of_their_own() -> None:
    made_up = [[(b"authorization", b"Bearer %d" % number)] for number in range(5)]
    assert {caller(headers, "1.2.3.4", known=Known()) for headers in made_up} == {"1.2.3.4"}


def test_who_has_none_is_told_apart_by_address() -> None:
    forwarded = [(b"x-forwarded-for", b"6.6.6.6, 9.9.9.9"), (b"x-forwarded-for", b"8.8.8.8:4711")]
    assert caller(forwarded, "1.2.3.4") == "1.2.3.4"
    assert caller(forwarded, "127.0.0.1", 1) == "8.8.8.8"
    assert caller(forwarded, "127.0.0.1", 2) == "9.9.9.9"
    assert caller([], "127.0.0.1", 1) == "127.0.0.1"
    assert caller([], "2001:db8::1") == caller([], "2001:db8::ffff:1")


def test_no_more_credentials_are_remembered_than_there_is_room_for() -> None:
    known = Known()
    for number in range(KNOWN + 1):
        known.add(b"%d" % number)
    assert b"0" not in known
    assert b"1" in known
