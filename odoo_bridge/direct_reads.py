"""Reads past Odoo: neither its registry nor its signals are looked at, so nothing is waited for but PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

from . import connections
from .errors import translate
from .transaction import settings_for

T = TypeVar("T")


def read(database: str, work: Callable[[Any], T], *, statement_timeout: float) -> T:
    """Return what ``work(cr)`` returns, in a read-only transaction of its own. Raises BridgeError."""
    try:
        with closing(connections.cursor(database, settings_for(statement_timeout, read_only=True))) as cr:
            return work(cr)
    except Exception as error:
        translated = translate(error)
        if translated is None or translated is error:
            raise
        raise translated from error
