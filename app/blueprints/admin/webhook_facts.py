"""Webhooks for the panel: what is shown of them, and what a new one may be made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from app.blueprints.admin import transactions
from app.blueprints.admin.guard import current_person
from app.clients import store as clients
from app.errors import NotFound
from app.web.services import services
from app.webhooks import shown
from app.webhooks.deliveries import Delivery
from app.webhooks.store import Webhook
from app.webhooks.subscriptions import Owner

#: Deliveries on a page.
PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A webhook, and the number of its deliveries that wait."""

    webhook: Webhook
    waiting: int

    @property
    def needs_a_look(self) -> bool:
        """True if it has failed, or was switched off not by hand."""
        return self.webhook.was_ended or self.webhook.is_failing


@dataclass(frozen=True, slots=True)
class Possible:
    """Values of a new webhook: client apps by id, APIs, and the models of APIs that have several, with their APIs."""

    clients: dict[int, str]
    apis: list[str]
    models: dict[str, str]


@dataclass(frozen=True, slots=True)
class Deliveries:
    """A page of deliveries, each with its record's id as callers see it; ``older`` is where the next page begins."""

    rows: Sequence[tuple[Delivery, str | int | None]]
    older: str | None


def listing(client_id: int | None = None) -> list[Row]:
    """Return all webhooks, or those of one client app: those first that need a look, then those that are on."""
    found = [Row(webhook, waiting) for webhook, waiting in services().webhooks.overview()]
    return sorted((row for row in found if client_id in (None, row.webhook.client_id)), key=_rank)


def find(webhook_id: str) -> Row:
    """Return a webhook; raises NotFound."""
    return Row(*services().webhooks.find(webhook_id))


def owner_of(webhook: Webhook) -> Owner:
    """Return the client app of a webhook, for whom the present person acts."""
    return _owner(webhook.client_id, webhook.client)


def owner(client_id: int) -> Owner:
    """Return the same of a client app; raises NotFound."""
    found = transactions.look(lambda root: clients.by_id(root.cr, client_id))
    if found is None:
        raise NotFound("There is no such client app.")
    return _owner(found.id, found.name)


def deliveries(webhook: Webhook, *, before: str | None, status: str | None) -> Deliveries:
    """Return deliveries of a webhook, the newest first; raises NotFound."""
    own = owner_of(webhook)
    found = services().webhooks.deliveries(own, webhook.id, limit=PER_PAGE + 1, before=before, status=status)
    definition = services().catalog.snapshot.definitions.get(webhook.api_id)
    page = found[:PER_PAGE]
    rows = [(each, shown.record(each, webhook, definition)) for each in page]
    return Deliveries(rows, page[-1].id if len(found) > PER_PAGE else None)


def possible() -> Possible:
    """Return the choices for a new webhook: published APIs that have webhooks, and the client apps of these."""
    apis = [each for each in services().catalog.snapshot.published if each.document.webhooks and each.document.clients]
    names = {name for each in apis for name in each.document.clients}
    found = transactions.look(lambda root: clients.every(root.cr))
    models: dict[str, list[str]] = {}
    for api in apis:
        for model in api.exposures if len(api.exposures) > 1 else ():
            models.setdefault(model, []).append(api.name)
    return Possible(
        clients={each.id: each.name for each in found if each.name in names},
        apis=sorted(each.name for each in apis),
        models={model: f"{model} ({', '.join(sorted(of))})" for model, of in sorted(models.items())},
    )


def version_of(webhook: Webhook) -> str:
    """Return a text that tells what it is told of from others: a form says with it what its reader has seen."""
    told = (webhook.url, webhook.events, webhook.fields, webhook.domain, webhook.thin)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def _rank(row: Row) -> tuple[int, str]:
    hook = row.webhook
    rank = 0 if hook.was_ended else 1 if hook.is_failing else 2 if hook.active else 3
    return rank, hook.client.lower()


def _owner(client_id: int, name: str) -> Owner:
    person = current_person()
    return Owner(client_id, name, person.login if person else "")
