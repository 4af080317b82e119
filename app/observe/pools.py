"""Connections to PostgreSQL: Odoo's pools are looked at a few times a second, our own engine tells of each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event

from app.observe import meters
from odoo_bridge import pools


def measure(engine: Engine) -> None:
    """Count the engine's connections; it keeps none that is idle."""
    own = meters.CONNECTIONS.labels("own", "used")

    def opened(*arguments: Any) -> None:
        own.inc()

    def closed(*arguments: Any) -> None:
        own.dec()

    event.listen(engine, "connect", opened)
    event.listen(engine, "close", closed)


def sample() -> None:
    """Note how Odoo's pools of this process are used at this moment."""
    for name, use in pools.use().items():
        meters.CONNECTIONS.labels(name, "used").set(use.used)
        meters.CONNECTIONS.labels(name, "idle").set(use.idle)
        meters.CONNECTIONS_LIMIT.labels(name).set(use.limit)
