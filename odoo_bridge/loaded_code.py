"""Comparison of the code that this process has loaded with the addons in the database.

It is judged where a registry is loaded, before anything is done with it, against the rows of before the load: these it
has to have. Rows that change without a signal are those of an installation that is under way: they are waited for.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from odoo.modules.module import Manifest

from . import addon_imports, signaling
from .addon_differences import LOADED_STATES, PASSING_STATES, AddonRow, Difference, Kind, compare

_logger = logging.getLogger(__name__)

#: Seconds after which changed rows are judged also where no signal has come: who changed them may have died. The second
#: is for when any are in a passing state: one addon may take Odoo longer, and a reload in between would have new code
#: on a database that is half upgraded.
_GRACE, _GRACE_AT_WORK = 15.0, 60.0


class LoadedCode:
    """The addons of the registry of this process, compared with those of its database."""

    def __init__(self) -> None:
        self.differences: tuple[Difference, ...] = ()
        self._registry: Any = None
        self._rows: tuple[AddonRow, ...] = ()
        self._noted: dict[str, AddonRow] = {}
        self._ever_loaded: set[str] = set()
        self._unsettled: tuple[tuple[AddonRow, ...], float] = ((), 0.0)

    def is_judged(self, registry: Any) -> bool:
        """True if ``differences`` are those of a registry."""
        return self._registry is registry

    def judge(self, cr: Any, registry: Any, rows: tuple[AddonRow, ...] | None = None) -> None:
        """Compare a registry with the database; ``rows`` are those of before its load, where it was loaded just now."""
        rows = read(cr) if rows is None else rows
        loaded = set(registry._init_modules)
        self._ever_loaded |= loaded
        imported_as_data: set[str] = set()
        if any(row.name not in loaded and row.state in LOADED_STATES for row in rows):
            imported_as_data = _imported_as_data(cr)
        found = compare(
            [row for row in rows if row.name not in imported_as_data],
            loaded,
            self._ever_loaded,
            addon_imports.imported,
            self._noted,
            lambda name: _why_not_loaded(name, loaded),
        )
        # An addon that was upgraded without other files has its present row from now on: what is put on the disk later
        # is not that upgrade's.
        outdated = {difference.addon for difference in found if difference.kind is Kind.CHANGED}
        for row in rows:
            if row.name in loaded and row.name not in outdated and row.state not in PASSING_STATES:
                self._noted[row.name] = row
        if found != self.differences:
            _tell(found)
        # In this order: who finds the registry judged goes by the differences.
        self.differences = found
        self._rows, self._registry = rows, registry

    def look(self, cr: Any, registry: Any) -> None:
        """Judge again where addons have changed without a signal, and no more since a while."""
        rows = read(cr)
        if rows == self._rows or not self.is_judged(registry):
            return
        now = time.monotonic()
        if rows != self._unsettled[0]:
            self._unsettled = rows, now
            return
        is_at_work = any(row.state in PASSING_STATES for row in rows)
        if now - self._unsettled[1] > (_GRACE_AT_WORK if is_at_work else _GRACE):
            with signaling.lock:
                self.judge(cr, registry, rows)

    def surroundings(self, conf: Path, addons: set[str]) -> bytes:
        """Return a digest of what a new process would find that is of use to the addons that differ."""
        return addon_imports.state_around(conf, addons | {difference.addon for difference in self.differences})


def read(cr: Any) -> tuple[AddonRow, ...]:
    """Return the addons of the database that are not uninstalled."""
    cr.execute(
        "SELECT name, state, latest_version, write_date::text FROM ir_module_module "
        "WHERE state NOT IN ('uninstalled', 'uninstallable') ORDER BY name"
    )
    return tuple(AddonRow(*row) for row in cr.fetchall())


def _imported_as_data(cr: Any) -> set[str]:
    """Return the addons that have no code (Studio's, and those that were uploaded); see ``ModuleGraph``."""
    cr.execute(
        "SELECT 1 FROM pg_attribute WHERE attrelid = 'ir_module_module'::regclass AND attname = 'imported' "
        "AND NOT attisdropped"
    )
    found = {"studio_customization"}
    if cr.fetchone():
        cr.execute("SELECT name FROM ir_module_module WHERE imported")
        found.update(name for (name,) in cr.fetchall())
    return found


def _why_not_loaded(name: str, loaded: set[str]) -> str:
    manifest = Manifest.for_addon(name, display_warning=False)
    if manifest is None:
        return "It is installed in the database, and no folder of addons_path has it."
    try:
        installable, missing = manifest["installable"], sorted(set(manifest["depends"]) - loaded)
    except (ValueError, AssertionError) as error:
        return f"It is installed in the database, and its manifest in {manifest.path} is wrong: {error}"
    if not installable:
        return f"It is installed in the database, and {manifest.path} says that it is not installable."
    if missing:
        return f"It is installed in the database, and depends on {', '.join(missing)}, which is not loaded."
    return f"It is installed in the database, and this process has not loaded it from {manifest.path}."


def _tell(differences: tuple[Difference, ...]) -> None:
    for difference in differences:
        level = logging.INFO if difference.kind is Kind.REMOVED else logging.ERROR
        _logger.log(level, "The code of addon %s is not the database's. %s", difference.addon, difference.reason)
    if not differences:
        _logger.info("The code of all addons is the database's")
