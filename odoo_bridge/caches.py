"""Caches of the process, shared by its threads: what a transaction may read of them, and put into them.

All of Odoo's caches (``ormcache``) and ours belong to one generation, a number that rises whenever one of them is
emptied: by a change, after the commit of a change, by a signal of another process. A transaction notes the number
before its snapshot is taken. While it stays, the transaction reads what is shared; what it finds out for itself is its
own, and becomes shared when it commits. Once the number has risen, its snapshot may be older than what others declared
old, or it has made the change itself: it reads its own alone, and shares nothing. What is rolled back is never shared,
nor what test mode does; but what a call has found before it does anything, in test mode too, can be (``share_found``).
Remembered callers have a generation of their own besides, which rises with each token that is revoked.

Odoo's own server has one call per process and needs none of this: it stores at once, whatever the snapshot.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Hashable, Mapping
from typing import Any

from odoo.modules.registry import Registry
from odoo.orm import registry as odoo_registry
from odoo.sql_db import Cursor, Savepoint
from odoo.tools.cache import ormcache
from odoo.tools.lru import LRU

from . import signaling, written_tables

_logger = logging.getLogger(__name__)

#: Our own caches among Odoo's: the SQL of searches (see ``statements``), how many records they found (``counts``), and
#: callers (``principals``). Clients choose what they hold, so they are apart.
STATEMENTS = "gatehouse.statements"
COUNTS = "gatehouse.counts"
PRINCIPALS = "gatehouse.principals"
_MOST = {STATEMENTS: 1024, COUNTS: 512, PRINCIPALS: 2048}
#: The signals that empty them: those that make Odoo forget record rules, access rights, and sessions.
_EMPTIED_WITH = ("default", "stable")
#: What a transaction keeps of its own, at most: as much as Odoo's largest cache.
_OWN_MOST = 8192


class Generation:
    """The number of times that any of some caches of the process has been emptied."""

    def __init__(self) -> None:
        self.number = 0
        self.lock = threading.RLock()


_generation = Generation()
#: That of remembered callers alone, who are forgotten far more often: what else is cached does not depend on them.
_of_callers = Generation()


class SharedCache(LRU[Any, Any]):  # type: ignore[misc]
    """One of the registry's caches, which begins a new generation when it is emptied."""

    __slots__ = ("_generation",)

    def __init__(self, size: int, generation: Generation) -> None:
        super().__init__(size)
        self._generation = generation

    def clear(self) -> None:
        """Forget everything; no transaction that began before shares what it has found."""
        with self._generation.lock:
            self._generation.number += 1
            super().clear()


class View:
    """The caches as one transaction sees them: the shared ones as long as they fit its snapshot, and its own entries.

    Each cursor has one, as ``cache_view``.
    """

    __slots__ = ("_caches", "_callers_number", "_own", "_own_number", "began", "number")

    def __init__(self, number: int | None = None) -> None:
        """``number`` is the generation as of before the snapshot; now, where no snapshot has been taken yet."""
        self.number = _generation.number if number is None else number
        self._callers_number = _of_callers.number
        #: A moment before the snapshot, as ``time.monotonic()`` has it.
        self.began = time.monotonic()
        self._own: dict[tuple[str, Hashable], Any] = {}
        self._own_number = self.number
        self._caches: Mapping[str, LRU[Any, Any]] | None = None

    def get(self, caches: Mapping[str, LRU[Any, Any]], name: str, key: Hashable) -> Any:
        """Return an entry of one of a registry's caches; raises KeyError where there is none for this transaction."""
        if self._is_current(name):
            try:
                return caches[name][key]
            except KeyError:
                if not self._own:
                    raise
        return self._entries(caches)[name, key]

    def put(self, caches: Mapping[str, LRU[Any, Any]], name: str, key: Hashable, value: Any) -> None:
        """Keep an entry, for this transaction alone until ``share``."""
        own = self._entries(caches)
        if len(own) >= _OWN_MOST:
            own.clear()
        own[name, key] = value

    def share(self) -> None:
        """Put the transaction's own entries into the shared caches, unless they have been emptied since it began."""
        if self._own and self._caches is not None:
            with _generation.lock, _of_callers.lock:
                for (name, key), value in self._own.items():
                    if self._is_current(name):
                        self._caches[name][key] = value

    def forget(self) -> None:
        """Forget the transaction's own entries: part of what it did is undone."""
        self._own.clear()

    def renew(self) -> None:
        """Begin anew, for the next transaction of the cursor; before its snapshot is taken."""
        self._own.clear()
        self.number = self._own_number = _generation.number
        self._callers_number = _of_callers.number
        self.began = time.monotonic()

    def _is_current(self, name: str) -> bool:
        """True if nothing was emptied since the snapshot on which an entry of this cache could depend."""
        return self.number == _generation.number and (name != PRINCIPALS or self._callers_number == _of_callers.number)

    def _entries(self, caches: Mapping[str, LRU[Any, Any]]) -> dict[tuple[str, Hashable], Any]:
        """Return the own entries of this registry's caches, without those from before a change of its own."""
        if self._own_number != _generation.number or self._caches is not caches:
            self._own.clear()
            self._own_number, self._caches = _generation.number, caches
        return self._own


def install() -> None:
    """Make Odoo's caches follow these rules; before the first registry is loaded."""
    if STATEMENTS in odoo_registry._REGISTRY_CACHES:
        return
    odoo_registry._REGISTRY_CACHES.update(_MOST)
    for signal in _EMPTIED_WITH:
        odoo_registry._CACHES_BY_KEY[signal] += tuple(_MOST)
    Registry.init = _with_shared_caches(Registry.init)
    ormcache.lookup = _lookup
    ormcache.add_value = _add_value
    Cursor.__init__ = _with_view(Cursor.__init__)
    Cursor.commit = _commit
    Cursor.rollback = _renewing(Cursor.rollback)
    Savepoint.rollback = _forgetting(Savepoint.rollback)


def after_fork_in_child() -> None:
    """Take new locks: another thread of the parent may have held them."""
    _generation.lock = threading.RLock()
    _of_callers.lock = threading.RLock()
    signaling.after_fork_in_child()


def share_found(root: Any) -> None:
    """Share all that a transaction has found out so far, however it ends: it must not have written anything yet."""
    root.cr.cache_view.share()


def empty_again(registry: Any) -> None:
    """Empty the caches that this thread's transaction has declared old: others have filled them until its commit.

    All of them where the registry itself has changed, as other processes do.
    """
    shared = registry._Registry__caches
    emptied = [name for signal in registry.cache_invalidated for name in odoo_registry._CACHES_BY_KEY[signal]]
    for name in shared if registry.registry_invalidated else emptied:
        shared[name].clear()


def _with_shared_caches(init: Any) -> Any:
    @functools.wraps(init)
    def wrapped(registry: Any, db_name: str) -> None:
        init(registry, db_name)
        sizes = odoo_registry._REGISTRY_CACHES.items()
        registry._Registry__caches = {
            name: SharedCache(size, _of_callers if name == PRINCIPALS else _generation) for name, size in sizes
        }

    return wrapped


def _lookup(cache: Any, *arguments: Any, **options: Any) -> Any:
    """Return the value of a cached method, as ``ormcache.lookup`` does, but for its statistics."""
    model = arguments[0]
    caches = model.pool._Registry__caches
    view = getattr(model.env.cr, "cache_view", None)
    if view is None:  # no database is behind it: templates that Odoo renders by themselves
        return cache.method(*arguments, **options)
    name, key = cache.cache_name, cache.key(*arguments, **options)
    try:
        return view.get(caches, name, key)
    except KeyError:
        pass
    except TypeError:
        _logger.warning("A cached method was called with what can't be a key: %r", key, exc_info=True)
        return cache.method(*arguments, **options)
    value = cache.method(*arguments, **options)
    view.put(caches, name, key, value)
    return value


def _add_value(cache: Any, *arguments: Any, cache_value: Any = None, **options: Any) -> None:
    """Keep a value that a method would return, as ``ormcache.add_value`` does."""
    model = arguments[0]
    key = cache.key(*arguments, **options)
    model.env.cr.cache_view.put(model.pool._Registry__caches, cache.cache_name, key, cache_value)


def _with_view(init: Any) -> Any:
    @functools.wraps(init)
    def wrapped(cr: Any, *arguments: Any, **options: Any) -> None:
        cr.cache_view, cr.commits = View(), 0
        init(cr, *arguments, **options)

    return wrapped


def _commit(cr: Any) -> None:
    """Commit, as ``Cursor.commit`` does; all are told what has become old before any hook runs, which can take long."""
    cr.flush()
    registry = cr.transaction.registry if cr.transaction is not None else None
    changes = registry is not None and signaling.is_noted(registry)
    view = cr.cache_view
    try:
        cr._cnx.commit()
        cr.commits += 1
        view.share()
    finally:
        written_tables.end(cr)
        view.renew()
        if changes:
            empty_again(registry)
    if changes:
        signaling.announce(registry, keep=not getattr(cr, "ends_changes", False))
    cr.clear()
    cr._now = None
    cr.prerollback.clear()
    cr.postrollback.clear()
    cr.postcommit.run()


def _renewing(rollback: Any) -> Any:
    @functools.wraps(rollback)
    def wrapped(cr: Any) -> None:
        try:
            rollback(cr)
        finally:
            cr.cache_view.renew()

    return wrapped


def _forgetting(rollback: Any) -> Any:
    @functools.wraps(rollback)
    def wrapped(savepoint: Any) -> None:
        rollback(savepoint)
        savepoint._cr.cache_view.forget()

    return wrapped
