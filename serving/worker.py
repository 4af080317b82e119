"""gunicorn's thread worker, made patient and quick (gunicorn 27: gunicorn/workers/gthread.py).

gunicorn's own gives each new connection a thread, which waits up to 5 s for the first byte and without an end for the
rest: a few clients that send a byte a second hold all threads. Here the event loop collects requests up to 64 KiB, with
a limit of time; larger bodies are read by threads, of which uploads may take half.

gunicorn's own hands each request from the event loop to another thread, and its end back. Here the thread that has the
event loop answers the request itself, and passes the loop on only where that takes long: see ``serving.relay``.
"""

from __future__ import annotations

import errno
import resource
import selectors
import signal
import socket
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from odoo_bridge.memory import Slack
from serving.balance import Board
from serving.connection import Connection, Place
from serving.relay import Relay

#: Seconds that a client has to send its request's head and a body of up to 64 KiB.
REQUEST_SECONDS = 10.0
#: Seconds that a client has to hang up after an answer with "Connection: close".
CLOSE_SECONDS = 2.0
#: Seconds between two looks for connections whose time is over.
TIDY_SECONDS = 0.5
#: Seconds between two looks at the memory that could be given back.
MEMORY_SECONDS = 5.0
#: Seconds that a worker leaves a new connection to one that has fewer.
LEAVE_SECONDS = 0.003
#: Files that a worker may have open, where the system allows: a connection is one.
FILES = 16_384


def allow_files() -> None:
    """Raise this process's limit of open files to FILES or to what it may be; workers inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The main thread gets the signals and watches; the relay's threads serve.

    Only the thread that leads touches the event loop and the lists of connections; ``handle``, which is gunicorn's, may
    still run in one that has led.
    """

    board = Board()  # of this arbiter's workers: the module is imported before any is forked

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._relay = Relay(self.cfg.threads, self._lead)
        self._leaves_until = float("-inf")
        self._has_left = False
        self._uploads = 0
        self._ready: deque[Connection] = deque()
        self._waiting_uploads: deque[Connection] = deque()
        # Connections that wait for their client: for the next request, for the rest of one, and for the end.
        self.keepalived_conns: Place = {}
        self.pending_conns: Place = {}
        self._closing: Place = {}
        self._tidied = float("-inf")
        self._stops_at: float | None = None

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker does not do."""
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise RuntimeError("TLS ends at the reverse proxy, not here: see deploy/nginx.conf.")

    def get_thread_pool(self) -> None:
        """gunicorn's own threads are not needed: the relay has its own."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: serve what has begun, then end."""
        super().handle_exit(sig, frame)
        self._relay.wake()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGQUIT, SIGINT: end now."""
        super(ThreadWorker, self).handle_quit(sig, frame)

    def run(self) -> None:
        """In the main thread: let the relay serve until all is done after a signal to stop."""
        wake_up = self.method_queue.run_callbacks
        self.poller.register(self.method_queue.fileno(), selectors.EVENT_READ, wake_up)
        self._relay.start()
        slack, looked = Slack(), time.monotonic()
        while not self._relay.is_over:
            self.notify()
            self._relay.watch()
            if time.monotonic() - looked > MEMORY_SECONDS:
                looked = time.monotonic()
                slack.give_back()
            if self.alive and not self.is_parent_alive():
                self.handle_exit(signal.SIGTERM, None)
        if self._relay.error is not None:
            raise self._relay.error
        for conn in [*self.keepalived_conns, *self.pending_conns, *self._closing]:
            self._close(conn)
        self.poller.close()
        self.method_queue.close()
        for listener in self.sockets:
            listener.close()

    def _lead(self) -> None:
        """Run the event loop in this thread, for as long as it leads."""
        while not self._is_done():
            if self._ready and self._relay.has_room:
                conn = self._ready.popleft()
                if not self._relay.run(partial(self._answer, conn), long=conn.upload):
                    self.method_queue.defer(self._answered, conn)
                    return
                self._answered(conn)
            else:
                self._look()
        self._relay.stop()

    def _is_done(self) -> bool:
        """Whether a worker that is to stop has nothing to do any more, or no more time for it."""
        if self.alive:
            return False
        now = time.monotonic()
        if self._stops_at is None:
            self._stops_at = now + self.cfg.graceful_timeout
            # A stop waits for requests, not for connections that may bring one. Who was told that the connection is
            # kept may be sending its next request already: that one is answered with "Connection: close".
            for conn in [*self.keepalived_conns, *self.pending_conns]:
                conn.timeout = min(conn.timeout, now + STOP_KEEPALIVE_LINGER)
        return self.nr_conns <= 0 or now > self._stops_at

    def _look(self) -> None:
        """Wait for what happens next, and take note of it."""
        now = time.monotonic()
        leaves = now < self._leaves_until
        # Where all threads wait, nothing that is taken would be answered; another worker may have one that is free.
        has_room = self.nr_conns < self.worker_connections and self._relay.has_room
        self.set_accept_enabled(self.alive and has_room and not leaves)
        self.board.write(self.age, self.nr_conns)
        if now - self._tidied >= TIDY_SECONDS:
            self._tidied = now
            self._close_late(now)
        self.wait_for_and_dispatch_events(LEAVE_SECONDS if leaves else TIDY_SECONDS)

    def accept(self, listener: Any) -> None:
        """Take a new connection, and what it has sent; at first leave it to a worker that has fewer."""
        self.board.write(self.age, self.nr_conns)
        now = time.monotonic()
        if self.board.is_freer(self.nr_conns) and not (self._has_left and now - self._leaves_until < LEAVE_SECONDS):
            self._leaves_until, self._has_left = now + LEAVE_SECONDS, True
            return
        self._has_left = False  # nobody else took this one
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self.log.error("No file is left for a new connection: raise the limit of open files")
                time.sleep(0.05)
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        self._collect(Connection(self.cfg, sock, address, listener.getsockname()))

    def _collect(self, conn: Connection, deadline: float | None = None) -> None:
        """Read what is there; a request that is complete is ready to be answered, another one waits for more."""
        if not conn.receive():
            self._close(conn)
        elif conn.complete():
            self._queue(conn)
        else:
            # Where a request began, the time runs from there.
            self._wait(conn, self.pending_conns, deadline or time.monotonic() + REQUEST_SECONDS)

    def _wait(self, conn: Connection, place: Place, deadline: float) -> None:
        """Let a connection wait for its client in ``place``, until ``deadline``."""
        conn.timeout = deadline
        conn.place = place
        place[conn] = None
        if not conn.watched:
            conn.watched = True
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_readable, conn))

    def _on_readable(self, conn: Connection, client: Any) -> None:
        """A client has sent something, or hung up."""
        place, conn.place = conn.place, None
        if place is None:  # it is being answered: what comes meanwhile is for later
            self._unwatch(conn)
            return
        del place[conn]
        if place is self._closing:
            self._discard(conn)
        else:
            self._collect(conn, conn.timeout if place is self.pending_conns else None)

    def _unwatch(self, conn: Connection) -> None:
        # A connection that is answered in short stays where the poller has it: nobody looks there meanwhile.
        if conn.watched:
            conn.watched = False
            self.poller.unregister(conn.sock)

    def _queue(self, conn: Connection) -> None:
        """Let a request be answered in its turn; uploads have half of the threads at most."""
        if conn.upload:
            if self._uploads >= max(1, self.cfg.threads // 2):
                self._waiting_uploads.append(conn)
                return
            self._uploads += 1
        self._ready.append(conn)

    def _answer(self, conn: Connection) -> None:
        """Answer a request; the only thing that another thread than the leader does."""
        conn.kept = False
        try:
            kept = bool(self.handle(conn))
            conn.sock.flush()
            conn.kept = kept
        except OSError:
            self.log.debug("The client has gone before the end of its answer")
        except BaseException:
            self.log.exception("Unexpected error of a connection")

    def _answered(self, conn: Connection) -> None:
        """Close the connection of an answered request, or wait for the next one."""
        if conn.upload:
            conn.upload = False
            self._uploads -= 1
            if self._waiting_uploads:
                self._queue(self._waiting_uploads.popleft())
        if not conn.kept:
            self._hang_up(conn)
            return
        conn.sock.setblocking(False)
        conn.received += conn.parser.unreader.take_buffered()  # of the next request, sent without a wait
        if conn.complete():
            self._queue(conn)
        elif conn.received:
            self._wait(conn, self.pending_conns, time.monotonic() + REQUEST_SECONDS)
        else:
            patience = self.cfg.keepalive if self.alive else min(self.cfg.keepalive, STOP_KEEPALIVE_LINGER)
            self._wait(conn, self.keepalived_conns, time.monotonic() + patience)

    def _hang_up(self, conn: Connection) -> None:
        """Close an answered connection once the client has read it all (RFC 9112 9.6).

        A close with bytes unread would reset the connection, and the client lose the answer. gunicorn waits for the
        client's end right here, up to 2 s, in which nobody else is served.
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:
            self._close(conn)
            return
        self._wait(conn, self._closing, time.monotonic() + CLOSE_SECONDS)

    def _discard(self, conn: Connection) -> None:
        """Throw away what a client sends that has its answer, until it hangs up too."""
        if conn.receive():
            conn.received.clear()
            self._wait(conn, self._closing, conn.timeout)
        else:
            self._close(conn)

    def _close_late(self, now: float) -> None:
        """Close connections that bring no request or not all of it in time, and those whose client does not hang up."""
        for place in (self.keepalived_conns, self.pending_conns, self._closing):
            for conn in [conn for conn in place if conn.timeout <= now]:
                del place[conn]
                conn.refuse()
                self._close(conn)

    def _close(self, conn: Connection) -> None:
        self._unwatch(conn)
        self.nr_conns -= 1
        conn.close()

    def leave(self) -> None:
        """In the arbiter: this worker's process has ended."""
        self.board.leave(self.age)
