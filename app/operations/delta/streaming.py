"""Streams of changes: answers that go on telling what a delta would, as server-sent events (WHATWG HTML 9.2).

The data of an event are the body of a delta's answer, and its id is the token that leads on from there, so that a
client which has lost its connection goes on by ``Last-Event-ID``. No thread waits: a stream rests until the feed wakes
it, and looks each second whether its call would still be admitted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from weakref import WeakMethod

from app.definitions.definition import Definition
from app.errors import ApiError, Gone, TooManyRequests, Unavailable, from_bridge
from app.json import dumps
from app.observe import meters
from app.operations.admission import caller_of
from app.operations.call import Call
from app.operations.delta.answers import DeltaPage
from app.operations.delta.feed import Feed, Listener
from app.operations.gateway import Gateway
from app.operations.long_answers import LOOK, STOPPING, Ended, Places, Streamed
from odoo_bridge.errors import BridgeError

#: Seconds without anything else after which a client is told that the stream goes on; and after which it is asked for
#: changes even where none were seen, so that its token grows no older.
KEEP_ALIVE, ASK = 15.0, 60.0
#: Milliseconds after which a client that has lost its connection is to come again, as the first line says.
_RETRY = b"retry: 2000\n\n"
#: Seconds for which what is in the way is no reason to end.
_PATIENCE = 30.0
#: Streams of a process, and of one caller of it.
MOST, EACH = 500, 250

#: Asks for the page behind a token, None for the first.
Ask = Callable[[Call, str | None], DeltaPage]


@dataclass(frozen=True, slots=True)
class Resting:
    """The server's hooks for an answer that has nothing to send; see ``serving.long_answers``."""

    rest: Callable[[float], None]
    wake: Callable[[], None]


class ChangeStream(Streamed):
    """A stream that has begun: its first page is there."""

    error = "stream_cut"

    def __init__(
        self,
        streams: ChangeStreams,
        call: Call,
        ask: Ask,
        first: DeltaPage,
        resting: Resting,
        is_ending: Callable[[], bool],
    ) -> None:
        super().__init__(streams.seconds, is_ending)
        self.records = 0
        self._streams = streams
        self._call = call
        self._ask = ask
        self._resting = resting
        self._first: DeltaPage | None = first
        self._token = first.token
        self._is_over = False
        self._has_more = False
        self._is_due = True  # there may be changes that were committed before anybody listened
        self._sent_at = self._asked_at = self._looked_at = time.monotonic()
        self._cost = 0.0
        self._failing_since: float | None = None
        # Weak: one that nobody has come to send is ended by being forgotten.
        wake = WeakMethod(self._wake)
        self._listener = Listener(first.tables, lambda: (wake() or _nobody)())
        streams.feed.listen(self._listener)

    def __next__(self) -> bytes:
        """Return the next event, or nothing, and rest then."""
        if self._is_over or self._why_it_ends():
            self._reason = None
            self._close_whole()
            raise StopIteration
        piece = self._next(time.monotonic())
        if piece:
            self._sent_at = time.monotonic()
            self._size += len(piece)
        return piece

    def meter(self, api: str, ended: Ended) -> None:
        """Count its records once it has ended."""
        meters.STREAMED_CHANGES.labels(api).inc(self.records)

    def _next(self, now: float) -> bytes:
        if self._first is not None:
            page, self._first = self._first, None
            return _RETRY + self._event(page)
        try:
            following = self._look(now)
        except (ApiError, BridgeError) as error:
            return self._failed(error if isinstance(error, ApiError) else from_bridge(error), now)
        piece = self._event(following) if following is not None else b""
        if not piece and now - self._sent_at >= KEEP_ALIVE:
            piece = b": still here\nid: %s\n\n" % self._token.encode()  # an id without data is kept, and no event
        if not self._has_more:
            self._resting.rest(LOOK)
        return piece

    def _look(self, now: float) -> DeltaPage | None:
        """Ask for what has changed where it is time for that, else look each second whether the call may go on."""
        # All streams of the process together have no more than half of the time of a thread.
        pause = 0.0 if self._has_more else max(LOOK / 2, 2 * self._cost * self._streams.feed.size)
        if (self._is_due and now - self._asked_at >= pause) or now - self._asked_at >= ASK:
            self._is_due = False
            self._streams.check(self._call)
            page = self._ask(self._call.by_now(), self._token)
            self._asked_at = self._looked_at = time.monotonic()
            self._cost = self._asked_at - now
            self._failing_since, self._listener.tables = None, page.tables
            return page
        if now - self._looked_at >= LOOK:
            self._streams.check(self._call)
            self._streams.gateway.run(self._call.by_now(), lambda env: None)
            self._failing_since, self._looked_at = None, time.monotonic()
        return None

    def _event(self, page: DeltaPage) -> bytes:
        """Return the event of a page; nothing where it tells of nothing."""
        told = page.body.get("records") or page.body.get("changes") or ()
        self._token, self._has_more = page.token, bool(page.body["more"]) or page.relation == "next"
        self._is_due = self._is_due or self._has_more
        self.records += len(told)
        return b"id: %s\ndata: %s\n\n" % (page.token.encode(), dumps(page.body)) if told else b""

    def _failed(self, error: ApiError, now: float) -> bytes:
        """Return the event that ends it, or nothing where it may pass."""
        self._failing_since = self._failing_since or now
        if error.status == Unavailable.status and now - self._failing_since < _PATIENCE:
            self._is_due = True
            self._asked_at = now
            self._resting.rest(LOOK)
            return b""
        self._is_over = True
        return b"event: end\ndata: %s\n\n" % dumps(error.to_json())

    def _wake(self) -> None:
        """Take note that there are changes."""
        self._is_due = True
        self._resting.wake()

    def _release(self) -> None:
        self._streams.feed.leave(self._listener)


def _nobody() -> None:
    """Wake nobody."""


class ChangeStreams:
    """Begins streams of changes."""

    def __init__(
        self, gateway: Gateway, feed: Feed, seconds: float, current: Callable[[int], Definition | None]
    ) -> None:
        """``seconds`` is the longest time of one; ``current`` returns the present definition of an API by its id."""
        self.gateway = gateway
        self.feed = feed
        self.seconds = seconds
        self._current = current
        self._places = Places(
            MOST,
            EACH,
            "streams",
            partial(TooManyRequests, name="too_many_streams"),
            partial(Unavailable, name="streams_busy"),
        )

    def begin(
        self, call: Call, token: str | None, ask: Ask, resting: Resting, is_ending: Callable[[], bool]
    ) -> ChangeStream:
        """Admit a call, and ask for its first page. Raises ApiError and BridgeError: nothing is sent then."""
        if is_ending():
            raise Unavailable(STOPPING, name="stopping")
        first = ask(call, token)
        principal = call.report.principal
        give_back = self._places.take(caller_of(call, principal) if principal else "")
        try:
            stream = ChangeStream(self, call, ask, first, resting, is_ending)
        except BaseException:
            give_back()
            raise
        stream.on_end(lambda ended: give_back())
        return stream

    def check(self, call: Call) -> None:
        """Raise Gone where the API is another one by now, and Unavailable where it is served no longer."""
        current = self._current(call.definition.id)
        if current is None:
            raise Gone("The API is no longer served.", name="stream_over")
        if current.revision != call.definition.revision:
            raise Gone("The API has been changed. Begin with a new pass, without token.")
