"""New connections, shared out among the workers by how loaded each is."""

from __future__ import annotations

import errno
import logging
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from serving.balance import Board

_logger = logging.getLogger(__name__)

#: Seconds that a worker leaves a new connection to one that is less loaded.
LEAVE_SECONDS = 0.003
#: Seconds without new connections after the system has refused one.
_REST = 0.1
#: Connections that are taken in one turn.
_TURN = 16


class Acceptor:
    """Takes connections from the listening sockets, which the workers share."""

    def __init__(
        self,
        poller: selectors.BaseSelector,
        listeners: Sequence[Any],
        board: Board,
        place: int,
        take: Callable[[socket.socket, Any, Any], None],
        make_room: Callable[[], None],
    ) -> None:
        """``place`` is the worker's on the board. ``take`` gets a socket, its client's address and its own."""
        self._poller = poller
        self._listeners = listeners
        self._board = board
        self._place = place
        self._take = take
        self._make_room = make_room
        self._load = 0
        self._is_open = False
        self._leaves_until = float("-inf")
        self._has_left = False
        for listener in listeners:
            listener.setblocking(False)

    def look(self, load: int, *, is_open: bool) -> float | None:
        """Publish the worker's load, and open or close its doors; return the seconds until the next look."""
        now = time.monotonic()
        self._load = load
        if is_open:
            self._board.write(self._place, load, now)
        else:
            self._board.leave(self._place)
        leaves = now < self._leaves_until
        self._set_open(is_open and not leaves)
        return LEAVE_SECONDS if leaves else None

    def accept(self, listener: Any) -> None:
        """Take new connections; at first leave one to a worker that has less, and take it if nobody has."""
        for _ in range(_TURN):
            now = time.monotonic()
            if not self._has_left and self._board.is_any_below(self._load, now):
                self._leaves_until, self._has_left = now + LEAVE_SECONDS, True
                return
            try:
                sock, client = listener.accept()
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                    _logger.error("A new connection can't be taken: %s", error)
                    self._leaves_until = now + _REST
                    if error.errno in (errno.EMFILE, errno.ENFILE):
                        self._make_room()
                return
            self._has_left = False
            self._load += 1
            self._board.write(self._place, self._load, now)
            self._take(sock, client, listener.getsockname())

    def _set_open(self, wanted: bool) -> None:
        if wanted == self._is_open:
            return
        self._is_open = wanted
        for listener in self._listeners:
            if wanted:
                self._poller.register(listener, selectors.EVENT_READ, self.accept)
            else:
                self._poller.unregister(listener)
