"""Use of Odoo's connection pools: one for the primary, one for the replica (odoo/sql_db.py, ConnectionPool)."""

from __future__ import annotations

from dataclasses import dataclass

from odoo import sql_db


@dataclass(frozen=True, slots=True)
class PoolUse:
    """Connections of this process: those that a transaction holds, those that wait for one, and how many may be."""

    used: int
    idle: int
    limit: int


def use() -> dict[str, PoolUse]:
    """Return the use of each pool by name; one that nothing was asked of is empty."""
    return {"odoo": _use(sql_db._Pool), "odoo_replica": _use(sql_db._Pool_readonly)}


def _use(pool: sql_db.ConnectionPool | None) -> PoolUse:
    connections = list(pool._connections) if pool is not None else []
    used = sum(connection._pool_in_use for connection in connections)
    return PoolUse(used, len(connections) - used, pool._maxconn if pool is not None else 0)
