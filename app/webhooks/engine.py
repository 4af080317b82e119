"""The process that has webhooks followed and delivered: jobs of Procrastinate, in PostgreSQL, which hosts share.

A job is for a webhook, not for an event: its lock lets one process at a time send what waits of it, however many there
are, and a receiver that is dead takes up one job and no more. What a job does begins with what is in the tables, so
that one which is lost with its process is made anew by the next look of any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any

import anyio.to_thread
from gunicorn.systemd import sd_notify
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from app.database import UNLESS_STOPPED, KeptConnection
from app.operations.delta.feed import Feed, Listener
from app.webhooks import deliveries, store
from app.webhooks.delivering import Deliverer
from app.webhooks.figures import DEAD
from app.webhooks.following import Follower, NotNow

_logger = logging.getLogger(__name__)
#: Jobs at once. One that waits for an answer costs next to nothing: hundreds of dead receivers leave room for others.
_AT_ONCE = 512
#: Seconds between two looks for what is due, between two in which a webhook is followed where no change was seen, and
#: between two times that old deliveries are deleted.
_LOOK, _FOLLOW, _CLEAN_UP = 1.0, 60.0, 3600.0
#: Webhooks that are followed at once.
_FOLLOWERS = 4
#: Seconds after which a webhook is followed again where something was in the way.
_SOON = 3.0
#: Seconds between two signs of life.
_HEARTBEAT = 2.0
#: Seconds that jobs have to end by themselves, and between two tries while the database is away.
GRACE, _PAUSE = 20.0, 2.0


class _Pool(AsyncConnectionPool[AsyncConnection[Any]]):
    """Pool of connections for the engine's tables; nothing is set for longer than a transaction, as PgBouncer wants."""

    @contextlib.asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[AsyncConnection[Any]]:
        async with super().connection(timeout) as connection:
            await connection.execute(f"SET LOCAL search_path = gatehouse_jobs; {UNLESS_STOPPED}")
            yield connection


class Engine:
    """Runs the jobs of one process."""

    def __init__(
        self,
        dsn: Mapping[str, Any],
        connection: KeptConnection,
        feed: Feed,
        follower: Follower,
        deliverer: Deliverer,
        kept_days: Callable[[], int],
        cure: Callable[[], str],
    ) -> None:
        """``dsn`` are libpq's connection keywords; ``kept_days`` says for how long deliveries are kept.

        ``cure`` returns what a process that begins anew could cure; "" for nothing.
        """
        self._connection = connection
        self._feed = feed
        self._follower = follower
        self._deliverer = deliverer
        self._kept_days = kept_days
        self._cure = cure
        self._task: asyncio.Task[Any] | None = None
        self._successor: str | None = None
        self._is_ending = False
        self._under_way = 0
        keywords = {("dbname" if key == "database" else key): value for key, value in dsn.items()}
        keywords["prepare_threshold"] = None
        self._jobs = App(
            connector=PsycopgConnector(pool_factory=_Pool, kwargs=keywords, min_size=1, max_size=4, timeout=10.0)
        )
        self._jobs.task(name="follow")(self._follow)
        self._jobs.task(name="deliver")(self._deliver)
        # Each its own: whatever is followed for long, what is due is looked for.
        self._looking, self._following = anyio.CapacityLimiter(1), anyio.CapacityLimiter(_FOLLOWERS)
        self._listeners: dict[str, Listener] = {}
        self._stirred: set[str] = set()
        self._followed: dict[str, float] = {}
        self._cleaned_up = float("-inf")
        logging.getLogger("procrastinate").setLevel(logging.WARNING)  # of each job it has four lines

    async def run(self) -> str | None:
        """Run jobs until a signal, and end those that are under way.

        Returns None after SIGTERM and SIGINT. Else another process is to take this one's place: then it returns what
        that is to cure, which is nothing after SIGHUP.
        """
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._end, "")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # a predecessor has kept it for us
        sd_notify("READY=1", _logger)
        _logger.info("Webhooks are followed and delivered")
        with contextlib.suppress(asyncio.CancelledError):
            while not self._is_ending:
                try:
                    await self._serve()
                except Exception as error:  # noqa: BLE001  the database may be away; whatever it is, it goes on
                    _logger.warning("Webhooks can't be served at the moment: %s", error)
                await asyncio.sleep(_PAUSE)
        _logger.info("Webhooks: the process %s", "ends" if self._successor is None else "begins anew")
        return self._successor

    def _end(self, successor: str | None = None) -> None:
        """End the run; ``successor`` is what another process is to cure, None where none is to follow."""
        if self._is_ending and successor is not None:
            return
        self._is_ending, self._successor = True, successor
        if self._task is not None:
            self._task.cancel()

    async def _serve(self) -> None:
        """Look for jobs, and do them, until something fails."""
        self._followed.clear()  # what was stirred when something failed is looked for now
        try:
            await self._jobs.open_async()
            if not self._is_ending:  # a cancellation is lost in what opens them (asyncio.wait_for, up to Python 3.11)
                await self._work()
        finally:
            # Also where it was never open: what tries to connect would keep the process from its end.
            await self._jobs.close_async()

    async def _work(self) -> None:
        looking = asyncio.create_task(self._look_on())
        working = asyncio.create_task(
            self._jobs.run_worker_async(
                concurrency=_AT_ONCE,
                fetch_job_polling_interval=_LOOK / 4,
                abort_job_polling_interval=60.0,
                shutdown_graceful_timeout=GRACE,
                listen_notify=False,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=_HEARTBEAT,
                stalled_worker_timeout=DEAD,
            )
        )
        try:
            await asyncio.wait([looking, working], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._cancelled(looking, working)
            ended = await asyncio.gather(looking, working, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _cancelled(self, *tasks: asyncio.Task[Any]) -> None:
        """End tasks, and wait for the jobs that are under way."""
        for each in tasks:
            each.cancel()
        while pending := (await asyncio.wait(tasks, timeout=_PAUSE))[1]:
            if not self._under_way:  # then it has been lost, as above
                for each in pending:
                    each.cancel()

    async def _look_on(self) -> None:
        while True:
            await self._look()
            if cures := self._cure():
                self._end(cures)
            await asyncio.sleep(_LOOK / 4 if self._stirred else _LOOK)

    async def _look(self) -> None:
        """Have done what is to be done now: webhooks followed whose tables have changed, and what is due delivered."""
        followed, waiting, deferred = await anyio.to_thread.run_sync(self._asked, limiter=self._looking)
        self._listen(followed)
        stirred = set(self._stirred)
        self._stirred -= stirred
        now = time.monotonic()
        for webhook in followed:
            if f"follow/{webhook}" in deferred:
                continue  # it will see all that was committed by now
            if webhook in stirred or now - self._followed.get(webhook, float("-inf")) > _FOLLOW:
                self._followed[webhook] = now
                await self._defer("follow", webhook)
        for webhook in waiting:
            if f"deliver/{webhook}" not in deferred:
                await self._defer("deliver", webhook)
        for job in await self._jobs.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD):
            # The next look makes another one, where there is still something to do.
            self._stirred.add(str(job.task_kwargs["webhook"]))
            with contextlib.suppress(ConnectorException):  # another process was faster
                await self._jobs.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)

    def _asked(self) -> tuple[dict[str, frozenset[str]], list[str], set[str]]:
        """Return the webhooks that are on, with their tables; those with something to be sent; and jobs that wait."""
        with self._connection.transaction() as cr:
            if time.monotonic() - self._cleaned_up > _CLEAN_UP and not deliveries.drop(cr, self._kept_days()):
                self._cleaned_up = time.monotonic()
            # To ask for what waits already is an error in PostgreSQL's log, each time.
            cr.execute("SELECT queueing_lock FROM gatehouse_jobs.procrastinate_jobs WHERE status = 'todo'")
            deferred = {name for (name,) in cr.fetchall()}
            return store.followed(cr), deliveries.waiting(cr), deferred

    def _listen(self, followed: Mapping[str, frozenset[str]]) -> None:
        """Have the feed tell of the tables of these webhooks, and of no others."""
        loop = asyncio.get_running_loop()
        for webhook in [each for each in self._listeners if each not in followed]:
            self._feed.leave(self._listeners.pop(webhook))
            self._followed.pop(webhook, None)
        for webhook, tables in followed.items():
            if webhook in self._listeners:
                self._listeners[webhook].tables = tables
            else:
                self._listeners[webhook] = Listener(tables, partial(self._wake, loop, webhook))
                self._feed.listen(self._listeners[webhook])

    def _wake(self, loop: asyncio.AbstractEventLoop, webhook: str) -> None:
        """Take note, in the feed's thread, that tables of a webhook have changed."""
        loop.call_soon_threadsafe(self._stirred.add, webhook)

    async def _defer(self, task: str, webhook: str) -> None:
        """Have a task done of a webhook, unless that waits already; one of a kind is done at a time."""
        name = f"{task}/{webhook}"
        with contextlib.suppress(AlreadyEnqueued):
            await self._jobs.configure_task(task, lock=name, queueing_lock=name).defer_async(webhook=webhook)

    async def _follow(self, webhook: str) -> None:
        self._under_way += 1
        try:
            found = await anyio.to_thread.run_sync(self._follower.follow, webhook, limiter=self._following)
            if found.added:
                await self._defer("deliver", webhook)
            if found.more:
                self._stirred.add(webhook)
        except NotNow as error:
            _logger.info("Webhook %s can't be followed at the moment: %s", webhook, error)
            self._followed[webhook] = time.monotonic() - _FOLLOW + _SOON
        finally:
            self._under_way -= 1

    async def _deliver(self, webhook: str) -> None:
        self._under_way += 1
        try:
            await self._deliverer.deliver(webhook)
        finally:
            self._under_way -= 1
