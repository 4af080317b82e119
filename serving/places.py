"""Places of connections that wait for their clients: for what, and for how long at most."""

from __future__ import annotations

import selectors
from collections.abc import Iterator
from typing import TypeAlias

from serving.connection import ClientConnection

Place: TypeAlias = dict[ClientConnection, None]

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Places:
    """The connections of one worker, and the poller that watches them; the oldest stand first in their place.

    ``idle`` wait for a request, ``receiving`` for the rest of one, ``held`` for other requests of the caller,
    ``taking`` for more of a body whose answer has begun, ``resting`` for the time when there is more of an answer,
    ``sending`` for the answer to be fetched, ``closing`` for the client's end. In none is one that is being answered.
    """

    def __init__(self, poller: selectors.BaseSelector) -> None:
        self._poller = poller
        self.idle: Place = {}
        self.receiving: Place = {}
        self.held: Place = {}
        self.taking: Place = {}
        self.resting: Place = {}
        self.sending: Place = {}
        self.closing: Place = {}
        self._places = (
            self.idle, self.receiving, self.held, self.taking, self.resting, self.sending, self.closing,
        )  # fmt: skip
        self.in_file = 0  # bytes that lie on the disk for all of them

    def wait(self, conn: ClientConnection, place: Place, deadline: float, events: int) -> None:
        """Let a connection wait in a place for events of its client, until ``deadline`` (``time.monotonic``)."""
        conn.deadline = deadline
        if conn.place is not place:
            self.leave(conn)
            conn.place = place
            place[conn] = None
        self.watch(conn, events)
        self.note_files(conn)

    def leave(self, conn: ClientConnection) -> None:
        """Take a connection out of its place. It stays watched: its next wait is mostly the same, and soon."""
        if conn.place is not None:
            del conn.place[conn]
            conn.place = None

    def watch(self, conn: ClientConnection, events: int) -> None:
        """Watch a connection for events, 0 for none."""
        if events == conn.events:
            return
        if not conn.events:
            self._poller.register(conn.sock, events, conn)
        elif events:
            self._poller.modify(conn.sock, events, conn)
        else:
            self._poller.unregister(conn.sock)
        conn.events = events

    def remove(self, conn: ClientConnection) -> None:
        """Close a connection, and forget it."""
        self.leave(conn)
        self.watch(conn, 0)
        conn.close()
        self.note_files(conn)

    def note_files(self, conn: ClientConnection) -> None:
        """Count anew what lies on the disk for a connection."""
        self.in_file += conn.in_file - conn.counted
        conn.counted = conn.in_file

    def late(self, now: float) -> Iterator[ClientConnection]:
        """Yield the connections whose time is over.

        All are looked at: of two thousand that takes a tenth of a millisecond, and an order by time, which each wait
        would have to keep, takes more.
        """
        for place in self._places:
            yield from [conn for conn in place if conn.deadline <= now]

    def expendable(self) -> ClientConnection | None:
        """Return the connection that has waited longest, of those that have the least to lose."""
        # A client whose answer rests misses nothing for now, and comes again to hear of what follows. One that has sent
        # half of a request would have its answer soon, and make room by itself; those that rest stay for hours, and
        # were they kept, many of them would leave no room for any call.
        for place in (self.closing, self.idle, self.resting, self.receiving, self.sending, self.taking):
            if place:
                return next(iter(place))
        return None

    def longest_in_file(self) -> ClientConnection | None:
        """Return one whose body or answer lies on the disk: who waits for its own other requests, else the longest."""
        places = (self.held, self.receiving, self.resting, self.sending, self.taking)
        return next((conn for place in places for conn in place if conn.in_file), None)

    def all(self) -> list[ClientConnection]:
        """Return all that wait."""
        return [conn for place in self._places for conn in place]
