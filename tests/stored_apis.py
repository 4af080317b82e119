"""The stored definitions, as tests write and look at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.catalog import store
from app.catalog.store import Stored
from app.web.routing import Gatehouse


def write(app: Gatehouse, documents: list[dict[str, Any]], defaults: dict[str, Any] | None = None) -> None:
    """Create or update APIs by name."""
    with app.services.database.transaction() as cr:
        stored = store.load(cr)
        store.write(cr, stored, documents, store.changes(stored, documents, prune=False), defaults=defaults)


def load(app: Gatehouse) -> Stored:
    """Return everything."""
    with app.services.database.transaction() as cr:
        return store.load(cr)


def delete(app: Gatehouse, names: Sequence[str] | None = None) -> None:
    """Delete APIs by name, or all of them."""
    with app.services.database.transaction() as cr:
        if names is None:
            cr.execute("DELETE FROM gatehouse.api")
        else:
            cr.execute("DELETE FROM gatehouse.api WHERE name = ANY(%s)", (list(names),))
