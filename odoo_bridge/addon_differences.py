"""Differences between the addons of the database and the code of this process: compares rows, imports and files.

Odoo logs it, if at all, and goes on: constraints of an addon that is not loaded do not hold, and of one that was
upgraded the old methods answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from odoo.tools.parse_version import parse_version

from .addon_imports import Imported

#: States in which Odoo loads an addon, and those in which it is at work on one, is going to be, or has been killed.
LOADED_STATES = frozenset({"installed", "to upgrade", "to remove"})
PASSING_STATES = frozenset({"to install", "to upgrade", "to remove"})


class AddonRow(NamedTuple):
    """An addon in ``ir_module_module``; ``changed`` is its ``write_date``, as text."""

    name: str
    state: str
    version: str | None
    changed: str | None


class Kind(str, Enum):
    """Kind of a difference. Only what is ``CHANGED`` or ``REMOVED`` is surely cured by a new process."""

    NOT_LOADED = "not_loaded"
    OLDER = "older"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """An addon whose code in this process is not the database's; ``reason`` is for operators."""

    addon: str
    kind: Kind
    reason: str


def compare(
    rows: Iterable[AddonRow],
    loaded: Collection[str],
    ever_loaded: Collection[str],
    imported: Mapping[str, Imported],
    noted: Mapping[str, AddonRow],
    why_not_loaded: Callable[[str], str],
) -> tuple[Difference, ...]:
    """Return the differences, by the addons' names.

    ``rows`` are those that are not uninstalled. ``loaded`` has the registry's addons, ``ever_loaded`` those of all
    registries of this process. ``noted`` are the rows as of when this process imported the addons. Where an addon's
    row is in a passing state it is not known yet which version comes of it, and nothing is said of its version. But
    one that is to be upgraded or removed is installed, and its constraints hold until then.
    """
    found, installed = [], set()
    for row in rows:
        installed.add(row.name)
        code = imported.get(row.name)
        if row.state in LOADED_STATES and row.name not in loaded:
            found.append(Difference(row.name, Kind.NOT_LOADED, why_not_loaded(row.name)))
        elif row.state in PASSING_STATES or code is None:
            continue
        elif row != noted.get(row.name) and code.is_changed:
            found.append(Difference(row.name, Kind.CHANGED, "It was upgraded after its code had been imported."))
        elif row.version and parse_version(row.version) > parse_version(code.version):
            reason = f"The database has version {row.version}, and {code.folder} has {code.version}."
            found.append(Difference(row.name, Kind.OLDER, reason))
    for name in set(ever_loaded) - set(loaded) - installed:
        found.append(Difference(name, Kind.REMOVED, "It was uninstalled, and its code is still imported."))
    return tuple(sorted(found, key=lambda difference: difference.addon))
