"""Confirmations of what is done to webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import url_for

from app.blueprints.admin.client_questions import OVERLAPS, overlap_of
from app.blueprints.admin.confirmation import Confirmation, counted
from app.blueprints.admin.webhook_facts import Row, version_of
from app.errors import NotFound


def question(row: Row, what: str, given: Mapping[str, str]) -> Confirmation:
    """Return the confirmation of what is to be done to a webhook; raises NotFound.

    ``given`` are the values of the address: ``overlap`` of a rotation.
    """
    if what not in _QUESTIONS:
        raise NotFound("There is no such question.")
    return _QUESTIONS[what](row, given)


def _switch_off(row: Row, given: Mapping[str, str]) -> Confirmation:
    effect = (
        "Nothing is sent until it is switched on again; then it goes on where it was. If that is later than changes "
        "are kept, its receiver is told to read everything anew."
    )
    return _asked(row, f"Switch a webhook of {row.webhook.client} off?", effect, "Switch it off", "switch", on=0)


def _delete(row: Row, given: Mapping[str, str]) -> Confirmation:
    effect = (
        "It goes for good, with its secret and its deliveries: what waits is not sent any more. To stop it for a "
        "while, switch it off."
    )
    title = f"Delete a webhook of {row.webhook.client}?"
    return _asked(row, title, effect, "Delete it", "delete", version=version_of(row.webhook))


def _rotate(row: Row, given: Mapping[str, str]) -> Confirmation:
    overlap = overlap_of(given.get("overlap", ""))
    effect = (
        f"Messages are signed with both for {OVERLAPS[overlap].lower()}; by then the receiver needs the new one."
        if overlap
        else "Messages are signed with the new secret from now on: until the receiver has it, it will refuse them."
    )
    title = f"Make a new secret for a webhook of {row.webhook.client}?"
    return _asked(row, title, effect, "Make a new secret", "rotate", overlap=overlap)


_QUESTIONS: dict[str, Callable[[Row, Mapping[str, str]], Confirmation]] = {
    "off": _switch_off,
    "delete": _delete,
    "rotate": _rotate,
}


def _asked(row: Row, title: str, effect: str, button: str, endpoint: str, **values: Any) -> Confirmation:
    hook = row.webhook
    return Confirmation(
        title=title,
        effect=effect,
        facts={
            "Client app": hook.client,
            "URL": hook.url,
            "API": f"{hook.api}, {hook.model}",
            "State": "On" if hook.active else f"Off: {hook.reason}",
            "Waiting": counted(row.waiting, "delivery", "deliveries"),
        },
        button=button,
        action=url_for(f"hooks.{endpoint}", webhook_id=hook.id),
        back=url_for("hooks.details", webhook_id=hook.id),
        values=values,
    )
