"""The panel's transactions: looking, which keeps nothing, and changing, which the history knows the author of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from app.blueprints.admin.guard import current_person
from app.catalog import store
from app.web.services import services
from odoo_bridge.errors import BridgeError
from odoo_bridge.transaction import Environment

T = TypeVar("T")


def look(work: Callable[[Environment], T]) -> T:
    """Run ``work(root)`` and return its result; nothing that it does is kept."""
    return services().transactions.run(work, keep=False)


def change(work: Callable[[Environment], T]) -> T:
    """Run a change, and let this process serve it from the next request on; the others follow by themselves."""
    person = current_person()

    def within(root: Environment) -> T:
        store.claim(root.cr)
        # The trigger of the history reads it (migration 0004).
        root.cr.execute("SELECT set_config('gatehouse.actor', %s, true)", (person.login if person else "",))
        return work(root)

    result = services().transactions.run(within)
    # What is committed stands, and with it a secret that is shown this once: the watcher tries again by itself.
    with contextlib.suppress(BridgeError):
        services().catalog.refresh()
    return result
