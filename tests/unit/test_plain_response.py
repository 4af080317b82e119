"""Heads of answers: the bytes are those that gunicorn writes, and what it refuses is refused."""

from __future__ import annotations

import random
from typing import Any

import pytest
from gunicorn import util
from gunicorn.config import Config
from gunicorn.http.wsgi import Response

from serving import plain_response
from serving.plain_response import PlainResponse
from serving.request import Request

Headers = list[tuple[Any, Any]]
PLAIN: Headers = [("Content-Type", "application/json"), ("X-Request-ID", "a1"), ("ETag", '"x.y"')]
LENGTH = ("Content-Length", "2")


class Clock:
    """Stands in for the module ``time``."""

    now = 1_800_000_000.5

    def time(self) -> float:
        return self.now


class Sent:
    """Takes what is written to a client."""

    def __init__(self) -> None:
        self.data = b""

    def sendall(self, data: bytes) -> None:
        self.data += data


def written(
    kind: type[Response], status: str, headers: Headers, method: str = "GET", version: tuple[int, int] = (1, 1)
) -> bytes | type[Exception]:
    """Return what a response writes with the content ``{}``, or the error that it raises."""
    sent = Sent()
    response = kind(Request(method, "/", version, [], closes=version == (1, 0)), sent, Config())
    try:
        response.start_response(status, list(headers))(b"{}")
        response.close()
    except Exception as error:  # noqa: BLE001  whichever it is, it is compared
        return type(error)
    return sent.data


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let both write the same date, and nobody else."""
    clock = Clock()
    for module in (plain_response, util):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("version", [(1, 1), (1, 0)])
@pytest.mark.parametrize("status", ["200 OK", "204 NO CONTENT", "304 NOT MODIFIED", "101 X", "200", "2 X"])
@pytest.mark.parametrize(
    "headers",
    [
        [*PLAIN, LENGTH],
        [("content-length", "2"), *PLAIN],
        [("Content-Length", "1"), LENGTH],
        PLAIN,
        [],
        [*PLAIN, ("Connection", "close"), LENGTH],
        [*PLAIN, ("Date", "today"), ("sErver", "x"), LENGTH],
        [("Connection", "Upgrade"), ("Upgrade", "websocket")],
        [("Transfer-Encoding", "chunked")],
        [("Content-Length", " 2\t")],
        [("Content-Length", "x")],
        [("Content-Length", "-2")],
        [("X", "")],
        [("X", "  a b\t")],
        [("X", "\xe4\xff")],
        [("X", "\u20ac")],
        [("X", "a\r\nSet-Cookie: b=c")],
        [("X", "a\nb")],
        [("X", "a\x00")],
        [("X: y\r\nZ", "a")],
        [("X Y", "a")],
        [("", "a")],
        [("X", 1)],
        [(b"X", "a")],
    ],
    ids=str,
)
def test_a_head_is_written_as_gunicorn_writes_it(
    method: str, version: tuple[int, int], status: str, headers: Headers
) -> None:
    ours, theirs = (written(kind, status, headers, method, version) for kind in (PlainResponse, Response))
    assert ours == theirs


def test_made_up_headers_are_written_or_refused_as_by_gunicorn() -> None:
    rng = random.Random(7)
    names = ["Content-Length", "X", "x-y", "Date", "Dates", "te", "Te-X", "Connection", "Vary", "X\n", " X", "X:"]
    values = ["2", "a", "a, b", " a", "a ", "\t", "", "a\r\n", "a\r\nB: c", "a\n\n", "\xa0", "close", "1" * 20]
    for _ in range(3000):
        headers = [(rng.choice(names), rng.choice(values)) for _ in range(rng.randrange(5))]
        assert written(PlainResponse, "200 OK", headers) == written(Response, "200 OK", headers), headers


def test_a_plain_head_is_looked_at_as_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Response, "process_headers", None)
    monkeypatch.setattr(Response, "send_headers", None)
    answer = written(PlainResponse, "200 OK", [*PLAIN, LENGTH])
    assert isinstance(answer, bytes)
    assert answer.endswith(b'ETag: "x.y"\r\nContent-Length: 2\r\n\r\n{}')


def test_the_date_is_of_the_present_second(clock: Clock) -> None:
    for second in range(3):
        clock.now = 1_800_000_000.5 + second
        answer = written(PlainResponse, "200 OK", [LENGTH])
        assert isinstance(answer, bytes)
        assert b"Date: Fri, 15 Jan 2027 08:00:0%d GMT" % second in answer
