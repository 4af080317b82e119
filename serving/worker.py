"""gunicorn's worker: an event loop that waits for clients, and threads that answer what is here as a whole.

A thread never waits for a client. The loop reads requests to their end (``serving.framing``), and sends what a client
does not take at once (``serving.outbox``); who is too slow is dropped.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from gunicorn.workers.base import Worker as BaseWorker
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, PollableMethodQueue

from odoo_bridge.memory import Slack
from serving.acceptor import Acceptor
from serving.answer import BACKLOG, Answer
from serving.balance import Board
from serving.connection import Connection
from serving.environ import environ_of
from serving.framing import Progress, Request
from serving.places import READ, WRITE, Places
from serving.refusals import Refusal
from serving.threads import Threads
from serving.turns import Known, Turns, address_of, caller_of

#: Seconds that a client has to hang up after the last answer of its connection.
CLOSE_SECONDS = 2.0
#: Seconds that a request waits for others of its caller: longer than a database that is away keeps one waiting.
HOLD_SECONDS = 15.0
#: Seconds between two looks for connections whose time is over, and at the memory that could be given back.
TIDY_SECONDS, MEMORY_SECONDS = 0.5, 5.0
#: What is answered whatever else is under way, each by threads of its own; and how often at once for one address.
PROBES, PROBE_THREADS, PROBES_AT_ONCE = ("/healthz", "/readyz", "/metrics"), 4, 32
#: Seconds of one round over those who have sent something; then others have their turn.
ROUND_SECONDS = 0.05
#: Bodies of the largest size for which there is room on the disk, all connections together.
LARGEST_BODIES = 8


class Worker(BaseWorker):  # type: ignore[misc]  # gunicorn has no types
    """The main thread has the loop, and alone touches connections, but for the answer that a thread is making.

    Set by gunicorn.conf.py: ``max_body`` (bytes), ``proxies`` (that are believed), ``at_once`` (calls of one caller),
    ``place_of`` (what of an address one client has), and ``on_refusal``, which gets the status of each answer that the
    application has not made. The application calls ``gatehouse.vouch`` of the environment, where it is there, once it
    has found the request's credential good.
    """

    board: ClassVar = Board()  # of this arbiter's workers: the module is imported before any is forked
    max_body: ClassVar = 32 * 1024 * 1024
    proxies: ClassVar = 0
    at_once: ClassVar = 2
    place_of: ClassVar[Any] = staticmethod(str)
    on_refusal: ClassVar[Any] = staticmethod(lambda status: None)

    alive: bool
    poller: selectors.BaseSelector
    places: Places
    acceptor: Acceptor

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.deferred = PollableMethodQueue()
        self.connections = 0
        self._threads = Threads("call", self.cfg.threads)
        self._probes = {path: Threads(path, PROBE_THREADS) for path in PROBES}
        self._probing: Counter[str] = Counter()
        self._busy = 0  # threads that make answers
        self._known = Known()
        self._turns = Turns(self.at_once)
        self._unread: deque[Connection] = deque()  # with more in what they have sent than one turn
        self._stops_at: float | None = None

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker does not do."""
        if cfg.is_ssl:
            raise RuntimeError("TLS ends at the reverse proxy, not here: see deploy/nginx.conf.")

    def init_process(self) -> None:
        """Begin to serve, in the worker's own process."""
        self.poller = selectors.DefaultSelector()
        self.places = Places(self.poller)
        self.acceptor = Acceptor(self.poller, self.sockets, self.board, self.age, self._take, self._make_room)
        self.deferred.init()
        self.poller.register(self.deferred.fileno(), READ, self.deferred.run_callbacks)
        super().init_process()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: serve what has begun, then end."""
        if self.alive:
            self.alive = False
            self.deferred.defer(lambda: None)

    def run(self) -> None:
        """Serve until all is done after a signal to stop."""
        for threads in (self._threads, *self._probes.values()):
            threads.start()
        slack = Slack()
        tidied = returned = time.monotonic()
        while not self._is_done():
            self._look()
            now = time.monotonic()
            if now - tidied >= TIDY_SECONDS:
                tidied = now
                self._tidy(now)
            if now - returned >= MEMORY_SECONDS:
                returned = now
                slack.give_back()
        for conn in self.places.all():
            self._step(self._close, conn)
        for listener in self.sockets:
            listener.close()

    def leave(self) -> None:
        """In the arbiter: this worker's process has ended."""
        self.board.leave(self.age)

    # The loop.

    def _is_done(self) -> bool:
        """Whether a worker that is to stop has nothing to do any more, or no more time for it."""
        if self.alive:
            return False
        now = time.monotonic()
        if self._stops_at is None:
            self._stops_at = now + self.cfg.graceful_timeout
            # A stop waits for requests, not for connections that may bring one. Who was told that the connection is
            # kept may be sending its next request already: that one is answered with "Connection: close".
            for conn in self.places.idle:
                conn.deadline = min(conn.deadline, now + STOP_KEEPALIVE_LINGER)
        return self.connections <= 0 or now > self._stops_at

    def _look(self) -> None:
        """Wait for what happens next, and do what there is to do for it."""
        is_full = self._busy >= self.cfg.threads
        # Where all threads are busy, another worker may have one that is free.
        load = self.connections + (self.cfg.worker_connections if is_full else 0)
        patience = self.acceptor.look(load, is_open=self.alive) or TIDY_SECONDS
        events = self.poller.select(0 if self._unread else patience)
        ends = time.monotonic() + ROUND_SECONDS
        for key, _ in events:
            if not isinstance(key.data, Connection):
                key.data(key.fileobj)
        for key, _ in events:
            # Who is left out is told of again, and then comes before others.
            if isinstance(key.data, Connection) and time.monotonic() < ends:
                self._step(self._on_client, key.data)
        for _ in range(len(self._unread)):
            if time.monotonic() < ends:
                self._step(self._collect, self._unread.popleft())
        while self._turns and self._busy < self.cfg.threads:
            self._busy += 1
            self._threads.do(partial(self._make, self._turns.next(), self._made))

    def _step(self, step: Callable[[Connection], None], conn: Connection) -> None:
        """Do something for one connection, and let an error of ours be the end of no other."""
        try:
            step(conn)
        except Exception:
            self.log.exception("Unexpected error of a connection")
            if not conn.is_gone:
                self._close(conn)

    def _tidy(self, now: float) -> None:
        """Say that the worker lives, and drop those whose time is over."""
        self.notify()
        for conn in list(self.places.late(now)):
            self._step(self._drop_late, conn)
        if self.alive and self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.handle_exit(signal.SIGTERM, None)

    def _drop_late(self, conn: Connection) -> None:
        """Drop a connection whose client is too slow; who began a request and did not end it is told so."""
        if conn.place is self.places.receiving:
            self._refuse(conn, Refusal(408, "The request came too slowly."))
        elif conn.place is self.places.held:
            self._turns.give_up(conn)
            self._refuse(conn, Refusal(429, f"This caller has more than {self.at_once} requests under way."))
        else:
            self._close(conn)

    # Requests.

    def _take(self, sock: socket.socket, client: Any, server: Any) -> None:
        """Take a new connection, and what it has sent."""
        if self.connections >= self.cfg.worker_connections:
            self._make_room()
        self.connections += 1
        self._step(self._receive, Connection(sock, client, server, self.max_body))

    def _make_room(self) -> None:
        conn = self.places.expendable()
        if conn is not None:
            self._step(self._close, conn)

    def _on_client(self, conn: Connection) -> None:
        """A client has sent something, takes more, or has hung up."""
        if conn.is_gone:  # in this round
            return
        if conn.place is None:  # it is being answered: what comes meanwhile is for later
            self.places.watch(conn, 0)
        elif conn.place is self.places.sending:
            self._send(conn)
        elif conn.place is not self.places.closing:
            self._receive(conn)
        elif not conn.discard():
            self._close(conn)

    def _receive(self, conn: Connection) -> None:
        if conn.receive():
            self._collect(conn)
        else:
            self._close(conn)

    def _collect(self, conn: Connection) -> None:
        """Go on with the request that is coming in: it is here as a whole and gets its turn, or waits for more."""
        if conn.is_gone:
            return
        try:
            progress = conn.collect()
        except Refusal as refusal:
            self._refuse(conn, refusal)
        except OSError as error:
            self._fail(conn, error)
        else:
            if isinstance(progress, Request):
                self.places.leave(conn)
                self._queue(conn, progress)
            elif progress is Progress.HAS_MORE:
                self.places.wait(conn, self.places.receiving, conn.receive_by(), 0)
                self._unread.append(conn)
            elif conn.reader.has_begun:
                self.places.wait(conn, self.places.receiving, conn.receive_by(), READ)
                self._bound_files()
            else:
                patience = self.cfg.keepalive if self.alive else min(self.cfg.keepalive, STOP_KEEPALIVE_LINGER)
                self.places.wait(conn, self.places.idle, time.monotonic() + patience, READ)

    def _fail(self, conn: Connection, error: OSError) -> None:
        """The client is gone, or what it sends can't be kept."""
        if isinstance(error, (ConnectionError, TimeoutError)):
            self._close(conn)
        else:
            self.log.error("A request's body can't be kept: %s", error)
            message = "There is no room for the request's body at the moment."
            self._refuse(conn, Refusal(503, message, "storage_full"))

    def _bound_files(self) -> None:
        """Drop those who have been longest at a large body or answer, where all together they would fill the disk."""
        while self.places.in_file > LARGEST_BODIES * self.max_body:
            conn = self.places.longest_in_file()
            if conn is None:
                return
            if conn.place is self.places.receiving:
                self._refuse(conn, Refusal(503, "Too many large requests are on their way."))
            else:
                self._close(conn)

    def _queue(self, conn: Connection, request: Request) -> None:
        """Let a request be answered in its turn."""
        try:
            environ = environ_of(request, conn.client, conn.server)
        except Refusal as refusal:
            self._refuse(conn, refusal)
            return
        self.nr += 1
        if self.nr >= self.max_requests:
            self.handle_exit(signal.SIGTERM, None)
        last = not self.alive or self.connections >= self.cfg.worker_connections
        conn.begin_answer(Answer(request, environ, conn.outbox, self.cfg, last=last))
        client = environ["REMOTE_ADDR"]
        probe = self._probes.get(environ["PATH_INFO"])
        if probe is not None:
            self._probe(conn, probe, self.place_of(address_of(request.headers, client, self.proxies)))
            return
        caller, credential = caller_of(request.headers, client, self.proxies, self._known, self.place_of)
        if credential is not None and caller is not credential:
            environ["gatehouse.vouch"] = partial(self._known.add, credential)
        if not self._turns.has_room(caller):
            self._refuse(conn, Refusal(429, "Too many requests are waiting."))
        elif not self._turns.add(conn, caller):
            self.places.wait(conn, self.places.held, time.monotonic() + HOLD_SECONDS, 0)

    def _probe(self, conn: Connection, threads: Threads, address: str) -> None:
        """Let a probe be answered past all turns."""
        if self._probing[address] >= PROBES_AT_ONCE:
            self._refuse(conn, Refusal(429, "Too many probes of this address are waiting."))
            return
        conn.prober = address
        self._probing[address] += 1
        threads.do(partial(self._make, conn, self._probed))

    # Answers.

    def _make(self, conn: Connection, then: Callable[[Connection], None]) -> None:
        """In a thread: make the next part of an answer; ``then`` is what the loop does with it."""
        answer = conn.answer
        try:
            if answer is not None and conn.is_gone:
                answer.close()
            elif answer is not None:
                answer.advance(self.wsgi)
        except OSError:
            self.log.debug("The client has gone before the end of its answer")
            conn.cut()
        except BaseException:
            self.log.exception("Unexpected error of a connection")
            conn.cut()
        finally:
            self.deferred.defer(then, conn)

    def _probed(self, conn: Connection) -> None:
        """A part of a probe's answer is there."""
        address, conn.prober = conn.prober, None
        if address is not None:
            self._probing[address] -= 1
            self._probing += Counter()  # without those that have none
        self._answered(conn)

    def _made(self, conn: Connection) -> None:
        """A thread is free again: others may have their turn."""
        self._busy -= 1
        if conn.is_gone or conn.answer is None or conn.answer.finished:
            following = self._turns.done(conn)
            if following is not None:
                self.places.leave(following)
        self._answered(conn)

    def _answered(self, conn: Connection) -> None:
        """A part of an answer is there: send it."""
        if not conn.is_gone:
            self._step(self._send, conn)

    def _send(self, conn: Connection) -> None:
        """Send what the client takes; go on with the answer, or with what comes next on this connection."""
        answer, outbox = conn.answer, conn.outbox
        try:
            if not outbox.is_empty:
                outbox.flush()
        except OSError:
            self._close(conn)
            return
        if answer is None:
            return
        if not outbox.is_empty and (answer.finished or outbox.pending > BACKLOG // 2):
            self.places.wait(conn, self.places.sending, conn.fetch_by(), WRITE)
            self._bound_files()
            return
        self.places.leave(conn)
        if not answer.finished:
            self._turns.again(conn)
        elif answer.keeps:
            conn.next_request()
            self._collect(conn)
        else:
            self._hang_up(conn)

    def _refuse(self, conn: Connection, refusal: Refusal) -> None:
        """Tell a client why its request is not served, and end the connection."""
        if conn.answer is not None:
            conn.answer.close()
            conn.answer = None
        self.on_refusal(refusal.status)
        try:
            conn.refuse(refusal)
        except OSError:
            self._close(conn)
        else:
            self._hang_up(conn)

    def _hang_up(self, conn: Connection) -> None:
        """Close an answered connection once the client has read it all (RFC 9112 9.6).

        A close with bytes unread would reset the connection, and the client lose the answer.
        """
        try:
            conn.end_sending()
        except OSError:
            self._close(conn)
            return
        self.places.wait(conn, self.places.closing, time.monotonic() + CLOSE_SECONDS, READ)

    def _close(self, conn: Connection) -> None:
        self.connections -= 1
        self.places.remove(conn)
        if conn.answer is not None and not conn.answer.finished:
            self._turns.again(conn)  # the application cleans up, in a thread
