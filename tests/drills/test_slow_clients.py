"""Clients that are slow, idle or many: they must not hold up others."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import Server

pytestmark = [pytest.mark.alone, pytest.mark.live]
#: More than all threads of the server: two workers of four.
CROWD = 24

Connect = Callable[[], socket.socket]


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Open a connection to the server, which is closed after the test."""
    address = urlsplit(server.url)
    with contextlib.ExitStack() as stack:

        def open_one() -> socket.socket:
            return stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=30))

        yield open_one


def seconds_of_a_call(server: Server, login: str = "admin") -> float:
    """Make ten calls, each on its own connection; return how long the slowest took."""
    cookies, slowest = server.session(login).cookies, 0.0
    for _ in range(10):
        began = time.monotonic()
        answer = requests.get(f"{server.url}/api/partner/rest?limit=2", cookies=cookies, timeout=30)
        assert len(answer.json()["result"]["records"]) == 2
        slowest = max(slowest, time.monotonic() - began)
    return slowest


def answer_of(connection: socket.socket) -> bytes:
    """Return all that the server sends until it hangs up."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(65536):
            received += data
    return received


def test_a_thousand_idle_connections_hold_nobody_up(server: Server, connect: Connect) -> None:
    silent = [connect() for _ in range(1000)]
    assert seconds_of_a_call(server) < 2
    # And they can still call.
    silent[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer_of(silent[0]).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"G", id="in the request line"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ", id="in the head"),
        pytest.param(b"POST /api/partner/rest HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", id="in the body"),
    ],
)
def test_clients_that_send_a_byte_a_second_hold_nobody_up(server: Server, connect: Connect, beginning: bytes) -> None:
    crowd = [connect() for _ in range(CROWD)]
    for piece in (beginning, b"x"):
        for client in crowd:
            client.sendall(piece)
        assert seconds_of_a_call(server) < 2


def test_a_client_that_is_too_slow_is_told_so(server: Server, connect: Connect) -> None:
    slow = connect()
    slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
    assert answer_of(slow).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_slow_uploads_hold_only_uploads_up(server: Server, connect: Connect) -> None:
    for _ in range(CROWD):
        connect().sendall(b"POST /api/partner/rest HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{")
    assert seconds_of_a_call(server) < 2


def test_a_client_that_does_not_hang_up_after_its_answer_holds_nobody_up(server: Server, connect: Connect) -> None:
    for _ in range(CROWD):
        connect().sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert seconds_of_a_call(server) < 2


def test_a_request_in_pieces_and_two_in_one_piece_are_answered(server: Server, connect: Connect) -> None:
    client = connect()
    first, second = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    for byte in first[:-1]:
        client.sendall(bytes([byte]))
    client.sendall(first[-1:] + second)
    client.sendall(b"Connection: close\r\n\r\n")
    assert answer_of(client).count(b'"status":"alive"') == 2


def test_an_upload_that_waits_for_100_continue_is_taken(server: Server, connect: Connect) -> None:
    client, body = connect(), b'{"name": "' + b"x" * 200 + b'"}'
    head = f"POST /api/partner/rest HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    client.sendall(head.encode() + b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n")
    assert client.recv(1000).startswith(b"HTTP/1.1 100 Continue")
    client.sendall(body)
    assert answer_of(client).startswith(b"HTTP/1.1 401")


def test_calls_that_wait_for_a_record_hold_nobody_else_up(server: Server, testbed: Testbed) -> None:
    route, session = f"{server.url}/api/partner/rest", server.session()
    record = session.post(route, json={"name": "held"}).json()["result"]
    with contextlib.closing(testbed.server.connect(server.database)) as outside:
        outside.autocommit = False
        outside.cursor().execute("SELECT 1 FROM res_partner WHERE name = 'held' FOR UPDATE")

        def patch(number: int) -> int:
            answer = requests.patch(
                f"{route}/{record['id']}", json={"phone": str(number)}, cookies=session.cookies, timeout=30
            )
            return answer.status_code

        with ThreadPoolExecutor(6) as pool:
            waiting = [pool.submit(patch, number) for number in range(6)]
            assert seconds_of_a_call(server, "demo") < 2
            assert not any(call.done() for call in waiting)
            outside.rollback()
            assert [call.result() for call in waiting] == [200] * 6
