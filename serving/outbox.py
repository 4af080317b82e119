"""Outbox of a connection, sent as far as its client takes it. Nothing here waits."""

from __future__ import annotations

import os
import socket
import tempfile
from collections import deque
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, TypeAlias, cast

#: Bytes of an answer that may wait in memory once it is complete; more of it goes to a file.
IN_MEMORY = 256 * 1024
#: Pieces in one call of the system, and bytes that are sent in one turn: others want theirs.
_PIECES, _TURN = 64, 1024 * 1024


@dataclass(slots=True)
class _FilePart:
    descriptor: int
    offset: int
    count: int


_Part: TypeAlias = "memoryview | _FilePart"


class Outbox:
    """Takes an answer in pieces, as gunicorn's Response writes it (``sendall``, ``sendfile``).

    ``pending`` are the bytes in memory that are not sent yet, ``in_file`` those that were put into a file, ``sent``
    all that were sent since the connection began.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._parts: deque[_Part] = deque()
        self.pending = 0
        self.in_file = 0
        self.sent = 0

    @property
    def is_empty(self) -> bool:
        """True if all is sent."""
        return not self._parts

    def sendall(self, data: bytes) -> None:
        """Take a piece of the answer."""
        if data:
            self._parts.append(memoryview(data))
            self.pending += len(data)

    def sendfile(self, file: Any, offset: int, count: int) -> None:
        """Take a part of a file, which may be closed then."""
        if count:
            self._parts.append(_FilePart(os.dup(file.fileno()), offset, count))

    def flush(self) -> None:
        """Send as much as the client takes now. Raises OSError where it is gone."""
        end = self.sent + _TURN
        try:
            while self._parts and self.sent < end:
                part = self._parts[0]
                if isinstance(part, _FilePart):
                    self._send_file(part)
                else:
                    self._send_pieces()
        except (BlockingIOError, InterruptedError):
            return
        if not self._parts:
            self.in_file = 0

    def put_away(self) -> None:
        """Move bytes that wait in memory to a file where they are many: their client may take long. Raises OSError."""
        if self.pending <= IN_MEMORY or any(isinstance(part, _FilePart) for part in self._parts):
            return
        with tempfile.TemporaryFile() as file:
            file.writelines(part for part in self._parts if isinstance(part, memoryview))
            file.flush()
            descriptor = os.dup(file.fileno())  # and not before, what can't be kept elsewhere stays
        self._parts.clear()
        self._parts.append(_FilePart(descriptor, 0, self.pending))
        self.in_file, self.pending = self.pending, 0

    def close(self) -> None:
        """Forget unsent bytes."""
        for part in self._parts:
            if isinstance(part, _FilePart):
                os.close(part.descriptor)
        self._parts.clear()
        self.pending = self.in_file = 0

    def _send_pieces(self) -> None:
        pieces = takewhile(lambda part: isinstance(part, memoryview), islice(self._parts, _PIECES))
        count = self._sock.sendmsg(pieces)  # type: ignore[arg-type]  # none of them is a file
        self.sent += count
        self.pending -= count
        while count:
            piece = cast("memoryview", self._parts.popleft())
            if len(piece) > count:
                self._parts.appendleft(piece[count:])
                return
            count -= len(piece)

    def _send_file(self, part: _FilePart) -> None:
        count = os.sendfile(self._sock.fileno(), part.descriptor, part.offset, min(part.count, _TURN))
        if not count:
            raise ConnectionAbortedError("The file is shorter than it was.")
        self.sent += count
        part.offset += count
        part.count -= count
        if not part.count:
            self._parts.popleft()
            os.close(part.descriptor)
