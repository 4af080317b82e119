"""Reads past Odoo: neither its registry nor its signals are looked at, so nothing is waited for but PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

from psycopg2.pool import PoolError

from . import connections
from .transaction import settings_for
from .translation import translate

T = TypeVar("T")


def read(database: str, work: Callable[[Any], T], *, statement_timeout: float) -> T:
    """Run ``work(cr)`` in a read-only transaction of its own and return its result. Raises BridgeError.

    Where calls use all connections of the pool, it takes one beside it.
    """
    settings = settings_for(statement_timeout, read_only=True)
    try:
        try:
            pooled = connections.cursor(database, settings)
        except PoolError:
            return _read_beside(database, work, settings)
        with closing(pooled) as cr:
            return work(cr)
    except Exception as error:
        translated = translate(error)
        if translated is None or translated is error:
            raise
        raise translated from error


def _read_beside(database: str, work: Callable[[Any], T], settings: str) -> T:
    with closing(connections.connect_beside(database)) as connection, connection.cursor() as cr:
        cr.execute(settings)
        return work(cr)
