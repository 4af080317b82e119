"""gunicorn's worker: an event loop that waits for clients, and threads that answer what is here as a whole.

A thread never waits for a client. The loop reads requests to their end (``serving.framing``), and sends what a client
does not take at once (``serving.outbox``); who is too slow is dropped.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from typing import Any, ClassVar

from gunicorn.workers.base import Worker as BaseWorker
from gunicorn.workers.gthread import PollableMethodQueue

from serving.acceptor import Acceptor
from serving.balance import Board
from serving.connection import ClientConnection
from serving.exchanges import Exchanges, Options
from serving.memory import Slack
from serving.places import READ, Places

#: Seconds between two looks for connections whose time is over, and at the memory that could be given back.
TIDY_SECONDS, MEMORY_SECONDS = 0.5, 5.0
#: Seconds for those who have sent something; then new connections and finished answers have their turn.
ROUND_SECONDS = 0.01


class Worker(BaseWorker):  # type: ignore[misc]  # gunicorn has no types
    """A process of gunicorn's, from the fork to its end. gunicorn.conf.py sets ``options``."""

    board: ClassVar = Board()  # of this arbiter's workers: the module is imported before any is forked
    options: ClassVar = Options()

    alive: bool

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deferred = PollableMethodQueue()
        self._stops_at: float | None = None
        self._look_again: float | None = None

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
        poller = selectors.DefaultSelector()
        poller.register(self._deferred.fileno(), READ, self._deferred.run_callbacks)
        exchanges = Exchanges(self.options, self.cfg, self.log, self.wsgi, Places(poller), self._deferred.defer)
        acceptor = Acceptor(poller, self.sockets, self.board, self.age, exchanges.take, exchanges.make_room)
        exchanges.start()
        slack = Slack()
        tidied = returned = time.monotonic()
        while not self._is_done(exchanges):
            self._look(poller, acceptor, exchanges)
            now = time.monotonic()
            if now - tidied >= TIDY_SECONDS:
                tidied = now
                self._tidy(exchanges, now)
            if now - returned >= MEMORY_SECONDS:
                returned = now
                slack.give_back()
        exchanges.close()
        for listener in self.sockets:
            listener.close()

    def leave(self) -> None:
        """In the arbiter: this worker's process has ended."""
        self.board.leave(self.age)

    def _is_done(self, exchanges: Exchanges) -> bool:
        """True if a worker that is to stop has nothing to do any more, or no more time for it."""
        if exchanges.begun >= self.max_requests:
            self.alive = False
        if self.alive:
            return False
        if self._stops_at is None:
            self._stops_at = time.monotonic() + self.cfg.graceful_timeout
            exchanges.end()
        return exchanges.connections <= 0 or time.monotonic() > self._stops_at

    def _look(self, poller: selectors.BaseSelector, acceptor: Acceptor, exchanges: Exchanges) -> None:
        """Wait for what happens next, and do what there is to do for it."""
        patience = acceptor.look(exchanges.load, is_open=self.alive) or TIDY_SECONDS
        if self._look_again is not None:
            patience = min(patience, self._look_again)
        for key, _ in poller.select(0 if exchanges.has_due else patience):
            if isinstance(key.data, ClientConnection):
                exchanges.on_client(key.data)
            else:
                key.data(key.fileobj)
        exchanges.go_on(ROUND_SECONDS)
        self._look_again = exchanges.give_turns()

    def _tidy(self, exchanges: Exchanges, now: float) -> None:
        """Say that the worker lives, and drop those whose time is over."""
        self.notify()
        exchanges.drop_late(now)
        if self.alive and self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.handle_exit(signal.SIGTERM, None)
