"""Outbox of a connection, sent as far as its client takes it. Nothing here waits."""

from __future__ import annotations

import os
import socket
import tempfile
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, TypeAlias, cast

#: Bytes of an answer that may wait in memory once it is complete; more of it goes to a file.
IN_MEMORY = 256 * 1024
#: Bytes of one of our files, about: what has been sent of one takes room until all of it is.
_FILE = 8 * 1024 * 1024
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
    all that were sent since the connection began. While it ``is_held`` nothing is sent.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._parts: deque[_Part] = deque()
        self._kept: deque[_FilePart] = deque()  # what was put away, as long as it is not sent
        self.is_held = False
        self.pending = 0
        self.in_file = 0
        self.sent = 0

    @property
    def is_empty(self) -> bool:
        """True if all is sent."""
        return not self._parts

    @property
    def has_to_send(self) -> bool:
        """True if there is more that the client may have."""
        return bool(self._parts) and not self.is_held

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
            while self.has_to_send and self.sent < end:
                part = self._parts[0]
                if isinstance(part, _FilePart):
                    self._send_file(part)
                else:
                    self._send_pieces()
        except (BlockingIOError, InterruptedError):
            return

    def put_away(self) -> None:
        """Move bytes that wait in memory to a file where they are many: their client may take long. Raises OSError.

        To the end of the last such file, where that is not sent yet, and has room.
        """
        pieces = [part for part in takewhile(_in_memory, reversed(self._parts)) if isinstance(part, memoryview)]
        size = sum(map(len, pieces))
        if size <= IN_MEMORY:
            return
        before = self._parts[-1 - len(pieces)] if len(pieces) < len(self._parts) else None
        last = self._kept[-1] if self._kept else None
        if before is not None and before is not last:
            return  # a file of the application's
        has_room = last is not None and last.offset + last.count < _FILE
        kept = last if last is not None and has_room else _new_file()
        try:
            _append(kept, reversed(pieces))
        except OSError:
            if not has_room:
                os.close(kept.descriptor)
            raise  # and what could not be kept elsewhere stays
        for _ in pieces:
            self._parts.pop()
        if not has_room:
            self._parts.append(kept)
            self._kept.append(kept)
        kept.count += size
        self.pending -= size
        self._measure()

    def close(self) -> None:
        """Forget unsent bytes."""
        for part in self._parts:
            if isinstance(part, _FilePart):
                os.close(part.descriptor)
        self._parts.clear()
        self._kept.clear()
        self.pending = self.in_file = 0

    def _measure(self) -> None:
        self.in_file = sum(part.offset + part.count for part in self._kept)

    def _send_pieces(self) -> None:
        pieces = takewhile(_in_memory, islice(self._parts, _PIECES))
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
            if self._kept and part is self._kept[0]:
                self._kept.popleft()
                self._measure()


def _in_memory(part: _Part) -> bool:
    return isinstance(part, memoryview)


def _new_file() -> _FilePart:
    with tempfile.TemporaryFile() as file:
        return _FilePart(os.dup(file.fileno()), 0, 0)


def _append(part: _FilePart, pieces: Iterable[memoryview]) -> None:
    """Write pieces behind the end of a part. Raises OSError where there is no room for them."""
    end = part.offset + part.count
    for piece in pieces:
        while piece:
            count = os.pwrite(part.descriptor, piece, end)
            end += count
            piece = piece[count:]
