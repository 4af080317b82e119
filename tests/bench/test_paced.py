"""A load at a pace of its own, on a server of the test's."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bench import paced
from bench.load import Outcome, WrongAnswer
from bench.paced import read_head
from bench.request import NUMBER, VALUE, Request


class Server(ThreadingHTTPServer):
    """A server that takes so long for each answer, one after the other; the requests that it got."""

    def __init__(
        self, body: bytes = b"{}", *, status: int = 200, version: str = "HTTP/1.1", seconds: float = 0
    ) -> None:
        self.requests: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = version
            one = threading.Lock()

            def do_GET(self) -> None:
                requests.append(self.requestline)
                with self.one:
                    time.sleep(seconds)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        requests = self.requests
        super().__init__(("127.0.0.1", 0), Handler)

    def load(self, **orders: Any) -> Outcome:
        """Load the server, and return the outcome."""
        thread = threading.Thread(target=self.serve_forever, args=[0.01])
        thread.start()
        try:
            return paced.run(self.server_port, Request("GET", "/x"), **orders)
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_so_many_requests_are_sent_as_were_asked_for(version: str) -> None:
    server = Server(version=version)
    outcome = server.load(seconds=0.5, connections=4, rate=40)
    assert outcome.requests == 20
    assert server.requests == ["GET /x HTTP/1.1"] * 20


def test_the_time_of_a_request_that_waits_for_a_connection_is_counted_too() -> None:
    outcome = Server(seconds=0.05).load(seconds=0.5, connections=1, rate=40)  # twice what it can do
    assert outcome.requests == 20
    assert outcome.p99 > 0.4
    assert outcome.seconds > 0.9


def test_without_a_pace_each_connection_asks_as_soon_as_it_has_its_answer() -> None:
    outcome = Server(seconds=0.01).load(seconds=0.3, connections=2)
    assert 2 <= outcome.requests <= 32


@pytest.mark.parametrize(("status", "body"), [(500, b"[]"), (200, b'{"error": {"code": 200}}')])
def test_wrong_answers_make_a_load_worthless(status: int, body: bytes) -> None:
    with pytest.raises(WrongAnswer, match="2 of 2 answers were wrong"):
        Server(body, status=status).load(seconds=0, connections=2)


def test_a_server_that_is_not_there_is_told() -> None:
    server = Server()
    server.server_close()
    with pytest.raises(WrongAnswer, match="2 requests got no answer"):
        paced.run(server.server_port, Request("GET", "/x"), seconds=0, connections=2)


def test_messages_hold_values_and_new_numbers() -> None:
    request = Request("POST", f"/{VALUE}", {"X": "y"}, f'{{"n": {NUMBER}}}', values=("a", "b"))
    head = "HTTP/1.1\r\nHost: 127.0.0.1\r\nX: y\r\nContent-Length: 8\r\n\r\n"
    assert request.messages(3) == [
        f'POST /{value} {head}{{"n": {number}}}' for value, number in (("a", 0), ("b", 1), ("a", 2))
    ]


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 7", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 7", True),
    ],
)
def test_a_head_tells_of_the_body_and_the_connection(head: bytes, closes: bool) -> None:
    assert read_head(head) == (200, 7, closes)


def test_nothing_follows_a_head_that_says_not_modified() -> None:
    assert read_head(b"HTTP/1.1 304 NOT MODIFIED\r\nETag: x") == (304, 0, False)
