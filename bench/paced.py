"""A load of so many requests a second, whatever the server answers: ``python -m bench.paced``, its orders on stdin.

Each request has its moment, and its time is counted from then on: also while it waits in the client, because no
connection is free. A load that waits for answers before it goes on, as wrk's, spares a server that is too slow just
when it is. Prints the outcome as one line of JSON, in the form of wrk.lua's.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import cast

from bench import load, loops
from bench.load import Outcome
from bench.request import Request
from dev import paths
from dev.errors import SetupError

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Orders:
    """A load. ``messages`` are sent in turn; ``rate`` is requests a second, None as many as are answered."""

    port: int
    messages: list[str]
    status: int
    seconds: float
    connections: int
    rate: float | None


def run(port: int, request: Request, *, seconds: float, connections: int, rate: float | None = None) -> Outcome:
    """Send a request to a server on this machine, in a process of its own. Raises WrongAnswer, SetupError."""
    orders = Orders(port, request.messages(), request.status, seconds, connections, rate)
    command = [sys.executable, "-m", "bench.paced"]
    done = subprocess.run(
        command, input=json.dumps(asdict(orders)), capture_output=True, text=True, check=False, cwd=paths.ROOT
    )
    if done.returncode:
        raise SetupError(f"The load failed: {done.stderr.strip()}")
    return load.parse(done.stdout)


class Load:
    """A load under way, and what came of it. ``times`` are seconds of each answer from the moment of its request."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.loop = asyncio.get_running_loop()
        self.times: list[float] = []
        self.bad: list[str] = []
        self.lost = 0
        self.ended_at = 0.0
        self._messages: Iterator[bytes] = itertools.cycle([message.encode() for message in orders.messages])
        self._due: deque[float] = deque()
        self._idle: list[Connection] = []
        self._open = 0
        self._begun = self.loop.time()
        self._number = 0
        self._finished = asyncio.Event()

    async def run(self) -> None:
        """Send all requests and await all answers."""
        if self.orders.rate is None:
            for _ in range(self.orders.connections):
                self._ask(self.loop.time())
        else:
            self._pace(self.orders.rate)
        await self._finished.wait()

    def answered(self, connection: Connection, moment: float, wrong: str) -> None:
        """Note an answer; its connection is free for the next request, unless the server closes it."""
        self.ended_at = self.loop.time()
        self.times.append(self.ended_at - moment)
        if wrong:
            self.bad.append(wrong)
        if connection.reusable:
            self._idle.append(connection)
        else:
            self._open -= 1
            connection.close()
        self._go_on()

    def gone(self, connection: Connection, moment: float | None) -> None:
        """Note that a connection ended by itself, with the request of that moment unanswered or idle."""
        self._open -= 1
        if moment is not None:
            self.lost += 1
        elif connection in self._idle:
            self._idle.remove(connection)
        self._go_on()

    @property
    def _over(self) -> bool:
        return self.loop.time() >= self._begun + self.orders.seconds

    def _pace(self, rate: float) -> None:
        """Ask for all whose moment has come, and be back for the next one."""
        while (moment := self._begun + self._number / rate) <= self.loop.time():
            if self._number >= rate * self.orders.seconds:
                self._go_on()
                return
            self._number += 1
            self._ask(moment)
        self.loop.call_at(moment, self._pace, rate)

    def _ask(self, moment: float) -> None:
        self._due.append(moment)
        self._send()

    def _go_on(self) -> None:
        if self.orders.rate is None and not self._over:
            self._due.append(self.loop.time())
        self._send()
        asked_all = self.orders.rate is None or self._number >= self.orders.rate * self.orders.seconds
        if asked_all and not self._due and self._open == len(self._idle) and self._over:
            self._finished.set()

    def _send(self) -> None:
        while self._due and (self._idle or self._open < self.orders.connections):
            moment = self._due.popleft()
            if self._idle:
                self._idle.pop().send(next(self._messages), moment)
            else:
                self._open += 1
                connection = Connection(self, next(self._messages), moment)
                connection.connecting = self.loop.create_task(connection.connect(self.orders.port))


class Connection(asyncio.Protocol):
    """A connection, with one request under way at most; the first is sent as soon as there is one."""

    def __init__(self, load: Load, message: bytes, moment: float) -> None:
        self.reusable = True
        self.connecting: asyncio.Task[None] | None = None
        self._load = load
        self._first = message
        self._moment: float | None = moment
        self._transport: asyncio.Transport | None = None
        self._heard = b""

    async def connect(self, port: int) -> None:
        """Connect to a port of this machine."""
        try:
            await self._load.loop.create_connection(lambda: self, "127.0.0.1", port)
        except OSError:
            self._load.gone(self, self._moment)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._first)

    def send(self, message: bytes, moment: float) -> None:
        """Send a request whose moment it was."""
        self._moment = moment
        cast(asyncio.Transport, self._transport).write(message)

    def close(self) -> None:
        """Close it."""
        cast(asyncio.Transport, self._transport).close()

    def data_received(self, data: bytes) -> None:
        """Take note of an answer as soon as it is whole."""
        self._heard += data
        head, end, body = self._heard.partition(_HEAD_END)
        if not end or self._moment is None:
            return
        status, length, closes = read_head(head)
        if len(body) < length:
            return
        self.reusable = not closes
        self._heard = b""
        moment, self._moment = self._moment, None
        # JSON-RPC tells of errors in an answer of status 200.
        wrong = status != self._load.orders.status or b'"error":' in body[:200]
        self._load.answered(self, moment, f"{status} {body[:300]!r}" if wrong else "")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell it, unless it was closed on purpose."""
        if self.reusable:
            self._load.gone(self, self._moment)


def read_head(head: bytes) -> tuple[int, int, bool]:
    """Return the status, the length of the body, and True if the server closes the connection then."""
    first, *lines = head.lower().split(b"\r\n")
    version, status, *_ = first.split()
    fields = dict(line.split(b":", 1) for line in lines)
    connection = fields.get(b"connection", b"").strip()
    closes = connection == b"close" or (version == b"http/1.0" and connection != b"keep-alive")
    return int(status), 0 if status == b"304" else int(fields[b"content-length"]), closes


async def outcome(orders: Orders) -> dict[str, object]:
    """Carry out the orders; return the outcome as wrk.lua has it: times in microseconds."""
    load = Load(orders)
    begun = load.loop.time()
    gc.disable()
    await load.run()
    times = sorted(load.times)
    # The last moment may be well before the end of the time: that many were asked for in all of it.
    seconds = max(load.ended_at - begun, orders.seconds)

    def percentile(part: float) -> int:
        return round(times[min(len(times) - 1, int(len(times) * part))] * 1e6) if times else 0

    return {
        "requests": len(times),
        "microseconds": round(seconds * 1e6),
        "p50": percentile(0.5),
        "p99": percentile(0.99),
        "bad": len(load.bad),
        "lost": load.lost,
        "first_bad": load.bad[0] if load.bad else "",
    }


if __name__ == "__main__":
    print(json.dumps(loops.precise().run_until_complete(outcome(Orders(**json.load(sys.stdin))))))
