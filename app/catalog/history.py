"""The history of what admins change. Definitions, client apps and settings are noted by a trigger (migration 0004).

What is noted here are acts on a client app's credentials, whose tables also change by themselves.
"""

from __future__ import annotations

from typing import Any

from psycopg2.extras import Json


def note_client(cr: Any, name: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Note what was done to a client app, in the transaction that does it; nothing secret may be among it."""
    cr.execute(
        "INSERT INTO gatehouse.history (actor, kind, name, before, after) VALUES "
        "(coalesce(nullif(current_setting('gatehouse.actor', true), ''), 'command line'), 'client', %s, %s, %s)",
        (name, Json(before), Json(after)),
    )
