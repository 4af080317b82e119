"""The calls by which client apps have webhooks: contract section 10. What is sent to them is in ``told``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.definitions.definition import Definition
from app.definitions.scopes import Scope
from app.openapi import parameters, parts
from app.openapi.components import Components, Schema, class_name
from app.openapi.parts import Failing, Json
from app.openapi.schemas import choice
from app.webhooks.deliveries import STATUSES
from app.webhooks.document import EVENTS, MOST_OF_PAGE, MOST_OVERLAP, OVERLAP, PAGE
from app.webhooks.following import RESYNC
from app.webhooks.reading import TEST

TAG: Json = {
    "name": "Webhooks",
    "description": "Changes of records, sent to client apps. Each app has its own, by a token that it was given for "
    "itself (client credentials) with the scope `search`.",
}
_BASE = "/api/webhooks"
_IDENTIFIER: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_MOMENT_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_NUMBER_OR_NULL: Schema = {"type": ["integer", "null"]}
#: An address that is not called: one that has none (RFC 6761 6.5).
_URL = "https://shop.example/webhooks"

#: What can be said and changed of a webhook, and is told of it.
_KEYS: dict[str, Schema] = {
    "url": {"type": "string", "format": "uri", "minLength": 1, "maxLength": 2000, "description": "Where to."},
    "events": {
        "type": "array",
        "items": {"type": "string", "enum": list(EVENTS)},
        "minItems": 1,
        "description": "All of them, unless it says which.",
    },
    "fields": {
        "type": ["array", "null"],
        "items": {"type": "string"},
        "description": "Only these fields are sent, and only their changes are told; null is all that a delta shows.",
    },
    "domain": {
        "type": "array",
        "items": {},
        "description": "Only of records that match, by fields that a search filters by.",
    },
    "thin": {"type": "boolean", "description": "Only ids are sent, no values."},
}
_ACTIVE: Schema = {"type": "boolean", "description": "False: nothing is sent, until it is switched on."}
_WEBHOOK: dict[str, Schema] = {
    "id": _IDENTIFIER,
    "api": {"type": "string", "description": "The name of the API whose records it tells of."},
    "model": {"type": "string"},
    **_KEYS,
    "active": _ACTIVE,
    "reason": {**_TEXT_OR_NULL, "description": "Why it is off."},
    "off_at": _MOMENT_OR_NULL,
    "failures": {"type": "integer", "minimum": 0, "description": "Attempts that have failed since the last good one."},
    "created_at": _MOMENT,
}
_SECRET: Schema = {"type": "string", "description": "What messages are signed with: shown this once."}
_DELIVERY: dict[str, Schema] = {
    "id": {**_IDENTIFIER, "description": "The header `webhook-id` of its message, the same at each attempt."},
    "event": {"type": "string", "enum": [*EVENTS, TEST, RESYNC]},
    "record": {"type": ["string", "integer", "null"], "description": "Which record it is about, in the API's form."},
    "status": {
        "type": "string",
        "enum": list(STATUSES),
        "description": "`superseded`: the record was removed before this could be sent.",
    },
    "attempts": {"type": "integer", "minimum": 0},
    "created_at": _MOMENT,
    "last_attempt_at": _MOMENT_OR_NULL,
    "next_attempt_at": {**_MOMENT_OR_NULL, "description": "Of a pending one: not before this."},
    "milliseconds": {**_NUMBER_OR_NULL, "description": "How long the last attempt took."},
    "answer_status": {**_NUMBER_OR_NULL, "description": "What the last attempt was answered with."},
    "answer": {**_TEXT_OR_NULL, "description": "The beginning of the answer's text."},
    "error": {**_TEXT_OR_NULL, "description": "Why there was no answer."},
}
#: Kinds of failures of their own.
_NOT_FOUND = Failing("WebhookNotFound", "not_found", "The client app has no such webhook, or that no such delivery.")
_TOO_MANY = Failing("TooManyWebhooks", "too_many_webhooks", "The client app has as many webhooks as it may have.")
_OFF = Failing("WebhookOff", "webhook_off", "The webhook is switched off.")
_NOT_ALLOWED = Failing(
    "WebhooksForbidden", "client_needed", "No client app's own token, a scope is missing, or the API has no webhooks."
)
#: What any of the calls may end with, and those that have a body.
_FAILURES, _OF_BODIES = (400, 401, 403, 414, 429, 500, 503), (413, 415)


class _Calls:
    """The Operation Objects of one document."""

    def __init__(self, components: Components, definitions: Sequence[Definition]) -> None:
        self._components = components
        self._definitions = definitions
        self._webhook = components.add("Webhook", _object(_WEBHOOK))
        self._new = components.add("WebhookWithSecret", _object({**_WEBHOOK, "secret": _SECRET}))
        self._delivery = components.add("WebhookDelivery", _object(_DELIVERY))

    def create(self) -> Json:
        models = list(dict.fromkeys(name for each in self._definitions for name in each.exposures))
        keys = {
            "api": {**choice([each.name for each in self._definitions]), "description": "The name of the API."},
            "model": {**choice(models), "description": "The model, where the API has several."},
            **_KEYS,
        }
        first = self._definitions[0]
        example: Json = {"url": _URL, "api": first.name, "events": list(EVENTS)}
        if len(first.exposures) > 1:
            example["model"] = next(iter(first.exposures))
        return self._call(
            "create",
            "Have changes sent to an address",
            "What is committed from now on is told. The answer has the secret, this once.",
            (201, self._new, "The webhook, with its secret."),
            body=("WebhookRequest", _object(keys, "url", "api"), example),
            headers=("Location",),
            failures={409: _TOO_MANY},
        )

    def every(self) -> Json:
        found = _object({"webhooks": {"type": "array", "items": self._webhook}})
        return self._call(
            "list",
            "List the webhooks of this client app",
            "The oldest first, without secrets.",
            (200, found, "The webhooks."),
        )

    def one(self) -> Json:
        return self._call(
            "read",
            "Read a webhook",
            "`active` and `reason` say whether it is on, and why not.",
            (200, self._webhook, "The webhook."),
            path=("webhook",),
        )

    def change(self) -> Json:
        return self._call(
            "update",
            "Change a webhook",
            "Changes the keys that are given. With other `fields` or another `domain` it is told of what is committed "
            "from now on; one that is switched on goes on where it was.",
            (200, self._webhook, "The webhook as it is then."),
            path=("webhook",),
            body=("WebhookUpdate", _object({**_KEYS, "active": _ACTIVE}, needs=()), {"active": True}),
        )

    def remove(self) -> Json:
        nothing: Schema = {"description": "Null."}
        text = "Its deliveries go with it."
        return self._call("delete", "Delete a webhook", text, (200, nothing, "It is gone."), path=("webhook",))

    def test(self) -> Json:
        return self._call(
            "test",
            "Have a test sent",
            "It tells of no record. The delivery says what has come of it.",
            (202, self._delivery, "The delivery, which is sent in a moment."),
            path=("webhook",),
            failures={409: _OFF},
        )

    def rotate(self) -> Json:
        seconds = {"type": "integer", "minimum": 0, "maximum": MOST_OVERLAP, "default": OVERLAP}
        text = "Seconds for which messages are signed with the secret of before too."
        keys = {"overlap": {**seconds, "description": text}}
        return self._call(
            "rotate",
            "Make a new secret",
            "Messages carry a signature of each secret for a time.",
            (200, self._new, "The webhook, with its new secret."),
            path=("webhook",),
            body=("WebhookRotation", _object(keys, needs=()), {"overlap": OVERLAP}),
        )

    def deliveries(self) -> Json:
        limit = {"type": "integer", "minimum": 1, "maximum": MOST_OF_PAGE, "default": PAGE}
        found = {
            "deliveries": {"type": "array", "items": self._delivery},
            "next": {**_TEXT_OR_NULL, "description": "The `before` of the next page; null on the last."},
        }
        return self._call(
            "deliveries",
            "List the deliveries of a webhook",
            "The newest first. Those that are settled are kept for some days.",
            (200, _object(found), "A page of deliveries."),
            path=("webhook",),
            query=(
                parameters.parameter("limit", "query", limit, "The most deliveries to return."),
                parameters.parameter("before", "query", _IDENTIFIER, "Those that are older than this delivery."),
                parameters.parameter("status", "query", choice(STATUSES), "Those of this status alone."),
            ),
        )

    def redeliver(self) -> Json:
        return self._call(
            "redeliver",
            "Have a message sent again",
            "With the same id, and with the record as it is now.",
            (202, self._delivery, "The delivery, which is sent in a moment."),
            path=("webhook", "delivery"),
            failures={409: _OFF},
        )

    def _call(
        self,
        name: str,
        summary: str,
        text: str,
        good: tuple[int, Schema, str],
        *,
        path: Sequence[str] = (),
        query: Sequence[Json] = (),
        body: tuple[str, Schema, Any] | None = None,
        headers: Sequence[str] = (),
        failures: Mapping[int, Failing] | None = None,
    ) -> Json:
        status, result, described = good
        answer = self._components.add(class_name("webhooks", name, "answer"), parts.answer(result, may_fail=False))
        operation: Json = {
            "operationId": f"webhooks_{name}",
            "tags": [TAG["name"]],
            "summary": summary,
            "description": text,
        }
        which = [parameters.parameter(each, "path", _IDENTIFIER, f"The {each}.", required=True) for each in path]
        if which or query:
            operation["parameters"] = [*which, *query]
        own: dict[int, Failing] = {403: _NOT_ALLOWED, **({404: _NOT_FOUND} if path else {}), **(failures or {})}
        if body is not None:
            kind, schema, example = body
            content = {"schema": self._components.add(kind, schema), "example": example}
            operation["requestBody"] = {"required": True, "content": {"application/json": content}}
        marks = ["X-Request-ID", *parts.RATE]
        operation["responses"] = {
            str(status): {
                "description": described,
                "headers": parts.headers(*marks, *headers),
                "content": {"application/json": {"schema": answer}},
            }
        }
        for each in sorted({*_FAILURES, *own, *(_OF_BODIES if body else ())}):
            operation["responses"][str(each)] = parts.fail(self._components, each, marks, own.get(each))
        operation["security"] = [{"oauth2": [Scope.SEARCH.value]}]
        return operation


def paths(components: Components, definitions: Sequence[Definition]) -> dict[str, Json]:
    """Return the path items of webhooks; none where none of the APIs has any."""
    telling = [each for each in definitions if each.document.webhooks and each.exposures]
    if not telling:
        return {}
    calls = _Calls(components, telling)
    one = f"{_BASE}/{{webhook}}"
    return {
        _BASE: {"post": calls.create(), "get": calls.every()},
        one: {"get": calls.one(), "patch": calls.change(), "delete": calls.remove()},
        f"{one}/test": {"post": calls.test()},
        f"{one}/rotate": {"post": calls.rotate()},
        f"{one}/deliveries": {"get": calls.deliveries()},
        f"{one}/deliveries/{{delivery}}/redeliver": {"post": calls.redeliver()},
    }


def _object(properties: dict[str, Schema], *required: str, needs: Sequence[str] | None = None) -> Schema:
    """Return the schema of an object of these properties alone, of which it has all unless it says which."""
    names = list(required or (properties if needs is None else needs))
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": names} if names else found
