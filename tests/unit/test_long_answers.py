"""Answers that take long: sent as they are made, and cut where they can't be finished."""

from __future__ import annotations

import gc
import socket
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.wsgi import Response

from serving import answer as answer_module
from serving.answer import Answer
from serving.long_answers import Cut
from serving.outbox import Outbox
from serving.request import Request

Application = Callable[[dict[str, Any], Any], Iterator[bytes]]


def _answer(outbox: Outbox) -> Answer:
    request = Request("GET", "/", (1, 1), [])
    return Answer(request, {}, outbox, Response(request, outbox, Config()), last=False)


def _long(*pieces: bytes | Exception) -> Application:
    def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        environ["gatehouse.long"](10)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return _made(pieces)

    return application


def _made(pieces: tuple[bytes | Exception, ...]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, Exception):
            raise piece
        yield piece


def test_a_slow_piece_is_sent_before_the_next_is_made(
    ends: tuple[Outbox, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_module, "TURN", -1.0)
    outbox, client = ends
    answer, application = _answer(outbox), _long(b"first", b"second")
    answer.advance(application)
    assert client.recv(10_000).endswith(b"\r\n\r\n5\r\nfirst\r\n")
    assert not answer.finished
    answer.advance(application)
    assert client.recv(10_000) == b"6\r\nsecond\r\n"
    answer.advance(application)
    assert client.recv(10_000) == b"0\r\n\r\n"
    assert answer.finished
    assert answer.keeps


def test_quick_pieces_are_sent_together(ends: tuple[Outbox, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_module, "TURN", 60.0)
    outbox, client = ends
    answer = _answer(outbox)
    answer.advance(_long(b"first", b"second"))
    assert client.recv(10_000).endswith(b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")
    assert answer.finished


def test_one_that_is_cut_has_no_last_chunk(ends: tuple[Outbox, socket.socket]) -> None:
    outbox, client = ends
    answer, application = _answer(outbox), _long(b"first", Cut("over"))
    while not answer.finished:
        answer.advance(application)
    assert client.recv(10_000).endswith(b"5\r\nfirst\r\n")
    assert not answer.keeps


def test_one_that_is_cut_before_its_first_piece_is_refused(ends: tuple[Outbox, socket.socket]) -> None:
    outbox, client = ends
    answer = _answer(outbox)
    answer.advance(_long(Cut("over")))
    told = client.recv(10_000)
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b'"name": "unavailable"' in told
    assert not answer.keeps


class _Resting(Iterator[bytes]):
    """Pieces that keep the means to rest."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.rest = environ["gatehouse.rest"]
        self._pieces = iter([b"all"])

    def __next__(self) -> bytes:
        return next(self._pieces)


def _keeps_its_rest(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    return _Resting(environ)


@pytest.mark.parametrize("application", [_long(b"all"), _keeps_its_rest])
def test_nothing_of_an_answer_is_left_to_the_garbage_collector(
    ends: tuple[Outbox, socket.socket], application: Application
) -> None:
    outbox, _ = ends
    gc.disable()
    try:
        answer = _answer(outbox)
        while not answer.finished:
            answer.advance(application)
        gone = weakref.ref(answer)
        del answer
        assert gone() is None
    finally:
        gc.enable()
