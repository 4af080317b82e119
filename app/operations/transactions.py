"""The transactions of this process, with the limits of the settings, and counted."""

from __future__ import annotations

from app.auth import bearers
from app.config import Settings
from app.observe import meters
from odoo_bridge import caches, credentials
from odoo_bridge.looks import Version
from odoo_bridge.transaction import Limits, Transactions


def make_transactions(database: str, settings: Settings) -> Transactions:
    """Return the runner of a database's transactions."""
    limits = Limits(settings.statement_timeout, settings.signaling_interval)
    found = Transactions(database, limits, on_retry=meters.RETRIES.inc, on_reload=meters.REGISTRY_RELOADS.inc)
    # Whatever ends a remembered token, key or user: together with Odoo's signals they tell it all.
    found.watch(Version(bearers.VERSION, empties=caches.PRINCIPALS))
    found.watch(credentials.foundations())
    return found
