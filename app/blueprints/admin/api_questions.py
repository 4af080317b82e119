"""Confirmations of what is done to APIs: each says which client apps and how many calls it concerns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import url_for

from app.blueprints.admin import traffic, webhook_facts
from app.blueprints.admin.confirmation import Confirmation, counted, listed
from app.blueprints.admin.editor import ApiRow
from app.blueprints.admin.endpoint_list import Served, ServedModel, models_of, switches_of
from app.definitions.document import BULK
from app.errors import NotFound

_NOBODY = "It is a draft: nobody can call it."
_NOTHING_GOES = "No call is refused for it: each model has this off already, or can only be read."


def question(row: ApiRow, what: str, given: Mapping[str, str]) -> Confirmation:
    """Return the confirmation of what is to be done to an API; raises NotFound.

    ``given`` are the values of the address: ``operation``, of what is to be switched off.
    """
    if what not in _QUESTIONS:
        raise NotFound("There is no such question.")
    return _QUESTIONS[what](row, given)


def _unpublish(row: ApiRow, given: Mapping[str, str]) -> Confirmation:
    effect = f"{_ends(row)} The definition stays, and can be published again."
    return _asked(row, f"Unpublish {row.name}?", effect, "Unpublish it", "publish", on=0)


def _to_test(row: ApiRow, given: Mapping[str, str]) -> Confirmation:
    effect = (
        f"Calls are answered as before, but whatever they write is discarded: {_writes(row)}. "
        "Only the header X-Test-Mode: true tells them."
    )
    return _asked(row, f"Put {row.name} into test mode?", effect, "To test mode", "mode", mode="test")


def _to_production(row: ApiRow, given: Mapping[str, str]) -> Confirmation:
    effect = f"From now on what calls write is kept: {_writes(row)}."
    return _asked(row, f"Put {row.name} into production?", effect, "To production", "mode", mode="production")


def _delete(row: ApiRow, given: Mapping[str, str]) -> Confirmation:
    effect = (
        f"Its definition goes for good. {_ends(row)} Log, statistics and audit stay. "
        "To stop it for a while, unpublish it; to keep a copy, take its YAML first."
    )
    return _asked(row, f"Delete {row.name}?", effect, "Delete it", "delete")


def _switch_off(row: ApiRow, given: Mapping[str, str]) -> Confirmation:
    operation, model = given.get("operation", ""), given.get("model", "")
    going = _going(row, operation, model)
    counts = traffic.by_endpoint(row.stored.id)
    calls = sum(counts.get(endpoint, 0) for endpoint, counted_here in going.items() if counted_here)
    name = operation.replace("_", " ") + (f" of {model}" if model else "")
    counted_elsewhere = bool(going) and not any(going.values())
    facts = {
        "Endpoints": ", ".join(going) or "none at the moment",
        **facts_of(row),
        "Calls in 24 hours": "counted with the other form of these endpoints" if counted_elsewhere else f"{calls:,}",
    }
    effect = (
        _NOTHING_GOES
        if not going
        else f"{_everybody(row)} will be refused this from now on, on every host. Everything else of this API stays."
        if row.stored.document["published"]
        else f"{_NOBODY} Once it is published, it will not have this."
    )
    values = {"operation": operation, "model": model, "on": 0}
    return _asked(row, f"Switch off {name} in {row.name}?", effect, "Switch it off", "switch", facts, **values)


def _going(row: ApiRow, operation: str, model: str) -> dict[str, bool]:
    """Return the endpoints that go with a switch, its bulk form's too, and whether their calls are counted as theirs.

    Models whose own switch stands otherwise have none; so there may be none at all. Raises NotFound where the switch is
    off, or not there.
    """
    models = models_of(row.definition) if row.definition else []
    of_all = switches_of(row.definition.document) if row.definition and len(models) > 1 and not model else []
    concerned = [served for served in models if model in ("", served.model)]
    forms = [form for served in concerned for form in _forms(served, operation, except_own=bool(of_all))]
    if not forms and not any(switch.name == operation and switch.on for switch in of_all):
        raise NotFound("There is no such operation, or it is off already.")
    found: dict[str, bool] = {}
    for form in forms:
        for method, path in form.endpoints:
            endpoint = f"{method} {path}"
            found[endpoint] = found.get(endpoint, False) or (method, path) not in form.shared
    return found


def _forms(served: ServedModel, operation: str, *, except_own: bool) -> list[Served]:
    """Return the forms of a model's operation that go with its switch; none where a switch of its own stays."""
    switches = {form.name: form.switch for form in served.operations if form.switch is not None and form.switch.on}
    if operation not in switches or (except_own and switches[operation].differs):
        return []
    going = {operation, f"{BULK}{operation}"}
    return [form for form in served.operations if form.name in switches and form.name in going]


_QUESTIONS: dict[str, Callable[[ApiRow, Mapping[str, str]], Confirmation]] = {
    "unpublish": _unpublish,
    "test": _to_test,
    "production": _to_production,
    "delete": _delete,
    "switch": _switch_off,
}


def facts_of(row: ApiRow) -> dict[str, str]:
    """Return the facts about an API that decide what a change of it does to others."""
    document = row.stored.document
    state = "published" if document["published"] else "draft: nobody can call it"
    return {
        "API": f"{row.name}, {document['route']}",
        "State": f"{state}, {'in test mode' if document['mode'] == 'test' else 'in production'}",
        "Client apps": _client_apps(row),
        "Webhooks": _webhooks(row),
        "Calls in 24 hours": f"{traffic.by_api().get(row.stored.id, 0):,}",
    }


def _client_apps(row: ApiRow) -> str:
    """Return the client apps of an API by name, with the calls of each in the last day."""
    calls = traffic.by_client(row.stored.id)
    names = sorted(row.stored.document["clients"], key=lambda name: -calls.get(name, 0))
    told = listed(f"{name} ({counted(calls.get(name, 0), 'call')})" for name in names)
    if not names:
        return "none"
    under = "this name" if len(names) == 1 else "these names"  # statistics keep the name of their time
    return f"{counted(len(names), 'client app')}: {told}; calls under {under}"


def _webhooks(row: ApiRow) -> str:
    """Return the number of webhooks that tell of an API's records, with their client apps."""
    found = [each.webhook for each in webhook_facts.listing() if each.webhook.api_id == row.stored.id]
    whose = f" of {listed(dict.fromkeys(each.client for each in found))}" if found else ""
    return f"{counted(len(found), 'webhook')}{whose}"


def _writes(row: ApiRow) -> str:
    """Return the writes that an API takes, in words: those of its client apps by number and name, and of the others."""
    document = row.stored.document
    others = "everybody" if document["authentication"] == "public" else "everybody who logs in"
    names = document["clients"] if document["authentication"] == "user" else []
    whose = f"{counted(len(names), 'client app')} ({listed(names)}) and of {others}" if names else others
    return f"the writes of {whose}" if document["published"] else f"the writes of {whose}, once it is published"


def _ends(row: ApiRow) -> str:
    """Return a sentence on the calls that end with an API."""
    return (
        f"{_everybody(row)} will get 404 from now on, on every host." if row.stored.document["published"] else _NOBODY
    )


def _everybody(row: ApiRow) -> str:
    """Return the callers as the beginning of a sentence."""
    names = row.stored.document["clients"]
    return f"{counted(len(names), 'client app')} and all other callers".capitalize() if names else "All callers"


def _asked(
    row: ApiRow,
    title: str,
    effect: str,
    button: str,
    endpoint: str,
    facts: dict[str, str] | None = None,
    **values: Any,
) -> Confirmation:
    return Confirmation(
        title=title,
        effect=effect,
        facts={**(facts or facts_of(row))},
        button=button,
        action=url_for(f"apis.{endpoint}", api_id=row.stored.id),
        back=url_for("apis.endpoints" if endpoint == "switch" else "apis.edit", api_id=row.stored.id),
        values={"revision": row.stored.revision, **values},
    )
