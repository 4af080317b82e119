"""The history of what admins change, for what no trigger notes (migration 0004: definitions, client apps, settings)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg2.extras import Json

from app.database import Database

#: The row of the first call that was tried in the panel: its kind and name.
_FIRST_TRY = ("panel", "first call")


def note(
    cr: Any,
    *,
    actor: str,
    kind: str,
    name: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Write a row in the transaction of the change, where something differs; None where there is nothing."""
    if before != after:
        cr.execute(
            "INSERT INTO gatehouse.history (actor, kind, name, before, after) VALUES (%s, %s, %s, %s, %s)",
            (actor, kind, name, *(None if each is None else Json(dict(each)) for each in (before, after))),
        )


def note_client(cr: Any, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Write a row of a client app's history, in the transaction of the change; no secret may be in it."""
    cr.execute(
        "INSERT INTO gatehouse.history (actor, kind, name, before, after) VALUES "
        "(coalesce(nullif(current_setting('gatehouse.actor', true), ''), 'command line'), 'client', %s, %s, %s)",
        (name, Json(dict(before)), Json(dict(after))),
    )


def note_first_try(database: Database, actor: str, endpoint: str) -> None:
    """Write a row for a call that was tried and that no statistics count, unless there is one already."""
    with database.transaction() as cr:
        cr.execute(
            "INSERT INTO gatehouse.history (actor, kind, name, before, after) SELECT %s, %s, %s, %s, %s "
            "WHERE NOT EXISTS (SELECT FROM gatehouse.history WHERE (kind, name) = %s)",
            (actor, *_FIRST_TRY, Json({}), Json({"tried": endpoint}), _FIRST_TRY),
        )


def was_tried(database: Database) -> bool:
    """True if there is such a row."""
    query = "SELECT EXISTS (SELECT FROM gatehouse.history WHERE (kind, name) = %(row)s) AS found"
    (row,) = database.rows(query, {"row": _FIRST_TRY})
    return bool(row["found"])
