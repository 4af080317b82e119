"""The process that delivers webhooks, beside the server of `make serve`: started again where it ends by itself."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from dev import paths, web
from dev.steps import say

COMMAND = (sys.executable, "-m", "flask", "webhook", "run")
#: Seconds until it is started again, at first and at most, and after which it counts as one that works.
_PAUSE, _LONGEST_PAUSE, _WORKS = 1.0, 60.0, 60.0


def log() -> Path:
    """The file with its output."""
    return paths.LOGS / "webhooks.log"


class Delivery:
    """The process, from one start to the next."""

    def __init__(self, env: Mapping[str, str], output: BinaryIO) -> None:
        self._env = env
        self._output = output
        self._pause = _PAUSE
        self._started = 0.0
        self._again: float | None = None
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self._started, self._again = time.monotonic(), None
        return web.start(COMMAND, self._env, self._output)

    def look(self) -> None:
        """Start it again some time after its end; called about once a second."""
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if self._again is None:
            self._pause = _PAUSE if now - self._started > _WORKS else min(2 * self._pause, _LONGEST_PAUSE)
            self._again = now + self._pause
            how = web.end_of(self.process.returncode)
            say(f"The process that delivers webhooks {how}; it is started again. Its log: {log()}")
        elif now >= self._again:
            self.process = self._start()


@contextlib.contextmanager
def beside(server: subprocess.Popen[bytes], env: Mapping[str, str]) -> Iterator[Delivery]:
    """Keep it running while the block runs; then it is stopped together with the server, which waits for nothing."""
    log().parent.mkdir(parents=True, exist_ok=True)
    with log().open("wb") as output:
        delivery = Delivery(env, output)
        try:
            yield delivery
        finally:
            web.stop(delivery.process, server)
