"""Delivery: one run sends what waits of one webhook, a few at a time, each record's events one after the other."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
from anyio import CapacityLimiter, to_thread

from app.clients.tokens import Hasher
from app.database import Cursor, KeptConnection
from app.errors import ApiError
from app.operations.delta.delta import shown
from app.operations.single import RecordOperations
from app.policy import query
from app.webhooks import deliveries, messages, store
from app.webhooks.acting import Acting, Ended
from app.webhooks.deliveries import Delivery
from app.webhooks.following import RESYNC
from app.webhooks.secrets import Secrets, Unreadable
from app.webhooks.sending import Answer, Sender
from app.webhooks.store import Webhook
from odoo_bridge import records

_logger = logging.getLogger(__name__)
T = TypeVar("T")
#: Event that a person asks for, to see whether a webhook works.
TEST = "test"
#: Seconds after which what could not be read is tried again; threads that ask the database.
_PAUSE, _THREADS = 5.0, 8
#: Deliveries that are looked for at once; of one webhook and to one host at the same time; seconds of a run.
_BATCH, _OF_WEBHOOK, _TO_HOST, _RUN = 50, 4, 8, 20.0
_RESYNC_TEXT = "Events may have been missed: read all records anew. What changes from now on is told as before."
_TEST_TEXT = "This is a test. It tells of no record."


@dataclass(frozen=True, slots=True)
class _Message:
    """A message that is ready to be sent."""

    url: str
    host: str
    content: bytes
    secrets: list[str]


class Deliverer:
    """Sends the deliveries of webhooks, in one event loop; the database is asked in threads."""

    def __init__(
        self, connection: KeptConnection, acting: Acting, hasher: Callable[[], Hasher], sender: Sender
    ) -> None:
        self._connection = connection
        self._acting = acting
        self._hasher = hasher
        self._sender = sender
        self._hosts: dict[str, CapacityLimiter] = {}
        self._threads = CapacityLimiter(_THREADS)

    async def deliver(self, webhook: str) -> None:
        """Send the waiting messages of a webhook, for some seconds; those left then, or to be tried later, wait on."""
        run, until = secrets.token_hex(8), time.monotonic() + _RUN
        await self._ask(deliveries.begin, webhook, run)
        while time.monotonic() < until:
            due = await self._ask(deliveries.due, webhook, run, _BATCH)
            if not due:
                break
            at_once = CapacityLimiter(_OF_WEBHOOK)
            async with anyio.create_task_group() as tasks:
                for delivery in due:
                    tasks.start_soon(self._attempt, delivery, run, at_once, until)

    async def _attempt(self, delivery: Delivery, run: str, at_once: CapacityLimiter, until: float) -> None:
        """Try to send a delivery, and note what comes of it."""
        async with at_once:
            if time.monotonic() > until:
                return
            message = await to_thread.run_sync(self._message, delivery, limiter=self._threads)
            if message is None:
                return
            limiter = self._hosts.setdefault(message.host, CapacityLimiter(_TO_HOST))
            async with limiter:
                if not await self._ask(deliveries.claim, delivery, run):
                    return
                headers = messages.headers(delivery.id, message.content, message.secrets)
                answer = await self._sender.post(message.url, headers, message.content)
            # Whatever ends this run: what the receiver has answered is noted.
            with anyio.CancelScope(shield=True):
                await self._ask(self._note, delivery, answer)

    async def _ask(self, work: Callable[..., T], *arguments: Any) -> T:
        """Return the result of work in a transaction, done in a thread."""

        def within() -> T:
            with self._connection.transaction() as cr:
                return work(cr, *arguments)

        return await to_thread.run_sync(within, limiter=self._threads)

    def _message(self, delivery: Delivery) -> _Message | None:
        """Return the message of a delivery as it is now; None where it can't be sent now, which is noted."""
        with self._connection.transaction() as cr:
            webhook = store.one(cr, delivery.webhook_id)
        if webhook is None or not webhook.active:
            return None
        try:
            data = self._acting.run(webhook.wanted, lambda do: _data(do, webhook, delivery))
            sealer = Secrets(self._hasher().key)
            opened = [sealer.open(sealed, webhook.id) for sealed in webhook.secrets]
        except (Ended, Unreadable) as error:
            reason = error.reason if isinstance(error, Ended) else "Its secret can't be read any more: make a new one."
            with self._connection.transaction() as cr:
                if store.switch_off(cr, webhook.id, reason):
                    _logger.warning("Webhook %s of %s is switched off: %s", webhook.id, webhook.client, reason)
            return None
        except ApiError as error:
            _logger.info("Webhook %s can't be served at the moment: %s", webhook.id, error.message)
            with self._connection.transaction() as cr:
                deliveries.wait(cr, delivery, _PAUSE)
            return None
        if data is None:
            with self._connection.transaction() as cr:
                deliveries.wait_for_sight(cr, delivery)
            return None
        host = urlsplit(webhook.url).hostname or ""
        return _Message(webhook.url, host, messages.body(delivery.event, delivery.created_at, data), opened)

    def _note(self, cr: Cursor, delivery: Delivery, answer: Answer) -> None:
        """Note the answer of a receiver, and switch its webhook off where it wants no more or has long failed."""
        status = answer.status
        outcome = (round(answer.seconds * 1000), status, answer.text, answer.error)
        if status is not None and 200 <= status < 300:
            deliveries.succeed(cr, delivery, outcome)
            return
        is_gone = status == 410
        if deliveries.fail(cr, delivery, outcome, for_good=is_gone):
            reason = "Its receiver answered 410: it wants no more." if is_gone else "It has failed for three days."
            if store.switch_off(cr, delivery.webhook_id, reason):
                _logger.warning("Webhook %s is switched off: %s", delivery.webhook_id, reason)


def _data(do: RecordOperations, webhook: Webhook, delivery: Delivery) -> dict[str, Any] | None:
    """Return the data of a message: its record as it is now; None where the client app can't see it at the moment."""
    data: dict[str, Any] = {"webhook": webhook.id, "api": do.definition.name, "model": webhook.model}
    if delivery.record_id is None:
        return {**data, "message": _RESYNC_TEXT if delivery.event == RESYNC else _TEST_TEXT}
    data["id"] = do.ids.encode(delivery.record_id)
    if delivery.event == "removed":
        return data
    node = query.narrow(shown(do), webhook.fields)
    wanted = node.only([]) if webhook.thin else node
    page = records.search(
        do.reader,
        do.model,
        [*do.domain, ("id", "=", delivery.record_id)],
        wanted.selection(),
        order="id",
        limit=1,
        offset=0,
        count="none",
    )
    if not page.table.ids:
        return None
    (record,) = do.to_json(page.table, wanted)
    return data if webhook.thin else {**data, "record": record}
