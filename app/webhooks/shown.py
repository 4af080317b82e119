"""Webhooks and deliveries as clients are shown them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.definitions.definition import Definition
from app.times import iso
from app.webhooks.deliveries import Delivery
from app.webhooks.store import Webhook


def webhook(found: Webhook, secret: str | None = None) -> dict[str, Any]:
    """Return a webhook; its secret is told this once, when it is new."""
    told = {
        "id": found.id,
        "url": found.url,
        "api": found.api,
        "model": found.model,
        "events": list(found.events),
        "fields": None if found.fields is None else list(found.fields),
        "domain": found.domain,
        "thin": found.thin,
        "active": found.active,
        "reason": found.reason or None,
        "off_at": _time(found.off_at),
        "failures": found.failures,
        "created_at": iso(found.created_at),
    }
    return told if secret is None else {**told, "secret": secret}


def delivery(found: Delivery, of: Webhook, definition: Definition | None) -> dict[str, Any]:
    """Return a delivery; ``definition`` is that of its API, without which nobody is told which record it is about."""
    return {
        "id": found.id,
        "event": found.event,
        "record": record(found, of, definition),
        "status": found.status,
        "attempts": found.attempts,
        "created_at": iso(found.created_at),
        "last_attempt_at": _time(found.last_at),
        "next_attempt_at": iso(found.next_at) if found.status == "pending" else None,
        "milliseconds": found.milliseconds,
        "answer_status": found.answer_status,
        "answer": found.answer or None,
        "error": found.error or None,
    }


def record(found: Delivery, of: Webhook, definition: Definition | None) -> str | int | None:
    """Return the id, as callers of the API see it, of the record that a delivery is about; None without one."""
    if found.record_id is None or definition is None:
        return None
    return definition.ids.of(of.model).encode(found.record_id)


def _time(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
