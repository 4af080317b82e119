"""Reading of messages: the records that they tell of, as they are now, with the rights of this moment."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.clients.tokens import Hasher
from app.database import KeptConnection
from app.definitions.definition import Node
from app.errors import ApiError
from app.operations.single import RecordOperations
from app.webhooks import deliveries, messages, store
from app.webhooks.acting import Acting, Ended, Unread
from app.webhooks.deliveries import Delivery
from app.webhooks.following import RESYNC
from app.webhooks.secrets import Secrets, Unreadable
from app.webhooks.store import Webhook
from odoo_bridge import records

_logger = logging.getLogger(__name__)
#: Event that a person asks for, to see whether a webhook works.
TEST = "test"
#: Seconds after which what can't be served at the moment is looked at again.
_PAUSE = 5.0
_RESYNC_TEXT = "Events may have been missed: read all records anew. What changes from now on is told as before."
_TEST_TEXT = "This is a test. It tells of no record."


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is ready to be sent."""

    url: str
    content: bytes
    secrets: list[str]


class Reader:
    """Reads the messages of deliveries, for the threads of one process."""

    def __init__(self, connection: KeptConnection, acting: Acting, hasher: Callable[[], Hasher]) -> None:
        self._connection = connection
        self._acting = acting
        self._hasher = hasher

    def messages(self, webhook: Webhook, some: list[Delivery]) -> dict[int, Message]:
        """Return messages of a webhook by their deliveries' ``seq``; what can't be sent now is noted, and not there."""
        try:
            opened = Secrets(self._hasher().key).open_all(webhook.secrets, webhook.id)
            data = self._acting.read(webhook.wanted, lambda do, node: _data(do, node, webhook, some))
        except (Ended, Unreadable) as error:
            reason = error.reason if isinstance(error, Ended) else "Its secret can't be read any more: make a new one."
            with self._connection.transaction() as cr:
                store.switch_off(cr, webhook.id, reason)
            return {}
        except ApiError as error:
            _logger.info("Webhook %s can't be served at the moment: %s", webhook.id, error.message)
            self._each(deliveries.wait, some, _PAUSE)
            return {}
        except Unread as error:
            if len(some) > 1:  # one record that can't be read keeps no other from being told of
                half = len(some) // 2
                return self.messages(webhook, some[:half]) | self.messages(webhook, some[half:])
            _logger.warning("Record %s can't be told of to webhook %s: %s", some[0].record_id, webhook.id, error)
            self._each(deliveries.wait_for_reading, some, str(error))
            return {}
        self._each(deliveries.wait_for_sight, [each for each in some if each.seq not in data])
        return {
            each.seq: Message(webhook.url, messages.body(each.event, each.created_at, data[each.seq]), opened)
            for each in some
            if each.seq in data
        }

    def _each(self, work: Callable[..., None], some: list[Delivery], *arguments: Any) -> None:
        """Do work on each of some deliveries, in one transaction."""
        if some:
            with self._connection.transaction() as cr:
                for each in some:
                    work(cr, each, *arguments)


def _data(do: RecordOperations, node: Node, webhook: Webhook, some: list[Delivery]) -> dict[int, dict[str, Any]]:
    """Return the data of messages: their records as they are now; without those that can't be seen at the moment."""
    wanted = node.only([]) if webhook.thin else node
    rows: dict[int, dict[str, Any]] = {}
    if ids := [each.record_id for each in some if each.record_id is not None and each.event != "removed"]:
        page = records.search(
            do.reader,
            do.model,
            [*do.domain, ("id", "in", ids)],
            wanted.selection(),
            order="id",
            limit=len(ids),
            offset=0,
            count="none",
        )
        rows = dict(zip(page.table.ids, do.to_json(page.table, wanted), strict=True))
    told: dict[int, dict[str, Any]] = {}
    for each in some:
        data: dict[str, Any] = {"webhook": webhook.id, "api": do.definition.name, "model": webhook.model}
        if each.record_id is None:
            told[each.seq] = {**data, "message": _RESYNC_TEXT if each.event == RESYNC else _TEST_TEXT}
            continue
        data["id"] = do.ids.encode(each.record_id)
        if each.event == "removed" or (webhook.thin and each.record_id in rows):
            told[each.seq] = data
        elif each.record_id in rows:
            told[each.seq] = {**data, "record": rows[each.record_id]}
    return told
