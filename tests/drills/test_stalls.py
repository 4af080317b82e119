"""Drills: clients that send or read slowly, callers that call slowly, workers that die or freeze. Nobody else waits.

What is measured is measured again while it is not good enough: on a busy machine one look says little, and a stall
lasts as long as what causes it, which goes on all the time.
"""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from PIL import Image

from dev.testbed import Testbed
from tests.extent import extent
from tests.server.commands import run_flask
from tests.server.conftest import Server, clone_served, environment_of, gunicorn, wait_until
from tests.server.workers import ask_each

pytestmark = [pytest.mark.alone, pytest.mark.live, pytest.mark.timeout(300)]

CROWD = 200
#: Seconds of one look, and looks at most.
LOOK, LOOKS = 2.0, 8

_APIS = """
apis:
- {name: Pictures, route: /api/pictures, published: true, models: [{model: res.partner, fields: [name, image_1920]}]}
"""


@dataclass
class Stage:
    """A server for the drills, and a large picture on it."""

    server: Server
    picture: str

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        parts = urlsplit(self.server.url)
        return str(parts.hostname), int(parts.port or 0)

    def cookie(self, login: str) -> str:
        """The session of a user."""
        return str(self.server.session(login).cookies["session_id"])

    def connect(self, source: str, buffer: int | None = None) -> socket.socket:
        """Open a connection from an address of this machine; ``buffer`` is how much it takes before it is read."""
        client = socket.socket()
        if buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(30)
        client.bind((source, 0))
        client.connect(self.address)
        return client


@pytest.fixture(scope="module")
def stage(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server of two workers with four threads each."""
    folder, database = tmp_path_factory.mktemp("stalls"), f"gatehouse_stalls_{os.getpid()}"
    (folder / "apis.yaml").write_text(_APIS)
    clone_served(testbed, database)
    try:
        environment = environment_of(testbed, database)
        run_flask(["api", "import", str(folder / "apis.yaml")], environment)
        with gunicorn(testbed, database, folder / "log", GATEHOUSE_THREADS="4") as server:
            file = io.BytesIO()
            Image.frombytes("RGB", (1900, 1500), os.urandom(1900 * 1500 * 3)).save(file, "PNG")
            values = {"name": "A large picture", "image_1920": base64.b64encode(file.getvalue()).decode()}
            record = server.session().post(f"{server.url}/api/pictures", json=values).json()["result"]
            yield Stage(server, record["image_1920"])
    finally:
        testbed.drop(database)


@dataclass(frozen=True)
class Look:
    """What clients of good will have met for a moment: searches a second, and how long health checks took."""

    searches: float
    p99: float


def look(stage: Stage) -> Look:
    """Search with three clients on connections of their own, and ask for the health on new ones."""
    over = time.monotonic() + LOOK
    url, health = f"{stage.server.url}/api/partner/rest?limit=5&fields=name", f"{stage.server.url}/healthz"

    def search() -> int:
        count = 0
        with requests.Session() as session:
            while time.monotonic() < over:
                answer = session.get(url, cookies={"session_id": stage.cookie("demo")}, timeout=60)
                assert answer.status_code == 200, answer.text
                count += 1
        return count

    def check() -> list[float]:
        times = []
        while time.monotonic() < over or not times:
            began = time.monotonic()
            assert requests.get(health, timeout=60).status_code == 200
            times.append(time.monotonic() - began)
            time.sleep(0.01)
        return times

    with ThreadPoolExecutor(4) as pool:
        searching = [pool.submit(search) for _ in range(3)]
        times = sorted(pool.submit(check).result())
        count = sum(each.result() for each in searching)
    return Look(count / LOOK, times[int(len(times) * 0.99)])


Opening = Callable[[socket.socket, Stage], None]
Feed = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Kind:
    """How a client is slow: what it sends at first, and then four times a second.

    ``reads``: it looks whether the server has answered. ``lasts``: the server lets it be slow for longer than a look.
    """

    opening: Opening
    feed: Feed = lambda client: None
    buffer: int | None = None
    reads: bool = True
    lasts: bool = True


def sends(data: bytes) -> Opening:
    return lambda client, stage: client.sendall(data)


def drips(data: bytes) -> Feed:
    def feed(client: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the server has had enough of it
            client.send(data, socket.MSG_DONTWAIT)

    return feed


def asks_for(path: Callable[[Stage], str]) -> Opening:
    def opening(client: socket.socket, stage: Stage) -> None:
        lines = (f"GET {path(stage)} HTTP/1.1", "Host: x", f"Cookie: session_id={stage.cookie('admin')}", "", "")
        client.sendall("\r\n".join(lines).encode())

    return opening


POST = b"POST /api/partner/rest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

KINDS = {
    "silence": Kind(sends(b"")),
    "an unfinished head": Kind(sends(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"x" * 60_000)),
    "a head that is too long": Kind(
        sends(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"x" * 70_000), drips(b"x"), lasts=False
    ),
    "a head byte by byte": Kind(sends(b"GET / HTTP/1.1\r\nHost: "), drips(b"x")),
    "an end mark inside a chunk": Kind(sends(CHUNKED + b"FFFF\r\n\r\n0\r\n\r\n")),
    "tiny chunks": Kind(sends(CHUNKED + b"1\r\nx\r\n" * 1000), drips(b"1\r\nx\r\n" * 50)),
    "an upload at 4 KB a second": Kind(
        sends(POST + b"Content-Length: 1000000\r\n\r\n" + b"x" * 70_000), drips(b"x" * 1024)
    ),
    "a body that is refused": Kind(
        sends(POST + b"Content-Length: 99999999\r\n\r\n"), drips(b"x" * 65_536), lasts=False
    ),
    "a large file that nobody reads": Kind(asks_for(lambda stage: stage.picture), buffer=4096, reads=False),
    "a large answer that nobody reads": Kind(asks_for(lambda stage: "/api/openapi.json"), buffer=4096, reads=False),
}


class Crowd:
    """Clients of one kind that are slow while the block runs; who was dropped comes again.

    ``opened`` counts all connections that were made, ``refused`` those that were answered with 429.
    """

    def __init__(self, stage: Stage, kind: Kind, sources: list[str]) -> None:
        self._stage, self._kind, self._sources = stage, kind, sources
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self.clients: list[socket.socket] = []
        self.opened = self.refused = 0

    def __enter__(self) -> Crowd:
        self._stage.cookie("admin")
        self.clients = [self._open(number) for number in range(CROWD)]
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join(60)
        for client in self.clients:
            client.close()

    def _open(self, number: int) -> socket.socket:
        client = self._stage.connect(self._sources[number % len(self._sources)], self._kind.buffer)
        self.opened += 1
        with contextlib.suppress(OSError):  # refused before it has sent all
            self._kind.opening(client, self._stage)
        return client

    def _go_on(self) -> None:
        places = itertools.cycle(range(CROWD))
        while not self._over.wait(0.25 / CROWD):
            place = next(places)
            is_refused = peek(self.clients[place]).startswith(b"HTTP/1.1 429 ")
            self.refused += is_refused
            if is_refused or is_dropped(self.clients[place], reads=self._kind.reads):
                self.clients[place].close()
                with contextlib.suppress(OSError):  # it comes again in the next round
                    self.clients[place] = self._open(place)
            else:
                self._kind.feed(self.clients[place])


def is_dropped(client: socket.socket, *, reads: bool) -> bool:
    """Whether the server has ended a connection; who does not read learns it only where nothing was left to read."""
    try:
        client.setblocking(False)
        if not reads:
            return client.recv(1, socket.MSG_PEEK) == b""
        while client.recv(65_536):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def open_at_the_server(stage: Stage) -> int:
    """Return how many connections the workers hold."""
    return sum(
        connection.status == psutil.CONN_ESTABLISHED
        for pid in stage.server.worker_pids()
        for connection in psutil.Process(pid).net_connections("tcp")
    )


def nobody_waits(stage: Stage, usual: Look) -> None:
    """Look until what clients of good will meet is good enough. Fails where it does not become so."""
    seen = []
    for _ in range(LOOKS):
        seen.append(look(stage))
        if seen[-1].p99 < 0.5 and seen[-1].searches >= usual.searches / 2:
            return
    raise AssertionError(f"usually {usual}, here {seen}\n{stage.server.log.read_text()[-2000:]}")


SOURCES = {"one address": ["127.0.0.1"], "two addresses": ["127.0.0.2", "127.0.0.3"]}


@pytest.mark.parametrize(
    ("name", "sources"), extent(list(zip(KINDS, itertools.cycle(SOURCES))), list(itertools.product(KINDS, SOURCES)))
)
def test_slow_clients_hold_nobody_up(stage: Stage, name: str, sources: str) -> None:
    usual = look(stage)
    with Crowd(stage, KINDS[name], SOURCES[sources]) as crowd:
        nobody_waits(stage, usual)
        # They were there all the time.
        if KINDS[name].lasts:
            wait_until(lambda: open_at_the_server(stage) >= CROWD * 0.9, 30)
        else:
            wait_until(lambda: crowd.opened > 2 * CROWD, 30)


def test_a_caller_with_many_slow_calls_holds_nobody_else_up_and_is_told(stage: Stage, testbed: Testbed) -> None:
    route, session = f"{stage.server.url}/api/partner/rest", stage.server.session()
    record = session.post(route, json={"name": "held by a drill"}).json()["result"]["id"]
    usual = look(stage)
    lines = ("PATCH /api/partner/rest/{} HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 15")
    head = "\r\n".join((*lines, f"Cookie: session_id={stage.cookie('admin')}", "", "")).format(record).encode()
    kind = Kind(sends(head + b'{"phone": "12"}'), reads=False)
    with contextlib.closing(testbed.server.connect(stage.server.database)) as outside:
        outside.autocommit = False
        outside.cursor().execute("SELECT 1 FROM res_partner WHERE name = 'held by a drill' FOR UPDATE")
        with Crowd(stage, kind, ["127.0.0.1"]) as crowd:
            nobody_waits(stage, usual)
            wait_until(lambda: crowd.refused > 0, 30)
        outside.rollback()


def peek(client: socket.socket) -> bytes:
    """Return what a client could read now."""
    client.setblocking(False)  # MSG_DONTWAIT does not do: Python itself waits first where a socket has a time limit
    with contextlib.suppress(OSError):
        return client.recv(1000, socket.MSG_PEEK)
    return b""


def test_health_and_readiness_are_answered_when_all_threads_are_busy(stage: Stage, testbed: Testbed) -> None:
    route = f"{stage.server.url}/api/partner/rest"
    for login in ("admin", "demo"):
        # Until a worker knows a credential, it counts for its address too, of which all these calls are. What a drill
        # before this one has left may be under way still.
        cookie = f"session_id={stage.cookie(login)}"
        wait_until(
            lambda cookie=cookie: ask_each(stage.server, "/api/partner/rest?limit=1", Cookie=cookie) == {200}, 30
        )  # type: ignore[misc]
    record = stage.server.session().post(route, json={"name": "held for all"}).json()["result"]["id"]

    def patch(login: str) -> None:
        with contextlib.suppress(requests.RequestException):
            requests.patch(
                f"{route}/{record}", json={"phone": "1"}, cookies={"session_id": stage.cookie(login)}, timeout=60
            )

    with contextlib.closing(testbed.server.connect(stage.server.database)) as outside, ThreadPoolExecutor(40) as pool:
        outside.autocommit = False
        outside.cursor().execute("SELECT 1 FROM res_partner WHERE name = 'held for all' FOR UPDATE")
        for login in ("admin", "demo") * 20:
            pool.submit(patch, login)
        try:
            # Two workers of four threads, of which each caller has half.
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
            with contextlib.closing(testbed.server.connect(stage.server.database)) as watching:
                watching.autocommit = True
                cursor = watching.cursor()

                def all_wait() -> bool:
                    cursor.execute(waiting, (stage.server.database,))
                    return bool(cursor.fetchone()[0] >= 8)

                wait_until(all_wait, 30)
            for path in ("/healthz", "/readyz"):
                wait_until(lambda path=path: quick(stage, path), 20)  # type: ignore[misc]
        finally:
            outside.rollback()


def quick(stage: Stage, path: str) -> bool:
    """Whether both workers answer at once: on a busy machine it is tried again."""
    began = time.monotonic()
    for _ in range(8):
        assert requests.get(f"{stage.server.url}{path}", timeout=60).status_code == 200
    return time.monotonic() - began < 2


def test_a_frozen_worker_is_replaced_and_slows_nobody_meanwhile(stage: Stage) -> None:
    usual = look(stage)
    frozen = stage.server.worker_pids()[0]
    began = time.monotonic()
    os.kill(frozen, signal.SIGSTOP)
    try:
        while frozen in stage.server.worker_pids():
            assert time.monotonic() - began < 30
            new_connections(stage, usual)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(frozen, signal.SIGCONT)
    wait_until(lambda: len(stage.server.worker_pids()) == 2, 30)


def new_connections(stage: Stage, usual: Look) -> None:
    """Health checks, each on a new connection, until none of those of half a second waits."""
    seen = []
    for _ in range(LOOKS):
        over, times = time.monotonic() + 0.5, []
        while time.monotonic() < over or not times:
            began = time.monotonic()
            assert requests.get(f"{stage.server.url}/healthz", timeout=60).status_code == 200
            times.append(time.monotonic() - began)
        seen.append(max(times))
        if seen[-1] < 0.5:
            return
    raise AssertionError((usual, seen))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_ends_while_a_reload_is_tried_is_replaced_and_nobody_waits(
    stage: Stage, number: signal.Signals
) -> None:
    usual = look(stage)
    before = set(stage.server.worker_pids())
    log = Path(stage.server.log)
    said = len(log.read_text())
    stage.server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "trying the new version" in log.read_text()[said:], 30)
    ended = min(workers(stage, before))
    os.kill(ended, number)
    # The trial takes its time; the worker has a successor before it is over.
    wait_until(lambda: "Booting worker" in log.read_text()[said:], 30)
    assert "Starting gunicorn" not in log.read_text()[said:]
    new_connections(stage, usual)
    wait_until(lambda: not before & set(stage.server.worker_pids()), 120, lambda: log.read_text()[said:][-3000:])
    nobody_waits(stage, usual)


def workers(stage: Stage, among: set[int]) -> set[int]:
    """The processes of some that are there."""
    return among & set(stage.server.worker_pids())
