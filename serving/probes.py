"""Requests for the server's own health: answered past all turns, by threads that do nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from serving.connection import ClientConnection
from serving.threads import Threads

#: What is a probe; the threads for each; and how many of one address may be under way.
PATHS, THREADS, AT_ONCE = ("/healthz", "/readyz", "/metrics"), 4, 32


class Probes:
    """The probes that are under way."""

    def __init__(self) -> None:
        self._threads = {path: Threads(path, THREADS) for path in PATHS}
        self._under_way: Counter[str] = Counter()

    def start(self) -> None:
        """Start the threads; after the fork."""
        for threads in self._threads.values():
            threads.start()

    def add(self, conn: ClientConnection, path: str, address: str, make: Callable[[ClientConnection], None]) -> bool:
        """Let a thread ``make`` the answer; return False where the address has too many under way."""
        if self._under_way[address] >= AT_ONCE:
            return False
        conn.prober = address
        self._under_way[address] += 1
        self._threads[path].do(partial(make, conn))
        return True

    def done(self, conn: ClientConnection) -> None:
        """Take note that a probe's answer, or the first part of it, is there."""
        address, conn.prober = conn.prober, None
        if address is not None:
            self._under_way[address] -= 1
            self._under_way += Counter()  # without those that have none
