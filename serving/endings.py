"""Ends of connections: those that are closed, those that are refused, and those that fill the disk."""

from __future__ import annotations

import time
from collections.abc import Callable

from serving.connection import ClientConnection
from serving.places import READ, Places
from serving.refusals import Refusal
from serving.turns import Turns

#: Seconds that a client has to hang up after the last answer of its connection.
CLOSE_SECONDS = 2.0
#: Seconds that one has to find out that its body is answered, while it sends on.
LINGER_SECONDS = 300.0


class Endings:
    """The ends of one worker's connections. All is done by its event loop.

    ``connections``: those that have not been closed.
    """

    def __init__(self, places: Places, turns: Turns, on_refusal: Callable[[int], None], max_in_files: int) -> None:
        """``on_refusal`` is told the status of each refusal, ``max_in_files`` bounds the bytes on the disk for all."""
        self.connections = 0
        self._places = places
        self._turns = turns
        self._on_refusal = on_refusal
        self._max_in_files = max_in_files

    def refuse(self, conn: ClientConnection, refusal: Refusal) -> None:
        """Tell a client why its request is not served, and end the connection."""
        self._give_up(conn)
        if conn.answer is not None:
            conn.answer.close()
            conn.answer = None
        self._on_refusal(refusal.status)
        try:
            conn.refuse(refusal)
        except OSError:
            self.close(conn)
        else:
            self.hang_up(conn)

    def hang_up(self, conn: ClientConnection) -> None:
        """Close an answered connection once the client has read it all (RFC 9112 9.6).

        A close with bytes unread would reset the connection, and the client lose the answer.
        """
        try:
            conn.end_sending()
        except OSError:
            self.close(conn)
            return
        now = time.monotonic()
        conn.lingers_until = now + (LINGER_SECONDS if conn.sends_on else CLOSE_SECONDS)
        self._places.wait(conn, self._places.closing, now + CLOSE_SECONDS, READ)

    def linger(self, conn: ClientConnection) -> None:
        """A client that is to hang up has sent something, which nobody wants, or has hung up."""
        if conn.discard():
            deadline = min(time.monotonic() + CLOSE_SECONDS, conn.lingers_until)
            self._places.wait(conn, self._places.closing, deadline, READ)
        else:
            self.close(conn)

    def close(self, conn: ClientConnection) -> None:
        """Close a connection at once. The application cleans up after an answer that is not finished, in a thread."""
        self._give_up(conn)
        self.connections -= 1
        self._places.remove(conn)
        if conn.answer is not None and not conn.answer.finished:
            self._turns.again(conn)

    def bound_files(self) -> None:
        """Drop those who have been longest at a large body or answer, where all together they would fill the disk."""
        while self._places.in_file > self._max_in_files:
            conn = self._places.longest_in_file()
            if conn is None:
                return
            if conn.answer is not None and conn.place is not self._places.held:  # a part of it may have been sent
                self.close(conn)
            else:
                self.refuse(conn, Refusal(503, "Too many large requests are on their way."))

    def _give_up(self, conn: ClientConnection) -> None:
        if conn.place is self._places.held:
            self._turns.give_up(conn)
