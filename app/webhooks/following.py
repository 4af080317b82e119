"""The changes that webhooks are told of: events of a delta, as their client apps follow it, among the deliveries."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from app.database import Transactional
from app.errors import ApiError, Gone
from app.operations.delta.answers import DeltaEvents
from app.operations.delta.delta import Delta
from app.operations.single import RecordOperations
from app.policy.delta import LATEST
from app.webhooks import deliveries, store
from app.webhooks.acting import Acting, Ended
from app.webhooks.store import Wanted, Webhook

_logger = logging.getLogger(__name__)
#: Event of a webhook that may have missed some: its receiver reads everything anew.
RESYNC = "resync"
#: Events that are looked for at once, and those of a webhook that wait at most: what comes behind waits as changes.
_PAGE, _MOST_WAITING = 1000, 10_000
#: Seconds after which it is another webhook's turn.
_TURN = 5.0


class NotNow(Exception):
    """Changes can't be read at the moment, as where Odoo's registry is being replaced."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Number of events that were added, and whether there are more."""

    added: int
    more: bool


class Follower:
    """Adds the events of changed records to the deliveries of webhooks."""

    def __init__(self, database: Transactional, acting: Acting) -> None:
        self._database = database
        self._acting = acting

    def follow(self, webhook_id: str) -> Followed:
        """Add the events of some seconds. A webhook that has lost the right to any is switched off.

        Raises NotNow where something is in the way that may pass; what was added before stays.
        """
        added, until = 0, time.monotonic() + _TURN
        while (webhook := self._next(webhook_id)) is not None:
            try:
                more, number = self._go_on(webhook)
            except Ended as ended:
                with self._database.transaction() as cr:
                    store.switch_off(cr, webhook.id, ended.reason)
                break
            except ApiError as error:
                raise NotNow(error.message) from error
            added += number
            if not more or time.monotonic() > until:
                return Followed(added, more)
        return Followed(added, more=False)

    def _next(self, webhook_id: str) -> Webhook | None:
        with self._database.transaction() as cr:
            webhook = store.one(cr, webhook_id)
            if webhook is None or not webhook.active or deliveries.are_waiting(cr, webhook_id, _MOST_WAITING):
                return None
            return webhook

    def _go_on(self, webhook: Webhook) -> tuple[bool, int]:
        """Add the events of one page; returns whether there are more, and how many were added."""
        told: list[tuple[int | None, str]]
        wanted = webhook.wanted
        try:
            found = self._acting.run(wanted, lambda do: events(do, wanted, webhook.token or LATEST))
            told = [(record, event) for record, event in found.told if event in webhook.events]
            untold: list[int] | None = [
                record for record, event in found.told if event == "removed" and event not in webhook.events
            ]
        except Gone as gone:
            _logger.warning("Webhook %s begins anew: %s", webhook.id, gone.message)
            found = self._acting.run(wanted, lambda do: events(do, wanted, LATEST))
            told, untold = [(None, RESYNC)], None
        self._acting.keep(found.fading)
        with self._database.transaction() as cr:
            is_ours = store.go_on(cr, webhook, found.token, found.tables, told, untold)
        return is_ours and found.more, len(told) if is_ours else 0


def events(do: RecordOperations, wanted: Wanted, token: str) -> DeltaEvents:
    """Return the events behind a token of the delta that tells of it; raises ApiError, Gone where it has expired."""
    limit = min(_PAGE, do.definition.document.max_page_size)
    return Delta(do, {**wanted.parameters, "token": token, "limit": limit}).events()
