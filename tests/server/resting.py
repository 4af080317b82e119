"""A bare application whose answers rest, and gunicorn's settings for it: one worker of ours with two threads."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from urllib.parse import parse_qs

from serving import draining

worker_class = "serving.worker.Worker"
threads = 2


def when_ready(server: Any) -> None:
    """The arbiter is there."""
    draining.install(server, float(os.environ.get("DRAIN_SECONDS", "0")))


class Events(Iterator[bytes]):
    """An answer of events, which rests while there is none."""

    open: ClassVar[set[Events]] = set()
    looks = 0

    def __init__(self, environ: dict[str, Any], seconds: float) -> None:
        self._rest = environ["gatehouse.rest"]
        self._is_ending = environ["gatehouse.is_ending"]
        self._seconds = seconds
        self._number = 0
        self.wake: Callable[[], None] = environ["gatehouse.wake"]
        self.is_told = False
        Events.open.add(self)

    def __next__(self) -> bytes:
        Events.looks += 1
        if draining.is_draining():
            raise StopIteration
        if self.is_told:
            self.is_told = False
            return b"told"
        self._rest(self._seconds)
        self._number += 1
        return b"" if self._seconds > 60 else b"look %d" % self._number

    def close(self) -> None:
        """Give back what it holds."""
        Events.open.discard(self)
        line = "closed at the end" if self._is_ending() else "closed"
        os.write(sys.stderr.fileno(), f"{line}\n".encode())  # at once: other threads write too


def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """Answer with events, tell all of one, or say how it is."""
    if environ["PATH_INFO"] == "/events":
        environ["gatehouse.long"](3600)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Events(environ, float(parse_qs(environ["QUERY_STRING"])["rest"][0]))
    if environ["PATH_INFO"] == "/tell":
        for each in list(Events.open):
            each.is_told = True
            each.wake()
    state = json.dumps({"open": len(Events.open), "looks": Events.looks}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(state)))])
    return iter([state])
