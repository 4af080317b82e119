"""Parameters of the query string, of headers and of paths: how one is written, and those that all APIs share."""

from __future__ import annotations

from typing import Any

from app.definitions.ids import MAX_ID
from app.openapi.components import Schema
from app.openapi.parts import Json
from app.policy.query import PAGINGS
from odoo_bridge.types import COUNT_MODES


def parameter(name: str, place: str, schema: Schema, description: str, **more: Any) -> Json:
    """Return a parameter; ``place`` is query, header or path."""
    return {"name": name, "in": place, "description": description, "schema": schema, **more}


def listed(name: str, items: Schema, description: str, **more: Any) -> Json:
    """Return a parameter of the query string that is written as ``a,b,c``."""
    return parameter(name, "query", {"type": "array", "items": items, **more}, description, style="form", explode=False)


#: Parameters that are the same for all APIs.
SHARED: dict[str, Json] = {
    # None of these names its default: some generated clients send those, and they differ with the way of paging.
    "offset": parameter(
        "offset",
        "query",
        {"type": "integer", "minimum": 0, "maximum": MAX_ID},
        "Records to leave out; not with `paging=cursor`. The further back a page is, the more it costs.",
    ),
    "paging": parameter(
        "paging",
        "query",
        {"enum": list(PAGINGS), "type": "string"},
        "`cursor` leads through any number of records: page 10,000 costs what page 1 costs, and none is met twice or "
        "left out while others are written. Without it, pages are cut by `offset`.",
    ),
    "cursor": parameter(
        "cursor",
        "query",
        {"type": "string", "format": "cursor"},
        "The `next_cursor` of the page before, with the same parameters; only `limit` and `count` may differ.",
    ),
    "count": parameter(
        "count",
        "query",
        {"enum": list(COUNT_MODES), "type": "string"},
        "`exact`, unless it is paged by cursor. "
        "`estimate` counts few records exactly and many about: it is quick whatever their number, and `estimated` says "
        "which it was. `none` spares the count: `length` is null. With both `has_more` says whether more follow.",
    ),
    "atomic": parameter(
        "atomic",
        "query",
        {"type": "boolean", "default": True},
        "`false` makes each item of a bulk call stand for itself, and answers for each.",
    ),
    "Accept-Language": parameter(
        "Accept-Language",
        "header",
        {"type": "string"},
        "The language of translated values and messages.",
        example="fr-FR, en;q=0.8",
    ),
    "X-Timezone": parameter(
        "X-Timezone",
        "header",
        {"type": "string", "format": "time-zone"},
        "The time zone that Odoo reckons in, for what depends on the day: a name of the IANA's.",
        example="Europe/Berlin",
    ),
    "If-Match": parameter(
        "If-Match", "header", {"type": "string"}, "Change the record only if its ETag is one of these; `*` takes any."
    ),
    "If-None-Match": parameter(
        "If-None-Match", "header", {"type": "string"}, "Answer 304 if the record's ETag is still one of these."
    ),
    "Prefer": parameter(
        "Prefer",
        "header",
        {"type": "string"},
        "`tx=rollback` is a dry run: the call is answered as it would be, and nothing of it is kept.",
        example="tx=rollback",
    ),
    "If-None-Match-Any": parameter(
        "If-None-Match",
        "header",
        {"type": "string", "pattern": r"^\*$"},
        "Only create: 412 where there is such a record.",
    ),
    "Idempotency-Key": parameter(
        "Idempotency-Key",
        "header",
        {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "The same call with the same key is done once within 24 hours; for example a UUID.",
    ),
    # Of what is sent by webhooks (Standard Webhooks, "Webhook headers").
    "webhook-id": parameter(
        "webhook-id",
        "header",
        {"type": "string"},
        "The id of the message, the same at each attempt: what has come before can be left alone.",
        required=True,
    ),
    "webhook-timestamp": parameter(
        "webhook-timestamp",
        "header",
        {"type": "string", "pattern": "^[0-9]+$"},
        "When this attempt was made, in seconds since 1970: refuse what is older than five minutes.",
        required=True,
    ),
    "webhook-signature": parameter(
        "webhook-signature",
        "header",
        {"type": "string"},
        "`v1,` and the HMAC-SHA256 of id, timestamp and body; two of them, with a blank between, while two secrets are "
        "good.",
        required=True,
    ),
}


def shared(*names: str) -> list[Json]:
    """Return references to shared parameters."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]
