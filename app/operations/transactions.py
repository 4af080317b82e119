"""The transactions of this process, with the limits of the settings, and counted."""

from __future__ import annotations

from app.config import Settings
from app.observe import meters
from odoo_bridge.transaction import Limits, Transactions


def make_transactions(database: str, settings: Settings) -> Transactions:
    """Return the runner of a database's transactions."""
    limits = Limits(settings.statement_timeout, settings.signaling_interval)
    return Transactions(database, limits, on_retry=meters.RETRIES.inc, on_reload=meters.REGISTRY_RELOADS.inc)
