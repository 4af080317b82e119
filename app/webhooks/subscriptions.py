"""Subscriptions: webhooks as client apps and admins make, change, test, rotate and delete them, by whatever door."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, TypeVar

from app.analytics import history
from app.catalog.catalog import Snapshot
from app.clients.tokens import Hasher
from app.database import Cursor, Database
from app.definitions.definition import Definition
from app.errors import BadRequest, Conflict, Forbidden, NotFound, Unavailable
from app.networks import Networks
from app.operations.delta.answers import DeltaEvents
from app.outgoing.destinations import Refused, check_destination
from app.policy.delta import LATEST
from app.policy.suggestions import unknown
from app.webhooks import deliveries, store
from app.webhooks.acting import Acting, Ended
from app.webhooks.deliveries import Delivery
from app.webhooks.document import Rotation, WebhookChange, WebhookDocument
from app.webhooks.following import RESYNC, events
from app.webhooks.reading import TEST
from app.webhooks.secrets import Secrets
from app.webhooks.store import Wanted, Webhook

T = TypeVar("T")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: Addresses that are looked up at once, each by a thread that others wait for: DNS of strangers may take its time.
_CHECKING = threading.BoundedSemaphore(2)
#: How often a change is begun that others come before.
_TRIES = 3
#: Webhooks that a client app may have.
MOST = 100


@dataclass(frozen=True, slots=True)
class Owner:
    """The client app whose webhooks are concerned, and who acts: itself, or an admin."""

    client_id: int
    client: str
    actor: str


class Subscriptions:
    """The webhooks of one database."""

    def __init__(
        self,
        database: Database,
        acting: Acting,
        snapshot: Callable[[], Snapshot],
        hasher: Callable[[], Hasher],
        trusted: Networks,
    ) -> None:
        """``snapshot`` returns the catalog as it is served, ``trusted`` are networks that may be called too."""
        self._database = database
        self._acting = acting
        self._snapshot = snapshot
        self._hasher = hasher
        self._trusted = trusted

    def create(self, owner: Owner, document: WebhookDocument) -> tuple[Webhook, str]:
        """Make a webhook, which is told of all that is committed from now on; returns it, and its secret.

        Raises ApiError that names the key at fault.
        """
        definition = self._api(owner, document.api)
        model = _model(definition, document.model)
        self._check_url(document.url)
        fields = None if document.fields is None else tuple(document.fields)
        begun = self._begin(Wanted(owner.client_id, definition.id, model, fields, document.domain))
        sealer, identifier = self._secrets(), store.new_id()
        secret = sealer.generate()
        values = {
            "id": identifier,
            "client_id": owner.client_id,
            "api_id": definition.id,
            "model": model,
            "url": document.url,
            "events": document.events,
            "fields": document.fields,
            "domain": document.domain,
            "thin": document.thin,
            "secret": sealer.seal(secret, identifier),
            "token": begun.token,
            "tables": list(begun.tables),
        }
        with self._database.transaction() as cr:
            if store.count(cr, owner.client_id) >= MOST:
                raise Conflict(f"A client app has {MOST} webhooks at most.", name="too_many_webhooks")
            store.insert(cr, values)
            made = _there(store.one(cr, identifier))
            _note(cr, owner, identifier, None, _told(made))
        return made, secret

    def every(self, owner: Owner) -> list[Webhook]:
        """Return the webhooks of a client app."""
        with self._database.transaction() as cr:
            return store.every(cr, owner.client_id)

    def one(self, owner: Owner, webhook: str) -> Webhook:
        """Return a webhook of a client app; raises NotFound."""
        with self._database.transaction() as cr:
            return _there(store.one(cr, _checked(webhook), owner.client_id))

    def overview(self) -> list[tuple[Webhook, int]]:
        """Return the webhooks of all client apps, each with the number of its deliveries that wait: for admins."""
        with self._database.transaction() as cr:
            numbers = deliveries.numbers(cr)
            return [(each, numbers.get(each.id, 0)) for each in store.every(cr)]

    def find(self, webhook: str) -> tuple[Webhook, int]:
        """Return the same of one webhook, whosever it is; raises NotFound."""
        with self._database.transaction() as cr:
            found = _there(store.one(cr, _checked(webhook)))
            return found, deliveries.numbers(cr, found.id).get(found.id, 0)

    def change(self, owner: Owner, webhook: str, change: WebhookChange) -> Webhook:
        """Change the subject or the address of a webhook, or switch it on or off. Raises ApiError that names the key.

        With other fields or another domain it is told to read everything anew, and of what is committed from now on.
        One that is switched on goes on where it was.
        """
        if "url" in change.model_fields_set:
            self._check_url(change.url)
        for _ in range(_TRIES):
            before = self.one(owner, webhook)
            values = self._values(before, change)
            with self._database.transaction() as cr:
                store.lock(cr, webhook)
                if _told(_there(store.one(cr, webhook, owner.client_id))) != _told(before):
                    continue  # somebody else was faster, or it has ended meanwhile
                if values:
                    store.update(cr, webhook, values)
                if "token" in values:
                    store.supersede(cr, webhook)
                    store.add(cr, webhook, RESYNC)
                if values.get("active"):
                    deliveries.renew(cr, webhook)
                changed = _there(store.one(cr, webhook, owner.client_id))
                _note(cr, owner, webhook, _told(before), _told(changed))
                return changed
        raise Conflict("Others are changing this webhook. Please try again.")

    def _values(self, before: Webhook, change: WebhookChange) -> dict[str, Any]:
        """Return the values of columns that a change gives; raises ApiError where the client app may not have them."""
        values = {name: getattr(change, name) for name in change.model_fields_set if name != "active"}
        fields, domain = values.get("fields", before.fields), values.get("domain", before.domain)
        wanted = replace(before.wanted, fields=None if fields is None else tuple(fields), domain=domain)
        begun = None
        if wanted != before.wanted:
            begun = self._begin(wanted)
            values |= {"token": begun.token, "tables": list(begun.tables)}
        if "active" not in change.model_fields_set or change.active == before.active:
            return values
        if not change.active:
            return values | {
                "active": False,
                "reason": store.BY_HAND,
                "off_at": datetime.now(timezone.utc),
                "run": None,
            }
        if begun is None:
            self._begin(wanted)  # raises where the client app may not be told of anything
        return values | {"active": True, "reason": "", "off_at": None}

    def remove(self, owner: Owner, webhook: str) -> None:
        """Delete a webhook and its deliveries; raises NotFound."""
        before = self.one(owner, webhook)
        with self._database.transaction() as cr:
            store.remove(cr, webhook)
            _note(cr, owner, webhook, _told(before), None)

    def rotate(self, owner: Owner, webhook: str, rotation: Rotation) -> tuple[Webhook, str]:
        """Give a webhook a new secret and return it; the one of before signs too for a time. Raises NotFound."""
        before, sealer = self.one(owner, webhook), self._secrets()
        secret = sealer.generate()
        with self._database.transaction() as cr:
            store.rotate(cr, webhook, sealer.seal(secret, webhook), rotation.overlap)
            _note(cr, owner, webhook, {}, {"rotated": True, "old_good_for_seconds": rotation.overlap})
        return before, secret

    def test(self, owner: Owner, webhook: str) -> Delivery:
        """Have a message sent that tells of no record; returns its delivery, or that of one which waits already.

        Raises NotFound, and Conflict for one that is off.
        """
        found = self._on(owner, webhook)
        with self._database.transaction() as cr:
            deliveries.hurry(cr, found.id)
            # One at a time: nobody fills the table by asking for more while a receiver is dead.
            waiting = deliveries.pending(cr, found.id, TEST) or store.add(cr, found.id, TEST)
            return _there(deliveries.one(cr, found.id, waiting))

    def deliveries(
        self, owner: Owner, webhook: str, *, limit: int, before: str | None = None, status: str | None = None
    ) -> list[Delivery]:
        """Return the deliveries of a webhook, the newest first, those before one of them. Raises NotFound."""
        self.one(owner, webhook)
        with self._database.transaction() as cr:
            start = _there(deliveries.one(cr, webhook, _checked(before))).seq if before else None
            return deliveries.of(cr, webhook, limit=limit, before=start, status=status)

    def redeliver(self, owner: Owner, webhook: str, delivery: str) -> Delivery:
        """Have a message sent again, about its record as it is now. Raises NotFound, and Conflict if it is off."""
        self._on(owner, webhook)
        with self._database.transaction() as cr:
            found = _there(deliveries.one(cr, webhook, _checked(delivery)))
            deliveries.again(cr, found)
            return _there(deliveries.one(cr, webhook, delivery))

    def _on(self, owner: Owner, webhook: str) -> Webhook:
        found = self.one(owner, webhook)
        if not found.active:
            message = "The webhook is switched off: switch it on first."
            raise Conflict(message, name="webhook_off", data={"reason": found.reason})
        return found

    def _api(self, owner: Owner, name: str) -> Definition:
        """Return the API that is named, by its name or route; raises BadRequest, also for one that others may call."""
        mine = [each for each in self._snapshot().published if owner.client in each.document.clients]
        for definition in mine:
            if name in (definition.name, definition.document.route):
                if not definition.document.webhooks:
                    message = f"The API {name!r} has no webhooks."
                    raise Forbidden(message, name="webhooks_disabled", data={"parameter": "api"})
                return definition
        message = f"There is no API {name[:80]!r} that this client app may call."
        names = [each.name for each in mine if each.document.webhooks]
        raise unknown(message, name, names, name="unknown_api", parameter="api")

    def _check_url(self, url: str) -> None:
        if not _CHECKING.acquire(blocking=False):
            message = "Other addresses are being looked up. Please try again in a moment."
            raise Unavailable(message, name="lookups_busy", retry_after=2)
        try:
            check_destination(url, self._trusted)
        except Refused as error:
            raise BadRequest(str(error), name="invalid_url", data={"parameter": "url"}) from None
        finally:
            _CHECKING.release()

    def _begin(self, wanted: Wanted) -> DeltaEvents:
        """Return the place from which on changes are committed from now on; raises ApiError."""
        try:
            return self._acting.run(wanted, lambda do: events(do, wanted, LATEST))
        except Ended as error:
            raise error.error or Forbidden(error.reason, name="webhooks_disabled") from None

    def _secrets(self) -> Secrets:
        return Secrets(self._hasher().key)


def _model(definition: Definition, model: str | None) -> str:
    """Return the model that is named, or the only one; raises BadRequest."""
    served = list(definition.exposures)
    if model is None and len(served) == 1:
        return served[0]
    if model in served:
        return str(model)
    if model is None:
        message = f"The API has several models: name one of {', '.join(served)}."
        raise BadRequest(message, name="unknown_model", data={"parameter": "model", "allowed": served})
    raise unknown(f"The API has no model {model[:80]!r}.", model, served, name="unknown_model", parameter="model")


def _checked(identifier: str) -> str:
    """Return an id that may be one; raises NotFound for text that the database need not be asked for."""
    if not _ID.fullmatch(identifier):
        raise _missing()
    return identifier


def _there(found: T | None) -> T:
    if found is None:
        raise _missing()
    return found


def _missing() -> NotFound:
    return NotFound("There is no such webhook, or no such delivery of it.")


def _told(webhook: Webhook) -> dict[str, Any]:
    """Return the keys of a webhook that the history knows."""
    return {
        "url": webhook.url,
        "api": webhook.api,
        "model": webhook.model,
        "events": list(webhook.events),
        "fields": None if webhook.fields is None else list(webhook.fields),
        "domain": webhook.domain,
        "thin": webhook.thin,
        "active": webhook.active,
    }


def _note(
    cr: Cursor, owner: Owner, webhook: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> None:
    """Write a change into the history; None stands for a webhook that is not there yet, or no longer."""
    name = f"{owner.client}: {webhook}"
    history.note(cr, actor=owner.actor, kind="webhook", name=name, before=before, after=after)
