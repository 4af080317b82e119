"""Confirmations of what is done to client apps: each says which tokens, APIs and persons it concerns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import url_for

from app.blueprints.admin import traffic, webhook_facts
from app.blueprints.admin.client_apps import Details
from app.blueprints.admin.confirmation import Confirmation, counted, listed
from app.clients.live_tokens import LiveToken
from app.errors import BadRequest, NotFound
from app.literals import to_number

#: How long the old secret stays good after a rotation: seconds, and what the choice is called.
OVERLAPS = {0: "Ends at once", 3600: "One hour", 86_400: "One day", 7 * 86_400: "One week"}


def question(found: Details, what: str, given: Mapping[str, str]) -> Confirmation:
    """Return the confirmation of what is to be done to a client app; raises NotFound.

    ``given`` are the values of the address: ``overlap`` of a rotation, ``lookup`` of a token, ``uid`` of a consent.
    """
    if what not in _QUESTIONS:
        raise NotFound("There is no such question.")
    return _QUESTIONS[what](found, given)


def overlap_of(text: str) -> int:
    """Return the seconds of a choice; 0 for anything else."""
    wanted = to_number(text)
    return wanted if wanted is not None and wanted in OVERLAPS else 0


def _switch_off(found: Details, given: Mapping[str, str]) -> Confirmation:
    return _asked(
        found,
        f"Switch {found.client.name} off?",
        "Its secret and its tokens are refused at once, on every host, until it is switched on again. "
        "Tokens that have not expired by then are good again.",
        "Switch it off",
        "switch",
        {"on": 0},
    )


def _delete(found: Details, given: Mapping[str, str]) -> Confirmation:
    return _asked(
        found,
        f"Delete {found.client.name}?",
        "It goes for good, with its secret, tokens, consents and webhooks, and the APIs below name it no longer. Its "
        "calls are refused at once. What it did stays in the log and the audit, under its name. To stop it for a "
        "while, switch it off.",
        "Delete it",
        "delete",
        {"version": found.version},
    )


def _rotate(found: Details, given: Mapping[str, str]) -> Confirmation:
    overlap = overlap_of(given.get("overlap", ""))
    if not found.has_secret:
        effect = "So far it has none and acts for persons alone. With a secret it can act by itself too."
    elif overlap:
        effect = f"The old secret stays good for {OVERLAPS[overlap].lower()}; until then its programs need the new one."
    else:
        effect = "The old secret ends at once: whatever program has it gets no token any more. Tokens stay good."
    return _asked(
        found,
        f"Make a new secret for {found.client.name}?",
        effect,
        "Make a new secret",
        "rotate",
        {"overlap": overlap},
    )


def _revoke(found: Details, given: Mapping[str, str]) -> Confirmation:
    lookup = given.get("lookup", "")
    if lookup:
        return _revoke_one(found, _token(found, lookup))
    return _asked(
        found,
        f"Revoke all tokens of {found.client.name}?",
        f"{counted(len(found.tokens), 'token').capitalize()} will be refused at once. A program with the secret can "
        "fetch a new one; persons are sent through the log-in again.",
        "Revoke all",
        "revoke",
        {},
    )


def _revoke_one(found: Details, token: LiveToken) -> Confirmation:
    family = " With it end all tokens of the same consent." if token.kind == "refresh" else ""
    return Confirmation(
        title=f"Revoke a token of {found.client.name}?",
        effect=f"It is refused at once.{family} Other tokens stay good.",
        facts={
            "Token": f"{token.lookup} ({token.kind})",
            "Acts for": found.people.get(token.uid or 0, "itself"),
            "Scopes": ", ".join(token.scopes),
            "Last used": token.last_used or "never",
            "Expires": token.expires,
        },
        button="Revoke it",
        action=url_for("clients.revoke", client_id=found.client.id),
        back=url_for("clients.edit", client_id=found.client.id),
        values={"lookup": token.lookup},
    )


def _withdraw(found: Details, given: Mapping[str, str]) -> Confirmation:
    uid = to_number(given.get("uid", ""))
    consent = next((each for each in found.consents if each[0] == uid), None)
    if uid is None or consent is None:
        raise BadRequest("There is no such consent.")
    tokens = [token for token in found.tokens if token.uid == uid]
    person = found.people[uid]
    return Confirmation(
        title=f"Withdraw the consent of {person}?",
        effect=f"{found.client.name} can no longer act for {person}: its tokens for them end at once, and it has to "
        "ask them anew.",
        facts={
            "Has allowed": ", ".join(consent[1]),
            "Since": consent[2],
            "Live tokens": counted(len(tokens), "token"),
            "Last used": max((each.last_used for each in tokens if each.last_used), default="never"),
        },
        button="Withdraw it",
        action=url_for("clients.withdraw", client_id=found.client.id),
        back=url_for("clients.edit", client_id=found.client.id),
        values={"uid": uid},
    )


_QUESTIONS: dict[str, Callable[[Details, Mapping[str, str]], Confirmation]] = {
    "off": _switch_off,
    "delete": _delete,
    "rotate": _rotate,
    "revoke": _revoke,
    "withdraw": _withdraw,
}


def _asked(
    found: Details, title: str, effect: str, button: str, endpoint: str, values: Mapping[str, Any]
) -> Confirmation:
    return Confirmation(
        title=title,
        effect=effect,
        facts=_facts(found),
        button=button,
        action=url_for(f"clients.{endpoint}", client_id=found.client.id),
        back=url_for("clients.edit", client_id=found.client.id),
        values=values,
    )


def _facts(found: Details) -> dict[str, str | datetime]:
    calls = traffic.by_client().get(found.client.name, 0)  # statistics keep the name of their time
    return {
        "Client id": found.client.client_id,
        "State": "Active" if found.client.active else "Off",
        "Acts as": found.user or "no user of its own",
        "APIs": listed(found.apis) or "none",
        "Live tokens": counted(len(found.tokens), "token"),
        "Last used": found.last_used or "never",
        "Consents": counted(len(found.consents), "person has", "persons have") + " allowed it to act for them",
        "Webhooks": counted(len(webhook_facts.listing(found.client.id)), "webhook"),
        "Calls in 24 hours": f"{calls:,} under this name",
    }


def _token(found: Details, lookup: str) -> LiveToken:
    token = next((each for each in found.tokens if each.lookup == lookup), None)
    if token is None:
        raise NotFound("This token is not good any more.")
    return token
