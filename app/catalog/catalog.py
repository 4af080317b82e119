"""The catalog that this process serves from: compiled definitions, swapped as one object when something changes.

A thread asks the database ten times a second, in one statement, for all that tells of changes: Odoo's signals, and the
versions of the catalog and of the credentials. Calls look for themselves only where it is late. Polling a few rows was
chosen over LISTEN/NOTIFY: it needs no second code path after a lost connection, and works through PgBouncer.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from app.catalog import store
from app.catalog.odoo_source import OdooSource
from app.definitions.compiler import compile_document
from app.definitions.definition import Definition
from app.definitions.document import ApiDocument
from app.definitions.system import SystemSettings
from app.observe import meters, pools
from odoo_bridge.errors import BridgeError
from odoo_bridge.looks import Version
from odoo_bridge.structure import Structure
from odoo_bridge.transaction import Environment, Transactions
from odoo_bridge.types import ModelInfo

_logger = logging.getLogger(__name__)

#: A catalog that was not confirmed for this many seconds is confirmed by the next request itself.
_STALE_AFTER = 0.75
#: Seconds that one look at the database may take.
_PATIENCE = 2.0
#: Part of the time between two looks after which the watcher looks: before a call would have to.
_AHEAD = 0.75


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is served: one version of the catalog, compiled against one registry of Odoo."""

    version: int = 0
    structure: Structure | None = None
    models: dict[str, ModelInfo | None] = field(default_factory=dict)
    definitions: Mapping[int, Definition] = field(default_factory=lambda: MappingProxyType({}))
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    system: SystemSettings = field(default_factory=SystemSettings)

    @property
    def published(self) -> list[Definition]:
        """The APIs that are served."""
        return [definition for definition in self.definitions.values() if definition.document.published]

    def served(self, api_id: int) -> Definition | None:
        """Return an API that is served, or None."""
        definition = self.definitions.get(api_id)
        return definition if definition is not None and definition.document.published else None

    def fits(self, root: Environment) -> bool:
        """True if it was compiled for the registry of an environment."""
        return self.structure is not None and self.structure.fits(root)


class Catalog:
    """Keeps the snapshot of this process current."""

    def __init__(
        self,
        transactions: Transactions,
        interval: float,
        on_change: Callable[[Snapshot], None] = lambda snapshot: None,
        on_look: Sequence[Callable[[], None]] = (),
    ) -> None:
        """``interval`` is the most seconds between two looks; ``on_change`` gets each new snapshot.

        All of ``on_look`` are called so often too, also where a look or another of them has failed.
        """
        self.snapshot = Snapshot()
        self._transactions = transactions
        self._interval = interval
        looked_at = transactions.limits.signaling_interval  # with 0 each call looks
        self._pause = min(interval, looked_at * _AHEAD) if looked_at else interval
        # No call waits for who has locked it: that is an admin's change, or a migration.
        self._version = Version(store.VERSION, by_calls=False)
        transactions.watch(self._version)
        self._addons_looked_at = float("-inf")
        self._on_change = on_change
        self._on_look = tuple(on_look)
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._confirmed = float("-inf")
        self._watcher: threading.Thread | None = None
        self._watching: int | None = None  # the process that the watcher runs in: a thread does not survive a fork
        self._stopped = threading.Event()

    def served(self, api_id: int) -> Definition | None:
        """Return an API that is served at present, or None."""
        return self.snapshot.served(api_id)

    def ensure_current(self) -> None:
        """Called before each request: start the watcher in a new process, step in for one that hangs.

        A request waits for nobody else: while a look at the database hangs, the last snapshot serves on. Only a
        process that has none yet waits for its first.
        """
        self.watch()
        if time.monotonic() - self._confirmed <= _STALE_AFTER:
            return
        if not self._lock.acquire(blocking=not self.snapshot.version):
            return
        try:
            self._confirm()
        except BridgeError as error:
            _logger.warning("The catalog cannot be confirmed: %s", error.message)
        except Exception:
            _logger.exception("The catalog cannot be confirmed")
        finally:
            self._lock.release()

    def watch(self) -> None:
        """Start the watcher where this process has none yet; waits for nothing."""
        if self._watching != os.getpid():
            self._start_watching()

    def refresh(self) -> None:
        """Compile anew if a definition, a setting or Odoo's registry has changed; raises BridgeError."""
        with self._lock:
            self._confirm()

    def _confirm(self) -> None:
        if not self._transactions.run(self._is_current, statement_timeout=_PATIENCE, look=True):
            self._take(self._transactions.run(self._compiled, statement_timeout=_PATIENCE))
        self._confirmed = time.monotonic()

    def _is_current(self, root: Environment) -> bool:
        now = time.monotonic()
        if now - self._addons_looked_at >= self._interval:
            self._addons_looked_at = now
            self._transactions.current.code.look(root.cr, root.registry)
        return self.snapshot.fits(root) and self._version.number == self.snapshot.version

    def _compiled(self, root: Environment) -> Snapshot:
        return _snapshot(store.load(root.cr), root, self.snapshot.models if self.snapshot.fits(root) else {})

    def _take(self, snapshot: Snapshot) -> None:
        self._on_change(snapshot)
        self.snapshot = snapshot
        meters.CATALOG.inc()
        _logger.info("Catalog version %d: %d APIs", snapshot.version, len(snapshot.published))

    def _start_watching(self) -> None:
        with self._starting:
            if self._watching == os.getpid():
                return
            self._watching = os.getpid()
        self._watcher = threading.Thread(target=self._watch, name="catalog", daemon=True)
        self._watcher.start()

    def _watch(self) -> None:
        measured = float("-inf")
        while not self._stopped.wait(self._pause):
            steps: tuple[Callable[[], None], ...] = (self.refresh,)
            now = time.monotonic()
            if now - measured >= self._interval:
                measured = now
                steps = (pools.sample, self.refresh, *self._on_look)
            for step in steps:
                try:
                    step()
                except BridgeError as error:
                    _logger.warning("The catalog cannot be refreshed: %s", error.message)
                except Exception:
                    _logger.exception("The catalog cannot be refreshed")

    def stop(self) -> None:
        """End the watcher and wait for it."""
        self._stopped.set()
        if self._watcher is not None:
            self._watcher.join()


def compile_all(stored: store.Stored, root: Environment, known: dict[str, ModelInfo | None]) -> dict[int, Definition]:
    """Return the compiled definitions by id; ``known`` carries model descriptions of one registry."""
    source = OdooSource(root, known)
    definitions = {}
    for api in stored.apis:
        try:
            document = ApiDocument.model_validate(api.document)
        except ValidationError:
            _logger.exception("API %r is stored in a form that this version does not know", api.document.get("name"))
            continue
        definitions[api.id] = compile_document(
            document, source, api_id=api.id, revision=api.revision, salt=stored.settings["hashids_salt"]
        )
    return definitions


def _snapshot(stored: store.Stored, root: Environment, known: dict[str, ModelInfo | None]) -> Snapshot:
    structure = Structure.of(root)  # first: what changes meanwhile is compiled anew at the next look
    definitions = compile_all(stored, root, known)
    snapshot = Snapshot(
        version=stored.version,
        structure=structure,
        models=known,
        definitions=MappingProxyType(definitions),
        settings=MappingProxyType(stored.settings),
        system=SystemSettings.of(stored.settings),
    )
    for definition in snapshot.published:
        for problem in definition.problems:
            _logger.error("API %r cannot be served: %s", definition.name, problem)
    return snapshot
