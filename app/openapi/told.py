"""Messages of webhooks, as the Webhooks of OpenAPI 3.1: one for each event of a model, and two about no record."""

from __future__ import annotations

from app.definitions.definition import Exposure, Node
from app.openapi import examples, parameters
from app.openapi.components import Components, Schema, class_name
from app.openapi.described import Described
from app.openapi.parts import Json
from app.openapi.webhooks import TAG
from app.webhooks.document import EVENTS
from app.webhooks.following import RESYNC
from app.webhooks.reading import TEST

_SUMMARIES = {"created": "{} is there", "updated": "{} has changed", "removed": "{} is gone"}
_TEXTS = {
    "created": "The record has entered the domain, or the sight of the client app: it may be older.",
    "updated": "A field that is sent, or would be, has changed.",
    "removed": "The record was deleted or archived, or has left the domain or the sight of the client app.",
    TEST: "Somebody wants to see whether the webhook works. It tells of no record.",
    RESYNC: "Events may have been missed: read all records anew. What changes from now on is told as before.",
}
_AS_IT_IS = " The record is sent as it is when this attempt is made."
#: Answers of receivers.
_ANSWERS: Json = {
    "2XX": {"description": "Accepted: it is not sent again."},
    "410": {"description": "The receiver wants no more: the webhook is switched off."},
    "default": {
        "description": "Anything else, a redirect too, or no answer in 15 seconds: it is tried again, for three days."
    },
}
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_WEBHOOK_ID = "hook_2mO8kAhy0mY8r5xN"
_AT = "2026-01-31T08:00:00.123Z"


def messages(api: Described) -> dict[str, Json]:
    """Return the messages of an API, by name; those that tell of no record are the same for all APIs."""
    several = len(api.document.models) > 1
    found: dict[str, Json] = {}
    for exposure in api.definition.exposures.values():
        model = [exposure.name.replace(".", "_")] if several else []
        for event in EVENTS:
            sent = _message(api.components, event, _data(api, exposure, event), api.named(exposure, f"webhook {event}"))
            found["_".join([api.name, *model, event])] = _item(
                "_".join([api.name, *model, "webhook", event]),
                _SUMMARIES[event].format(f"A record of {exposure.node.model.label}"),
                _TEXTS[event] + (_AS_IT_IS if event != "removed" else ""),
                sent,
                _enveloped(event, _example(api, exposure, event)),
            )
    if found:
        found |= {f"webhook_{event}": _of_no_record(api.components, event) for event in (TEST, RESYNC)}
    return found


def _data(api: Described, exposure: Exposure, event: str) -> Schema:
    """Return the schema of what is told of a record."""
    properties = {
        "webhook": {"type": "string", "description": "The id of the webhook."},
        "api": {"type": "string", "const": api.definition.name},
        "model": {"type": "string", "const": exposure.name},
        "id": api.id(exposure),
    }
    required = list(properties)
    if event != "removed":
        record = api.record(exposure, _shown(exposure))
        properties["record"] = {**record, "description": "Not where the webhook is `thin`."}
    kind = "webhook removed data" if event == "removed" else "webhook data"
    return api.components.add(api.named(exposure, kind), _closed(properties, required))


def _shown(exposure: Exposure) -> Node:
    """Return the node of what a delta shows: without scope ``read``, or where nobody may read, what a search does."""
    return exposure.node if "read" in exposure.switches else exposure.searchable


def _of_no_record(components: Components, event: str) -> Json:
    texts = ("webhook", "api", "model", "message")
    data = components.add("WebhookNoticeData", _closed({name: {"type": "string"} for name in texts}, texts))
    example = {"webhook": _WEBHOOK_ID, "api": "Partners", "model": "res.partner", "message": _TEXTS[event]}
    summary = "A test" if event == TEST else "Events may have been missed"
    sent = _message(components, event, data, class_name("webhook", event))
    return _item(f"webhook_{event}", summary, _TEXTS[event], sent, _enveloped(event, example))


def _message(components: Components, event: str, data: Schema, name: str) -> Schema:
    properties: Schema = {
        "type": {"type": "string", "const": event},
        "timestamp": {"type": "string", "format": "date-time", "description": "When this was found."},
        "data": data,
    }
    return components.add(name, _closed(properties, list(properties)))


def _closed(properties: Schema, required: list[str] | tuple[str, ...]) -> Schema:
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


def _item(name: str, summary: str, text: str, schema: Schema, example: Json) -> Json:
    """Return the Path Item of a message."""
    content = {"application/json": {"schema": schema, "example": example}}
    operation = {
        "operationId": name,
        "tags": [TAG["name"]],
        "summary": summary,
        "description": text,
        "parameters": parameters.shared(*_HEADERS),
        "requestBody": {"required": True, "content": content},
        "responses": _ANSWERS,
        "security": [],
        # OpenAPI Generator would make calls of it, in a client that is no valid Python nor TypeScript.
        "x-internal": True,
    }
    return {"post": operation}


def _enveloped(event: str, data: Json) -> Json:
    return {"type": event, "timestamp": _AT, "data": data}


def _example(api: Described, exposure: Exposure, event: str) -> Json:
    data: Json = {"webhook": _WEBHOOK_ID, "api": api.definition.name, "model": exposure.name}
    data["id"] = examples.record_id(api.definition, exposure.name)
    return data if event == "removed" else {**data, "record": examples.record(api.definition, _shown(exposure))}
