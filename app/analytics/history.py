"""The history of what admins change, for what no trigger notes (migration 0004: definitions, client apps, settings)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg2.extras import Json


def note(cr: Any, *, actor: str, kind: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Write a row in the transaction of the change, where something differs."""
    if before != after:
        cr.execute(
            "INSERT INTO gatehouse.history (actor, kind, name, before, after) VALUES (%s, %s, %s, %s, %s)",
            (actor, kind, name, Json(dict(before)), Json(dict(after))),
        )


def note_client(cr: Any, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Write a row of a client app's history, in the transaction of the change; no secret may be in it."""
    cr.execute(
        "INSERT INTO gatehouse.history (actor, kind, name, before, after) VALUES "
        "(coalesce(nullif(current_setting('gatehouse.actor', true), ''), 'command line'), 'client', %s, %s, %s)",
        (name, Json(dict(before)), Json(dict(after))),
    )
