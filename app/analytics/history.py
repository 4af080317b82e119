"""Rows of the history that no trigger writes: what an admin changed outside of Gatehouse's own tables."""

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
