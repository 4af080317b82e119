"""Long answers that have nothing to send for now, from a live worker of two threads and a bare application."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.server.conftest import ROOT, free_port, running, wait_until

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
#: Answers that rest at once, and seconds of a rest that no test waits for.
CROWD, NEVER = 200, 3000


@dataclass
class Resting:
    """A running server of answers that rest."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str) -> dict[str, int]:
        """Ask it on a connection of its own; return how it is."""
        answer = requests.get(f"http://127.0.0.1:{self.port}{path}", headers={"Connection": "close"}, timeout=30)
        state: dict[str, int] = answer.json()
        return state

    def is_there(self) -> bool:
        """True once it answers."""
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            self.get("/")
            return True
        return False


@pytest.fixture
def drain_seconds() -> int:
    """Seconds between a signal to stop and the stop."""
    return 0


@pytest.fixture
def resting(tmp_path: Path, drain_seconds: int) -> Iterator[Resting]:
    """A running server."""
    port, log = free_port(), tmp_path / "log"
    options = ["-c", "tests/server/resting.py", "-b", f"127.0.0.1:{port}", "tests.server.resting:app"]
    environment = {**os.environ, "DRAIN_SECONDS": str(drain_seconds)}
    with running([sys.executable, "-m", "gunicorn", *options], log, ROOT, environment) as process:
        server = Resting(port, process, log)
        wait_until(server.is_there, 60, log.read_text)
        yield server


@pytest.fixture
def listen(resting: Resting) -> Iterator[Callable[[float], socket.socket]]:
    """Ask for events on a connection of its own, which is closed after the test, and read the head of the answer."""
    with contextlib.ExitStack() as stack:

        def open_one(seconds: float) -> socket.socket:
            client = stack.enter_context(socket.create_connection(("127.0.0.1", resting.port), timeout=30))
            client.sendall(b"GET /events?rest=%f HTTP/1.1\r\nHost: x\r\n\r\n" % seconds)
            received = b""
            while not received.endswith(b"\r\n\r\n"):
                received += client.recv(1)
            return client

        yield open_one


@pytest.fixture
def crowd(resting: Resting, listen: Callable[[float], socket.socket]) -> list[socket.socket]:
    """Many clients whose answers rest, which they have asked for once each by now."""
    clients = [listen(NEVER) for _ in range(CROWD)]
    wait_until(lambda: resting.get("/") == {"open": CROWD, "looks": CROWD}, 30)
    return clients


@pytest.mark.usefixtures("crowd")
def test_many_hold_neither_threads_nor_other_requests(resting: Resting) -> None:
    for _ in range(50):
        assert resting.get("/") == {"open": CROWD, "looks": CROWD}


def test_all_that_are_woken_at_once_go_on_and_rest_again(resting: Resting, crowd: list[socket.socket]) -> None:
    for _ in range(3):
        resting.get("/tell")
        assert {client.recv(1000) for client in crowd} == {b"4\r\ntold\r\n"}
    for _ in range(20):
        assert resting.get("/")["looks"] <= 7 * CROWD  # one at first, and two at most for each time they are woken


def test_one_goes_on_when_its_rest_is_over(listen: Callable[[float], socket.socket]) -> None:
    client = listen(0.01)
    received = b""
    while b"look 3" not in received:
        received += client.recv(1000)


def test_clients_that_hang_up_are_noticed(resting: Resting, crowd: list[socket.socket]) -> None:
    for number, client in enumerate(crowd):
        if number % 2:  # it goes with a reset
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    wait_until(lambda: resting.get("/") == {"open": 0, "looks": CROWD}, 30)
    assert resting.log.read_text().count("closed") == CROWD


def test_a_stop_cuts_all(resting: Resting, crowd: list[socket.socket]) -> None:
    resting.process.send_signal(signal.SIGTERM)
    assert {client.recv(1000) for client in crowd} == {b""}
    assert resting.process.wait(20) == 0  # sooner than gunicorn would end a worker that is not done
    assert resting.log.read_text().count("closed at the end") == CROWD


@pytest.mark.parametrize("drain_seconds", [3000])
def test_a_server_that_drains_lets_them_end(resting: Resting, crowd: list[socket.socket]) -> None:
    resting.process.send_signal(signal.SIGTERM)
    assert {client.recv(1000) for client in crowd} == {b"0\r\n\r\n"}
    # A client has the end of its answer a moment before the answer is closed.
    wait_until(lambda: resting.get("/") == {"open": 0, "looks": 2 * CROWD}, 30)
    resting.process.send_signal(signal.SIGTERM)
