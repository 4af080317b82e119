"""gunicorn's worker: an event loop that waits for clients, and threads that lead it and answer what is here as a whole.

A thread never waits for a client. The loop reads requests to their end (``serving.framing``), and sends what a client
does not take at once (``serving.outbox``); who is too slow is dropped. Whoever leads the loop answers in between, and
another thread leads on where that takes long (``serving.crew``).
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from typing import Any, ClassVar

from gunicorn.workers.base import Worker as BaseWorker
from gunicorn.workers.gthread import PollableMethodQueue

from serving import draining
from serving.acceptor import Acceptor
from serving.balance import Board
from serving.connection import ClientConnection
from serving.crew import Crew
from serving.exchanges import Exchanges
from serving.memory import Slack
from serving.options import Options
from serving.places import READ, Places

#: Seconds between two looks for connections whose time is over, and at the memory that could be given back.
TIDY_SECONDS, MEMORY_SECONDS = 0.5, 5.0
#: Seconds for those who have sent something, and then for answers, before the loop looks again for what has happened.
ROUND_SECONDS = 0.005


class Worker(BaseWorker):  # type: ignore[misc]  # gunicorn has no types
    """A process of gunicorn's, from the fork to its end. gunicorn.conf.py sets ``options``."""

    board: ClassVar = Board()  # of this arbiter's workers: the module is imported before any is forked
    options: ClassVar = Options()

    alive: bool
    _poller: selectors.BaseSelector
    _exchanges: Exchanges
    _acceptor: Acceptor
    _crew: Crew

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deferred = PollableMethodQueue()
        self._slack = Slack()
        self._stops_at: float | None = None
        self._tidied = self._returned = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse settings of what this worker does not do."""
        if cfg.is_ssl:
            raise RuntimeError("TLS ends at the reverse proxy, not here: see deploy/nginx.conf.")

    def init_process(self) -> None:
        """Begin to serve, in the worker's own process."""
        self._deferred.init()
        super().init_process()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: serve what has begun, then end."""
        if self.alive:
            self.alive = False
            self._deferred.defer(lambda: None)

    def run(self) -> None:
        """Serve until all is done after a signal to stop."""
        self._poller = selectors.DefaultSelector()
        self._poller.register(self._deferred.fileno(), READ, self._deferred.run_callbacks)
        self._poller.register(self.PIPE[0], READ, self._on_signal)
        places, defer = Places(self._poller), self._deferred.defer
        self._exchanges = exchanges = Exchanges(self.options, self.cfg, self.log, self.wsgi, places, defer)
        self._acceptor = Acceptor(self._poller, self.sockets, self.board, self.age, exchanges.take, exchanges.make_room)
        exchanges.start()
        self._tidied = self._returned = time.monotonic()
        self._crew = Crew("call", self.cfg.threads + 1, self._lead, self.options.brief)
        self._crew.run()
        exchanges.close()
        for listener in self.sockets:
            listener.close()

    def leave(self) -> None:
        """In the arbiter: this worker's process has ended."""
        self.board.leave(self.age)

    def _is_done(self) -> bool:
        """True if a worker that is to stop has nothing to do any more, or no more time for it."""
        exchanges = self._exchanges
        if exchanges.begun >= self.max_requests:
            self.alive = False
        if self.alive:
            return False
        if self._stops_at is None:
            self._stops_at = time.monotonic() + self.cfg.graceful_timeout
            exchanges.end()
        return exchanges.is_done or time.monotonic() > self._stops_at

    def _lead(self) -> bool:
        """Lead the loop until another thread does; return True where all is done."""
        exchanges = self._exchanges
        while not self._is_done():
            self._look()
            ends = time.monotonic() + ROUND_SECONDS
            while time.monotonic() < ends and (conn := exchanges.next_turn()) is not None:
                self._crew.leave()
                exchanges.make(conn)
                if not self._crew.come_back():
                    self._deferred.defer(exchanges.made, conn)
                    return False
                exchanges.made(conn)
        return True

    def _look(self) -> None:
        """Wait for what happens next, where there is nothing to do yet, and do what there is to do for it."""
        exchanges = self._exchanges
        patience = self._acceptor.look(exchanges.load, is_open=self.alive) or TIDY_SECONDS
        for key, _ in self._poller.select(0 if exchanges.has_due or exchanges.has_turn else patience):
            if isinstance(key.data, ClientConnection):
                exchanges.on_client(key.data)
            else:
                key.data(key.fileobj)
        exchanges.go_on(ROUND_SECONDS)
        now = time.monotonic()
        if now - self._tidied >= TIDY_SECONDS:
            self._tidied = now
            self._tidy(now)
        if now - self._returned >= MEMORY_SECONDS:
            self._returned = now
            self._slack.give_back()

    def _on_signal(self, pipe: int) -> None:
        """A signal has come, and its handler waits for the main thread, which gunicorn lets no signal interrupt."""
        os.read(pipe, 4096)
        self._crew.wake()

    def _tidy(self, now: float) -> None:
        """Say that the worker lives, and drop those whose time is over."""
        self.notify()
        self._exchanges.drop_late(now)
        if draining.is_draining():
            self._exchanges.wake()
        if self.alive and self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.handle_exit(signal.SIGTERM, None)
