"""A TCP proxy that delays: ``python -m bench.distance_proxy HOST PORT SECONDS``. Prints the port that it listens on.

Each piece of data is passed on as it came, half of the seconds after it came; also the end of a connection is. The one
after it does not wait for it: as on a long line, many are under way at once. Ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from typing import cast

from bench import loops
from dev import paths

#: What has been heard last of all, in place of data.
_END = b""


@contextlib.contextmanager
def away(host: str, port: int, seconds: float) -> Iterator[int]:
    """Run the proxy; yield the port at which the server is so many seconds away, there and back."""
    command = [sys.executable, "-m", "bench.distance_proxy", host, str(port), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=paths.ROOT) as process:
        assert process.stdout is not None  # noqa: S101  it is a pipe
        yield int(process.stdout.readline())
        process.communicate()


class End(asyncio.Protocol):
    """One end of a connection: what is heard there is said at ``other``, later."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        #: Heard, and not yet said. Timers of one moment may fire in any order: each says the oldest.
        self._under_way: deque[bytes] = deque()
        self.transport: asyncio.Transport | None = None
        self.other: End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Say it at the other end, later."""
        self._under_way.append(data)
        self._loop.call_later(self._delay, self._say)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other end too, later: what is under way comes before."""
        self.data_received(_END)

    def _say(self) -> None:
        data = self._under_way.popleft()
        if self.other is not None and self.other.transport is not None:
            if data is _END:
                self.other.transport.close()
            else:
                self.other.transport.write(data)


class Entrance(End):
    """The end of a client: it is heard once there is a connection to the server."""

    def __init__(self, delay: float, host: str, port: int) -> None:
        super().__init__(delay)
        self._address = host, port
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect to the server."""
        super().connection_made(transport)
        cast(asyncio.Transport, transport).pause_reading()
        self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        assert self.transport is not None  # noqa: S101  it has been made
        try:
            _, exit_ = await self._loop.create_connection(lambda: End(self._delay), *self._address)
        except OSError:
            self.transport.abort()
            return
        self.other, exit_.other = exit_, self
        if self.transport.is_closing():  # the client is gone meanwhile
            self.data_received(_END)
        else:
            self.transport.resume_reading()


async def serve(host: str, port: int, delay: float) -> asyncio.Server:
    """Listen on a free port of this machine for connections to a server, each way of which takes ``delay`` seconds."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Entrance(delay, host, port), "127.0.0.1", 0, backlog=200)


async def main(host: str, port: int, seconds: float) -> None:
    """Serve until standard input ends."""
    server = await serve(host, port, seconds / 2)
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    _host, _port, _seconds = sys.argv[1:]
    loops.precise().run_until_complete(main(_host, int(_port), float(_seconds)))
