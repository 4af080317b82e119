"""Delivery: one run sends what waits of one webhook, a few at a time, each record's events one after the other."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import anyio
import psycopg2
from anyio import CapacityLimiter, to_thread

from app.clients.tokens import Hasher
from app.database import Cursor, KeptConnection
from app.webhooks import deliveries, messages, store
from app.webhooks.acting import Acting
from app.webhooks.deliveries import Delivery
from app.webhooks.reading import Message, Reader
from app.webhooks.sending import Answer, Sender

_logger = logging.getLogger(__name__)
T = TypeVar("T")
#: Threads that read records, in all and for one client app; those that keep the books wait for each other anyway.
_READERS, _OF_CLIENT, _CLERKS = 6, 2, 2
#: Seconds from the reading of a message to its sending at most: who has lost a right meanwhile gets nothing.
_STALE = 1.0
#: Deliveries that are looked for at once; of one webhook, and of a client app to one host, at the same time; seconds of
#: a run.
_BATCH, _OF_WEBHOOK, _TO_HOST, _RUN = 50, 4, 8, 20.0
#: Messages that are read at once, and seconds after which they are read anew: who loses a right is sent no more.
_READ, _FRESH = 16, 0.25


class _Turn:
    """Deliveries of a webhook that are due, those of them that wait, and messages that were read a moment ago."""

    def __init__(self, due: list[Delivery], host: CapacityLimiter, lookups: CapacityLimiter) -> None:
        self.lookups = lookups
        self.waiting = {each.seq: each for each in due}
        self.at_once = CapacityLimiter(_OF_WEBHOOK)
        self.host = host
        self.reading = anyio.Lock()
        self.read: dict[int, Message | None] = {}
        self.read_at = float("-inf")


class Deliverer:
    """Sends the deliveries of webhooks, in one event loop; the database is asked in threads."""

    def __init__(
        self, connection: KeptConnection, acting: Acting, hasher: Callable[[], Hasher], sender: Sender
    ) -> None:
        self._connection = connection
        self._reader = Reader(connection, acting, hasher)
        self._sender = sender
        self._limiters: WeakValueDictionary[tuple[Any, ...], CapacityLimiter] = WeakValueDictionary()
        self._readers = CapacityLimiter(_READERS)
        self._clerks = CapacityLimiter(_CLERKS)

    async def deliver(self, webhook: str) -> None:
        """Send the waiting messages of a webhook, for some seconds; those left then, or to be tried later, wait on."""
        run, until = secrets.token_hex(8), time.monotonic() + _RUN
        await self._ask(deliveries.begin, webhook, run)
        while time.monotonic() < until:
            due = await self._ask(deliveries.due, webhook, run, _BATCH)
            found = await self._ask(store.one, webhook) if due else None
            if found is None:
                break
            host = self._limiter(_TO_HOST, "host", found.client_id, urlsplit(found.url).hostname)
            lookups = self._limiter(_OF_CLIENT, "lookups", found.client_id)
            turn = _Turn(due, host, lookups)
            async with anyio.create_task_group() as tasks:
                for delivery in due:
                    tasks.start_soon(self._attempt, delivery, run, turn, until)

    async def _attempt(self, delivery: Delivery, run: str, turn: _Turn, until: float) -> None:
        """Try to send a delivery, and note what comes of it. No error of one ends the others."""
        try:
            async with turn.at_once, turn.host:
                if time.monotonic() < until:
                    await self._send(delivery, run, turn)
        except psycopg2.Error as error:
            _logger.warning("Webhook %s: %s", delivery.webhook_id, str(error).strip())

    async def _send(self, delivery: Delivery, run: str, turn: _Turn) -> None:
        # It is read when its turn has come: it may have waited for long, and the right to it have ended.
        message = await self._fresh(delivery, turn)
        # The time counts from before the claim on: who is stopped behind it sends nothing when it is over.
        began = time.monotonic()
        if message is None or not await self._ask(deliveries.claim, delivery, run):
            return
        if time.monotonic() - turn.read_at > _STALE:
            await self._ask(deliveries.unclaim, delivery)
            return
        headers = messages.headers(delivery.id, message.content, message.secrets)
        answer = await self._sender.post(message.url, headers, message.content, began, turn.lookups)
        # Whatever ends this run: what the receiver has answered is noted.
        with anyio.CancelScope(shield=True):
            await self._noted(delivery, answer)

    async def _noted(self, delivery: Delivery, answer: Answer) -> None:
        """Note an answer; what is in the way of that may have gone a moment later. Raises psycopg2.Error."""
        for pause in (0.1, 1.0):
            try:
                return await self._ask(self._note, delivery, answer)
            except psycopg2.Error:
                await anyio.sleep(pause)
        return await self._ask(self._note, delivery, answer)

    def _limiter(self, most: int, *key: Any) -> CapacityLimiter:
        """Return the limiter of a client app's work of a kind: no app takes the places of another one."""
        limiter = self._limiters.get(key)
        if limiter is None:
            limiter = self._limiters[key] = CapacityLimiter(most)
        return limiter

    async def _fresh(self, delivery: Delivery, turn: _Turn) -> Message | None:
        """Return the message of a delivery as it is now; None where it can't be sent now, which is noted."""
        async with turn.reading:
            if delivery.seq not in turn.read or time.monotonic() - turn.read_at > _FRESH:
                others = [each for each in turn.waiting.values() if each is not delivery]
                some = [delivery, *others[: _READ - 1]]
                began = time.monotonic()
                found = await self._read(some)
                turn.read = {each.seq: found.get(each.seq) for each in some}
                turn.read_at = began
            del turn.waiting[delivery.seq]
            return turn.read[delivery.seq]

    async def _read(self, some: list[Delivery]) -> dict[int, Message]:
        """Return the messages of deliveries of a webhook, without those that can't be sent now, which is noted."""
        webhook = await self._ask(store.one, some[0].webhook_id)
        if webhook is None or not webhook.active:
            return {}
        async with self._limiter(_OF_CLIENT, "reading", webhook.client_id):
            return await to_thread.run_sync(self._reader.messages, webhook, some, limiter=self._readers)

    async def _ask(self, work: Callable[..., T], *arguments: Any) -> T:
        """Return the result of work in a transaction, done in a thread. Raises psycopg2.Error."""
        return await to_thread.run_sync(partial(self._in_transaction, work, *arguments), limiter=self._clerks)

    def _in_transaction(self, work: Callable[..., T], *arguments: Any) -> T:
        with self._connection.transaction() as cr:
            return work(cr, *arguments)

    def _note(self, cr: Cursor, delivery: Delivery, answer: Answer) -> None:
        """Note the answer of a receiver, and switch its webhook off where it wants no more or has long failed."""
        status = answer.status
        outcome = (round(answer.seconds * 1000), status, answer.text, answer.error)
        if status is not None and 200 <= status < 300:
            deliveries.succeed(cr, delivery, outcome)
            return
        is_gone = status == 410
        if deliveries.fail(cr, delivery, outcome, for_good=is_gone):
            reason = (
                "Its receiver answered 410: it wants no more." if is_gone else "A message has failed for three days."
            )
            store.switch_off(cr, delivery.webhook_id, reason)
