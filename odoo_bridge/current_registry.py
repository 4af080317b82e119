"""The registry that this process works with: it follows what other processes signal, and outlives a load that fails.

Where a registry can't be loaded (Python that an addon needs is missing, say), the one of before is kept for reads as
long as the database has all of its columns; its caches are emptied at each signal, so that rights hold as ever. Writes
are refused meanwhile (``failure``): a constraint may have been added. The load is tried again when Odoo signals
something new, and after a pause that grows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from odoo.modules.registry import Registry

from . import addon_imports, connections, looks, signaling
from .connections import SettingCursor
from .errors import Conflict, TooCostly, Unavailable
from .gone import is_gone
from .loaded_code import LoadedCode, read
from .looks import Watched
from .translation import translate

_logger = logging.getLogger(__name__)

#: Seconds until the next try to load a registry after the first that has failed, and at most.
_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
#: For a read of one row.
_SETTINGS = "SET LOCAL statement_timeout = 5000; SET TRANSACTION READ ONLY"


@dataclass(frozen=True, slots=True)
class Failure:
    """A registry that could not be loaded; ``addon`` is the one at fault, where that is known.

    ``sequences`` are the signals as of before the load, None where they are not known; ``kept`` is the registry of
    before, None where there is none.
    """

    reason: str
    addon: str | None
    sequences: Any
    kept: Registry | None
    pause: float
    again: float

    def is_final(self, sequence: int | None) -> bool:
        """True if another try would be of no use yet; ``sequence`` is that of the registry's present signal."""
        known = self.sequences[0] if self.sequences else None
        return time.monotonic() < self.again and (known is None or sequence is None or sequence == known)


class CurrentRegistry:
    """The registry of one database in this process."""

    def __init__(self, database: str, on_reload: Callable[[], None]) -> None:
        """``on_reload`` is called when a registry was loaded anew."""
        self.code = LoadedCode()
        self.failure: Failure | None = None
        #: What is looked at together with Odoo's signals.
        self.watched: list[Watched] = []
        self._database = database
        self._on_reload = on_reload
        self._passing = 0

    def get(self) -> Registry:
        """Return the registry; raises Unavailable where there is none to be had."""
        failure = self.failure
        if failure is None:
            return self._loaded()
        with Registry._lock:  # whoever waits for a try of another thread does not try again
            failure = self.failure
            if failure is not None and failure.kept is None and failure.is_final(None):
                raise _unavailable()
            registry = self._loaded()
            if failure is not None and registry is not failure.kept:
                self.failure = None  # also a kept one was given up meanwhile, and it is another that was loaded
            return registry

    def follow(self, cr: SettingCursor, *, whole: bool = False) -> None:
        """Empty the caches, or load the registry anew, where another process has told that they are old.

        Afterwards it is known in what the registry's code differs from the database's addons. ``whole`` is the look of
        the process's watcher, which reads all that is watched.
        """
        registry = self.get()
        watched = [each for each in self.watched if whole or each.by_calls]
        seen = looks.read(cr, registry, watched, alone=True)
        if not seen.is_signalled(registry) and not seen.news:
            self.judge(cr, registry)
            return
        with signaling.lock:
            # In a new snapshot: another thread may have followed the same signal meanwhile, and a newer one.
            cr.rollback()
            registry = self.get()
            seen = looks.read(cr, registry, watched)
            for each, number in seen.news:
                each.take(registry, number)
            sequences = seen.sequences
            if self.failure is not None and self.failure.is_final(sequences[0]):
                self._follow_without_loading(registry, sequences)
            else:
                # What Odoo had installed when it signalled: the new registry has to have it.
                rows = read(cr) if sequences[0] != registry.registry_sequence else None
                current = self._checked(cr, registry, sequences)
                if current is not registry:
                    self._on_reload()
                    self.code.judge(cr, current, rows)
                else:
                    self.judge(cr, current)
            cr.rollback()  # what was read before the caches were emptied is too old for them

    def look(self, cr: Any) -> None:
        """End the pause where Odoo has signalled something new: where no registry is kept no call gets to see it."""
        failure = self.failure
        if failure is None or failure.kept is not None or failure.sequences is None:
            return
        if _registry_sequence(cr) != failure.sequences[0]:
            with Registry._lock:
                if self.failure is failure:
                    self.failure = replace(failure, again=time.monotonic())

    def judge(self, cr: Any, registry: Registry) -> None:
        """Return once it is known in what the registry's code differs from the database's addons.

        Does nothing where another registry has taken its place meanwhile.
        """
        if not self.code.is_judged(registry):
            with signaling.lock:  # another thread may be at it
                if not self.code.is_judged(registry) and Registry.registries.get(self._database) is registry:
                    self.code.judge(cr, registry)

    def _loaded(self) -> Registry:
        with Registry._lock:  # nobody else loads it meanwhile
            sequences: Any = None if self._database in Registry.registries else (self._signalled(), {})
            try:
                registry = Registry(self._database)
            except Exception as error:
                if self._is_passing(error):
                    raise
                self._note(error, sequences, kept=None)
                raise _unavailable() from error
            if sequences is not None:
                self._passing = 0
            return registry

    def _signalled(self) -> int | None:
        with closing(connections.cursor(self._database, _SETTINGS)) as cr:
            return _registry_sequence(cr)

    def _checked(self, cr: SettingCursor, registry: Registry, sequences: Any) -> Registry:
        """Return the registry as of the present signals: another one, or the same where that can't be loaded."""
        with Registry._lock:  # nobody else finds none, or one that is half loaded, meanwhile
            try:
                current = registry.check_signaling(cr)
            except Exception as error:
                Registry.registries[self._database] = registry
                if self._is_passing(error):
                    raise
                cr.rollback()
                kept = None if is_gone(cr, registry) else registry
                self._note(error, sequences, kept=kept)
                if kept is None:
                    Registry.delete(self._database)
                    raise _unavailable() from error
                _empty(registry)
                return registry
        if current is not registry:
            self.failure, self._passing = None, 0
        return current

    def _follow_without_loading(self, registry: Registry, sequences: Any) -> None:
        """Empty all caches of a registry that is kept, where anything was signalled since they were emptied last."""
        failure = self.failure
        if failure is not None and failure.sequences != sequences:
            self.failure = replace(failure, sequences=sequences)
            _empty(registry)

    def _is_passing(self, error: Exception) -> bool:
        """True if the database is away or busy, and nothing is wrong with the addons.

        The database has answered just before the load, and an addon's own code can raise the same: of two such errors
        in a row the second is not believed.
        """
        if not isinstance(translate(error), (Unavailable, Conflict, TooCostly)):
            return False
        self._passing += 1
        return self._passing == 1

    def _note(self, error: Exception, sequences: Any, *, kept: Registry | None) -> None:
        addon_imports.forget_half_imported()
        pause = min(2 * self.failure.pause, _LONGEST_PAUSE) if self.failure is not None else _PAUSE
        if isinstance(error, addon_imports.ImportFailed):
            addon, reason = error.addon, str(error)
        else:
            addon, reason = None, addon_imports.describe(error)
        self.failure = Failure(reason, addon, sequences, kept, pause, time.monotonic() + pause)
        _logger.error("Odoo's registry cannot be loaded; next try in %g s", pause, exc_info=error)


def _registry_sequence(cr: Any) -> int | None:
    cr.execute("SELECT max(id) FROM orm_signaling_registry")
    sequence: int | None = cr.fetchone()[0]
    return sequence


def _empty(registry: Registry) -> None:
    for cache in registry._Registry__caches.values():
        cache.clear()


def _unavailable() -> Unavailable:
    return Unavailable("Odoo cannot be loaded at the moment.", name="registry_unavailable")
