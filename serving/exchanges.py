"""Exchanges of a worker with its clients, from the first byte to the last."""

from __future__ import annotations

import math
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.http.wsgi import Response
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from serving import probes
from serving.answer import BACKLOG, Answer, Application
from serving.arrivals import Arrivals
from serving.callers import Callers
from serving.connection import ClientConnection
from serving.endings import LINGER_SECONDS, Endings
from serving.environ import environ_of
from serving.incoming import UNREAD
from serving.options import Options
from serving.places import READ, WRITE, Places
from serving.probes import Probes
from serving.refusals import Refusal
from serving.request import Request
from serving.turns import Turns

#: Seconds that a request waits for others of its caller: longer than a database that is away keeps one waiting.
HOLD_SECONDS = 15.0


class Exchanges:
    """The connections of one worker. All is done by the event loop, but ``make``.

    The application calls ``gatehouse.vouch`` of the environment, where it is there, with the name of who calls, once it
    has found the request's credential good.
    """

    def __init__(
        self, options: Options, cfg: Any, log: Any, application: Application, places: Places, defer: Any
    ) -> None:
        """``defer(function, *arguments)``, called by a thread, has the loop call a function."""
        self.places = places
        self.begun = 0  # requests
        self.is_ending = False
        self._options = options
        self._cfg = cfg
        self.log = log
        self._application = application
        self._defer = defer
        self._busy = 0  # threads that make answers
        self._probes = Probes()
        self._callers = Callers(options.proxies, options.place_of)
        self._turns = Turns(options.at_once)
        self._endings = Endings(places, self._turns, options.on_refusal, options.max_in_files)
        self._arrivals = Arrivals(places, self._endings, cfg.keepalive, self._queue, self._turns.again)
        self._due: OrderedDict[ClientConnection, None] = OrderedDict()  # in the order of their clients' events

    def start(self) -> None:
        """Start the threads of the probes; after the fork."""
        self._probes.start()

    def end(self) -> None:
        """Answer the requests that are there and come at once, but keep no connection."""
        self.is_ending = True
        self._arrivals.keepalive = min(self._cfg.keepalive, STOP_KEEPALIVE_LINGER)
        # A stop waits for requests, not for connections that may bring one. Who was told that the connection is kept
        # may be sending its next request already: that one is answered with "Connection: close".
        for conn in self.places.idle:
            conn.deadline = min(conn.deadline, time.monotonic() + STOP_KEEPALIVE_LINGER)
        for conn in [*self.places.sending, *self.places.resting]:
            if self._is_cut_short(conn.answer):
                self._step(self._endings.close, conn)
        for conn in [*self.places.taking, *self.places.receiving]:
            if conn.incoming is not None:
                self._step(self._arrivals.answer_more, conn)  # which says so to its client

    @property
    def connections(self) -> int:
        """Connections that have not been closed."""
        return self._endings.connections

    @property
    def is_done(self) -> bool:
        """True if nothing is left to be done: no connection, and no answer of one that has gone."""
        return self.connections <= 0 and not self._turns and not self._busy

    @property
    def load(self) -> int:
        """Load of the worker. Where all threads are busy, another worker may have one that is free."""
        return self.connections + (self._cfg.worker_connections if self._busy >= self._cfg.threads else 0)

    @property
    def has_due(self) -> bool:
        """True if there is more to do for what has come already."""
        return bool(self._due or self._arrivals)

    @property
    def has_turn(self) -> bool:
        """True if a request can be answered now."""
        return bool(self._turns) and self._busy < self._cfg.threads

    # What the loop calls.

    def take(self, sock: socket.socket, client: Any, server: Any) -> None:
        """Take a new connection, and what it has sent."""
        if self.connections >= self._cfg.worker_connections:
            self.make_room()
        self._endings.connections += 1
        options = self._options
        conn = ClientConnection(
            sock, client, server, options.max_body, max_stream=options.max_stream, plain_requests=options.plain
        )
        self.receive(conn)

    def receive(self, conn: ClientConnection) -> None:
        """Go on with what a client has sent."""
        self._step(self._arrivals.receive, conn)

    def make_room(self) -> None:
        """Close the connection that has the least to lose."""
        conn = self.places.expendable()
        if conn is not None:
            self._step(self._endings.close, conn)

    def on_client(self, conn: ClientConnection) -> None:
        """A client has sent something, takes more, or has hung up: it is its turn once those before have had theirs."""
        self._due[conn] = None

    def go_on(self, seconds: float) -> None:
        """Serve the connections that are due, for some time; those left are the first in the next round.

        One who has sent much at once, in tiny pieces, has a turn for each of those who have not.
        """
        ends = time.monotonic() + seconds
        while self.has_due and time.monotonic() < ends:
            if self._due:
                self._step(self._on_client, self._due.popitem(last=False)[0])
            if self._arrivals:
                self._step(self._arrivals.go_on, self._arrivals.next_unread())

    def next_turn(self) -> ClientConnection | None:
        """Return the connection whose answer is to be made now; None where there is none, or all threads make some."""
        if not self.has_turn:
            return None
        self._busy += 1
        return self._turns.next()

    def wake(self) -> None:
        """Have all answers that rest asked for more: the application may want to end them by now."""
        for conn in self.places.resting:
            if conn.answer is not None:
                conn.answer.rest.wake()

    def drop_late(self, now: float) -> None:
        """Drop those whose time is over, but let answers go on whose rest is."""
        for conn in list(self.places.late(now)):
            self._step(self._drop_late, conn)

    def close(self) -> None:
        """Close all connections that wait for something."""
        for conn in self.places.all():
            self._step(self._endings.close, conn)

    def _step(self, step: Callable[[ClientConnection], None], conn: ClientConnection) -> None:
        """Do something for one connection, and let an error of ours be the end of no other."""
        try:
            step(conn)
        except Exception:
            self.log.exception("Unexpected error of a connection")
            if not conn.is_gone:
                self._endings.close(conn)

    def _drop_late(self, conn: ClientConnection) -> None:
        """Drop a connection whose client is too slow; who began a request and did not end it is told so."""
        if conn.place in (self.places.receiving, self.places.taking):
            self._arrivals.miss(conn)
        elif conn.place is self.places.held:
            self._endings.refuse(
                conn, Refusal(429, f"This caller has more than {self._options.at_once} requests under way.")
            )
        elif conn.place is self.places.resting and (conn.outbox.is_empty or self._fetch_by(conn) > time.monotonic()):
            self._send(conn)
        elif conn.place is self.places.sending and (fetch_by := self._fetch_by(conn)) > time.monotonic():
            # It has taken enough of what the system has for it, which tells us no sooner than when much of it is gone.
            self.places.wait(conn, self.places.sending, fetch_by, conn.events)
        else:
            self._endings.close(conn)

    # Requests.

    def _on_client(self, conn: ClientConnection) -> None:
        """A client has sent something, takes more, or has hung up."""
        if conn.is_gone or not conn.events:  # the event is older than what it waits for now
            return
        if conn.place is None:  # it is being answered: what comes meanwhile is for later
            self.places.watch(conn, 0)
        elif conn.place is self.places.sending:
            if conn.incoming is not None and conn.events & READ and not conn.discard():
                conn.incoming.end()  # it may still read
            self._send(conn)
        elif conn.place is self.places.resting:
            if conn.events & READ and not conn.receive_ahead():
                self._endings.close(conn)
            else:
                self._send(conn)
        elif conn.place is self.places.taking:
            self._arrivals.receive_more(conn)
        elif conn.place is not self.places.closing:
            self._arrivals.receive(conn)
        else:
            self._endings.linger(conn)

    def _queue(self, conn: ClientConnection, request: Request) -> None:
        """Let a request be answered in its turn."""
        try:
            environ = environ_of(request, conn.client, conn.server)
        except Refusal as refusal:
            self._endings.refuse(conn, refusal)
            return
        self.begun += 1
        last = self.is_ending or self.connections >= self._cfg.worker_connections
        response = Response(request, conn.outbox, self._cfg)
        environ["gatehouse.is_ending"] = lambda: self.is_ending
        # A proxy may send no more of a request once its answer has begun (nginx does, where it had to wait).
        waits, on_wake = self._options.proxies > 0, partial(self._defer, self._on_wake, conn)
        conn.begin_answer(Answer(request, environ, conn.outbox, response, last=last, waits=waits, on_wake=on_wake))
        headers, client, path = request.headers, environ["REMOTE_ADDR"], environ["PATH_INFO"]
        if path in probes.PATHS:
            if not self._probes.add(conn, path, self._callers.address(headers, client), self._probe):
                self._endings.refuse(conn, Refusal(429, "Too many probes of this address are waiting."))
            return
        origin = self._callers.origin(headers, client)
        conn.credential = origin.credential
        if origin.credential is not None and not origin.is_known:
            environ["gatehouse.vouch"] = partial(self._defer, self._callers.vouch, origin.credential)
        if not self._turns.has_room(origin.callers):
            self._endings.refuse(conn, Refusal(429, "Too many requests are waiting."))
        elif not self._turns.add(conn, origin.callers):
            self.places.wait(conn, self.places.held, time.monotonic() + HOLD_SECONDS, 0)

    @staticmethod
    def _fetch_by(conn: ClientConnection) -> float:
        """Return until when an answer has to be fetched."""
        return min(conn.fetch_by(), conn.answer.ends_at if conn.answer is not None else math.inf)

    def _is_cut_short(self, answer: Answer | None) -> bool:
        """True for a long answer that the end of the worker leaves a part; others say by themselves that they are."""
        if answer is None or answer.finished or answer.takes_in:
            return False
        return self.is_ending and answer.is_long

    # Answers.

    def make(self, conn: ClientConnection) -> None:
        """Make the next part of an answer, beside the loop; ``made`` is what the loop does then. Raises nothing."""
        answer = conn.answer
        try:
            if answer is not None and conn.is_gone:
                answer.close()
            elif answer is not None:
                answer.advance(self._application)
        except OSError:
            self.log.debug("The client has gone before the end of its answer")
            conn.cut()
        except BaseException:
            self.log.exception("Unexpected error of a connection")
            conn.cut()

    def made(self, conn: ClientConnection) -> None:
        """A thread is free again: others may have their turn. A long answer keeps none of its caller's waiting."""
        self._busy -= 1
        if conn.is_gone or conn.answer is None or conn.answer.finished or conn.answer.is_long:
            if conn.answer is not None and conn.answer.status == 401 and conn.credential is not None:
                self._callers.forget(conn.credential)
            for following in self._turns.done(conn):
                self.places.leave(following)
        self._answered(conn)

    def _probe(self, conn: ClientConnection) -> None:
        """In a thread of the probes: make the next part of an answer."""
        try:
            self.make(conn)
        finally:
            self._defer(self._probed, conn)

    def _probed(self, conn: ClientConnection) -> None:
        """A part of a probe's answer is there."""
        self._probes.done(conn)
        self._answered(conn)

    def _on_wake(self, conn: ClientConnection) -> None:
        """An answer is woken. One that does not rest, or another by now on this connection, does what it does."""
        if conn.place is self.places.resting:
            self._step(self._send, conn)

    def _answered(self, conn: ClientConnection) -> None:
        """A part of an answer is there: send it."""
        if not conn.is_gone:
            self._step(self._send, conn)

    def _send(self, conn: ClientConnection) -> None:
        """Send as much as the client takes; go on with the answer, or with the next request of this connection."""
        answer, outbox = conn.answer, conn.outbox
        try:
            if not outbox.is_empty:
                outbox.flush()
        except OSError:
            self._endings.close(conn)
            return
        if answer is None:
            return
        if self._is_cut_short(answer):
            self._endings.close(conn)
            return
        if conn.incoming is not None and self._fills(conn):
            conn.incoming.fail(UNREAD)
        if answer.wants_more:
            self._arrivals.collect_more(conn)
            return
        if not outbox.is_empty and (answer.finished or (outbox.pending > BACKLOG // 2 and not answer.takes_in)):
            self._await_fetching(conn)
            return
        if not answer.finished and outbox.is_empty:
            conn.wait_for_server()
        if answer.rests:
            self._await_more(conn, answer)
            return
        self.places.leave(conn)
        if not answer.finished:
            self._turns.again(conn)
        elif answer.keeps:
            conn.next_request()
            if conn.reader.has_begun:
                self._arrivals.collect(conn)
            else:
                self._arrivals.idle(conn)
        else:
            self._endings.hang_up(conn)

    def _fills(self, conn: ClientConnection) -> bool:
        """True if the answers to a body that comes in take more room than there is for one, or than is left for all."""
        most, in_file = self._options.max_in_files, conn.outbox.in_file
        return in_file > most // 2 or (in_file > 0 and self.places.in_file > most * 3 // 4)

    def _await_fetching(self, conn: ClientConnection) -> None:
        """Wait for the client to fetch what there is of its answer, and read on where it has not sent all before."""
        conn.lingers_until = conn.lingers_until or time.monotonic() + LINGER_SECONDS
        self.places.wait(conn, self.places.sending, self._fetch_by(conn), WRITE | (READ if conn.sends_on else 0))
        self._endings.bound_files()

    def _await_more(self, conn: ClientConnection, answer: Answer) -> None:
        """Wait until there is more of an answer. Its client may hang up, fetch what there is, or ask for the next one.

        Who has sent much of that is read no further: that it has gone shows when a piece of the answer can't be sent.
        """
        by = answer.rest.until if conn.outbox.is_empty else min(answer.rest.until, self._fetch_by(conn))
        events = (READ if conn.reads_ahead else 0) | (WRITE if conn.outbox.has_to_send else 0)
        self.places.wait(conn, self.places.resting, by, events)
