"""gunicorn's thread worker, made patient: a client takes a thread when its request is there, not when it connects.

gunicorn's own gives each new connection a thread, which waits up to 5 s for the first byte and without an end for the
rest: a few clients that send a byte a second hold all threads. Here the worker's event loop collects requests up to 64
KiB, with a limit of time; larger bodies are read by threads, of which uploads may take half (gunicorn 27:
gunicorn/workers/gthread.py).
"""

from __future__ import annotations

import errno
import resource
import selectors
import socket
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from serving.balance import Board
from serving.connection import Connection

#: Seconds that a client has to send its request's head and a body of up to 64 KiB.
REQUEST_SECONDS = 10.0
#: Seconds that a client has to hang up after an answer with "Connection: close".
CLOSE_SECONDS = 2.0
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
    """All methods run in the main thread; only ``handle``, which is gunicorn's, runs in the pool's."""

    board = Board()  # of this arbiter's workers: the module is imported before any is forked

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._leaves_until = float("-inf")
        self._has_left = False
        self._uploads = 0
        self._waiting_uploads: deque[Connection] = deque()
        self._closing: deque[Connection] = deque()

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker does not do."""
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise RuntimeError("TLS ends at the reverse proxy, not here: see deploy/nginx.conf.")

    def set_accept_enabled(self, enabled: bool) -> None:
        """Look for new connections or not; see ``accept``."""
        super().set_accept_enabled(enabled and time.monotonic() >= self._leaves_until)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for what happens next, and do it."""
        if time.monotonic() < self._leaves_until:
            timeout = LEAVE_SECONDS
        self.board.write(self.age, self.nr_conns)
        super().wait_for_and_dispatch_events(timeout)

    def accept(self, listener: Any) -> None:
        """Take a new connection, and what it has sent; at first leave it to a worker that has fewer."""
        self.board.write(self.age, self.nr_conns)
        now = time.monotonic()
        if self.board.is_freer(self.nr_conns) and not (self._has_left and now - self._leaves_until < LEAVE_SECONDS):
            self._leaves_until, self._has_left = now + LEAVE_SECONDS, True
            self.set_accept_enabled(False)
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

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """A kept connection has something new."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._collect(conn)

    def on_pending_socket_readable(self, conn: Connection, client: Any) -> None:
        """More of a request is there, but perhaps not all."""
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self._collect(conn, conn.timeout)

    def _collect(self, conn: Connection, deadline: float | None = None) -> None:
        """Read what is there; a request that is complete goes to a thread, another one waits for more."""
        if not conn.receive():
            self._close(conn)
        elif conn.complete():
            self.enqueue_req(conn)
        else:
            self._wait(conn, deadline)

    def _wait(self, conn: Connection, deadline: float | None = None) -> None:
        # Where a request began, the time runs from there. The order in the queue is by the last byte, which is later.
        conn.timeout = deadline or time.monotonic() + REQUEST_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def enqueue_req(self, conn: Connection) -> None:
        """Give a request to a thread; uploads have half of the threads at most."""
        if conn.upload:
            if self._uploads >= max(1, self.cfg.threads // 2):
                self._waiting_uploads.append(conn)
                return
            self._uploads += 1
        super().enqueue_req(conn)

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """A request is answered: close its connection, or wait for the next one."""
        if conn.upload:
            conn.upload = False
            self._uploads -= 1
            if self._waiting_uploads:
                self.enqueue_req(self._waiting_uploads.popleft())
        try:
            keep = not fs.cancelled() and fs.result()
        except Exception:
            self.log.exception("Unexpected error of a connection")
            keep = False
        if not keep:
            self._hang_up(conn)
            return
        conn.sock.setblocking(False)
        conn.received += conn.parser.unreader.take_buffered()  # of the next request, sent without a wait
        if conn.complete():
            self.enqueue_req(conn)
        elif conn.received:
            self._wait(conn)
        else:
            conn.set_timeout()
            if not self.alive:
                conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
            self.keepalived_conns.append(conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_client_socket_readable, conn))

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
        conn.timeout = time.monotonic() + CLOSE_SECONDS
        self._closing.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_closing_socket_readable, conn))

    def _on_closing_socket_readable(self, conn: Connection, client: Any) -> None:
        there = conn.receive()
        conn.received.clear()
        if not there:
            self._closing.remove(conn)
            self.poller.unregister(client)
            self._close(conn)

    def murder_pending(self) -> None:
        """Close connections whose request did not come in time, and those whose client does not hang up."""
        now = time.monotonic()
        for waiting in (self.pending_conns, self._closing):
            for conn in [conn for conn in waiting if conn.timeout <= now]:
                waiting.remove(conn)
                self.poller.unregister(conn.sock)
                conn.refuse()
                self._close(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """A stop waits for requests, not for connections that may bring one."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def _close(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()

    def leave(self) -> None:
        """In the arbiter: this worker's process has ended."""
        self.board.leave(self.age)
