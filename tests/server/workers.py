"""Which worker has a connection, what each of them says, and when all of them know of a change."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import requests

from dev.testbed import Testbed
from tests.server.conftest import Server, serving, wait_until

#: Seconds after which a test that waits for the workers fails. What is promised (a second) has tests of its own, which
#: run alone: beside other tests a worker may be late.
_PATIENCE = 30


class HungUp(Exception):
    """A worker has refused a call and closed its connection."""

    def __init__(self, status: int) -> None:
        super().__init__(f"hung up after {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection to a worker, and the status of its first answer."""

    client: http.client.HTTPConnection
    status: int


def worker_of(server: Server, client: socket.socket) -> int:
    """Return the process id of the worker that holds a client's connection."""
    port = client.getsockname()[1]
    (found,) = (
        pid
        for pid in server.worker_pids()
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.raddr and connection.raddr.port == port
    )
    return found


@contextlib.contextmanager
def connected(server: Server, path: str, **headers: str) -> Iterator[dict[int, Connected]]:
    """Keep a connection to each worker, by its process id, over which it has answered a path."""
    address = urlsplit(server.url)
    found: dict[int, Connected] = {}
    with contextlib.ExitStack() as stack:
        while not set(server.worker_pids()) <= set(found):
            client = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
            stack.callback(client.close)
            client.request("GET", path, headers=headers)
            answer = client.getresponse()
            answer.read()
            if client.sock is None:  # the worker has hung up, as it does after a refusal
                raise HungUp(answer.status)
            # They stay open: the next one goes to the worker that has fewer.
            found[worker_of(server, client.sock)] = Connected(client, answer.status)
        yield found


def ask_each(server: Server, path: str, **headers: str) -> set[int]:
    """Return the statuses that the workers answer a path with, each on a connection of its own."""
    try:
        with connected(server, path, **headers) as found:
            return {each.status for each in found.values()}
    except HungUp as refused:
        return {refused.status}


def wait_for_api(server: Server, path: str) -> None:
    """Wait until every worker knows an API that was just published: it asks a stranger for credentials."""
    wait_until(lambda: ask_each(server, path) == {401}, _PATIENCE)


@contextlib.contextmanager
def serving_apis(testbed: Testbed, name: str, folder: Path, apis: str, path: str, **settings: str) -> Iterator[Server]:
    """Start a server of its own with some APIs, given as YAML; ``path`` is one of them."""
    with serving(testbed, f"gatehouse_{name}_{os.getpid()}", folder / "log", **settings) as started:
        (folder / "apis.yaml").write_text(apis)
        started.flask("api", "import", str(folder / "apis.yaml"))
        wait_for_api(started, path)
        yield started


def wait_for_client(server: Server, path: str, credentials: dict[str, str]) -> None:
    """Wait until every worker knows that a client app, which acts as a user of its own, may call an API."""
    form = {name: credentials[name] for name in ("client_id", "client_secret")}
    token = requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=10).json()["access_token"]
    wait_until(lambda: ask_each(server, path, Authorization=f"Bearer {token}") == {200}, _PATIENCE)
