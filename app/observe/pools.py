"""Connections to PostgreSQL: Odoo's pools are looked at a few times a second, our own are counted one by one."""

from __future__ import annotations

from app.database import Database
from app.observe import meters
from odoo_bridge import pools


def measure(database: Database) -> None:
    """Count our own connections: one is used from its opening to its end, also while the log has nothing to write."""
    database.on_connection = meters.CONNECTIONS.labels("own", "used").inc


def sample() -> None:
    """Measure the use of Odoo's pools of this process."""
    for name, use in pools.use().items():
        meters.CONNECTIONS.labels(name, "used").set(use.used)
        meters.CONNECTIONS.labels(name, "idle").set(use.idle)
        meters.CONNECTIONS_LIMIT.labels(name).set(use.limit)
