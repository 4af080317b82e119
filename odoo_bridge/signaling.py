"""Signals to other processes that caches or the registry are old (Odoo's tables ``orm_signaling_…``).

Odoo notes by thread what has been declared old (``Registry.cache_invalidated``), and signals it at the end of a
request. Here it is signalled at each commit: a call can commit in between and go on for long. What could not be
signalled is kept, and signalled as soon as the database answers again.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2.pool import PoolError

_logger = logging.getLogger(__name__)


#: Held while this process signals, and while it follows a signal: what it has just sent itself is none to follow.
lock = threading.RLock()


@dataclass(slots=True)
class Unsent:
    """Changes that this process has committed, or may have, and has not signalled yet."""

    caches: set[str] = field(default_factory=set)
    registry: bool = False


_unsent = Unsent()


def is_noted(registry: Any) -> bool:
    """True if a transaction of this thread has declared something old that it has not committed yet."""
    return bool(registry.cache_invalidated) or registry.registry_invalidated


def announce(registry: Any, *, keep: bool = False) -> None:
    """Signal all that this thread has noted as old; its transaction is committed.

    ``keep`` leaves it noted: another transaction of this thread, which is not committed, may have declared it.
    """
    if not registry.ready:
        return
    caches, whole = set(registry.cache_invalidated), registry.registry_invalidated
    try:
        with lock:
            registry.signal_changes()
    except (psycopg2.Error, PoolError) as error:
        _logger.warning("A change is not signalled yet: %s", error)
        postpone(registry)
    if keep:
        registry.cache_invalidated.update(caches)
        registry.registry_invalidated = whole


def postpone(registry: Any, *, keep: bool = False) -> None:
    """Note for ``resend`` what this thread has declared old: nobody knows whether it was committed, or it was.

    ``keep`` as in ``announce``.
    """
    with lock:
        _unsent.caches |= registry.cache_invalidated
        _unsent.registry |= registry.registry_invalidated
    if not keep:
        registry.cache_invalidated.clear()
        registry.registry_invalidated = False


def resend(registry: Any) -> None:
    """Send postponed signals; at the beginning of a thread's outermost transaction."""
    if not (_unsent.caches or _unsent.registry):
        return
    with lock:
        registry.cache_invalidated.update(_unsent.caches)
        registry.registry_invalidated |= _unsent.registry
        _unsent.caches, _unsent.registry = set(), False
    announce(registry)


def after_fork_in_child() -> None:
    """Take a new lock: another thread of the parent may have held it."""
    global lock
    lock = threading.RLock()
