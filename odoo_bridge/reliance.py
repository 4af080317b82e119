"""A function of others that we lean on: found behind its decorators, and known by a digest of its source."""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from odoo_bridge.fast import Piece

#: The fast pieces by the modules that they are in; both modules of connections make the round trips fewer.
PIECES: dict[str, tuple[Piece, ...]] = {
    "odoo_bridge/connections.py": ("round_trips",),
    "odoo_bridge/fast/driver.py": ("round_trips",),
    "odoo_bridge/fast/cacheable.py": ("statements", "writes", "fetches"),
    "odoo_bridge/fast/statements.py": ("statements",),
    "odoo_bridge/fast/clauses.py": ("statements", "fetches"),
    "odoo_bridge/fast/cached.py": ("statements", "fetches", "prefetch"),
    "odoo_bridge/fast/columns.py": ("columns",),
    "odoo_bridge/fast/shapes.py": ("rows",),
    "odoo_bridge/fast/prefetch.py": ("prefetch",),
    "odoo_bridge/fast/foresight.py": ("foresight",),
    "odoo_bridge/fast/writes.py": ("writes",),
    "odoo_bridge/fast/principals.py": ("principals",),
    "odoo_bridge/fast/fetches.py": ("fetches",),
    "odoo_bridge/fast/deep_pages.py": ("deep_pages",),
    "odoo_bridge/fast/counts.py": ("counts",),
}
#: Modules whose decorators are looked through: Odoo's own, and ours. An addon that wraps a function changes it.
_DECORATORS = ("odoo.api", "odoo.orm.", "odoo.tools.", "odoo_bridge.")


@dataclass(frozen=True, slots=True)
class Reliance:
    """A function as ``module:qualified.name``, the digests of its source that are fine, and who of us leans on it."""

    function: str
    digests: tuple[str, ...]
    modules: tuple[str, ...]

    @property
    def name(self) -> str:
        """The function's name as Python would write it."""
        return self.function.replace(":", ".")

    @property
    def pieces(self) -> Iterator[Piece]:
        """The fast pieces that lean on it."""
        return iter(dict.fromkeys(piece for module in self.modules for piece in PIECES.get(module, ())))

    def is_changed(self) -> bool:
        """True if it is gone, or its source is another; False where it is not loaded, or replaced by ours."""
        module, _, name = self.function.partition(":")
        if module not in sys.modules:
            return False
        found = find(sys.modules[module], name)
        if getattr(found, "__module__", "").startswith("odoo_bridge."):  # was looked at before that
            return False
        return digest(found) not in self.digests

    def __str__(self) -> str:
        return f"{self.name} (see {', '.join(self.modules)})"


def digest(function: Any) -> str:
    """Return a digest of a function's source, whatever its comments and indentation; empty where there is none."""
    # Of the code: of a function ``inspect`` would look through all decorators.
    return _digest(getattr(function, "__code__", function))


@functools.cache  # all are looked at twice, and to cut one out of its file takes a millisecond
def _digest(code: Any) -> str:
    try:
        lines = inspect.getsource(code).splitlines()
    except (OSError, TypeError):
        return ""
    text = "\n".join(stripped for line in lines if (stripped := line.strip()) and not stripped.startswith("#"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def find(module: ModuleType, name: str) -> Any:
    """Return the function behind methods, properties and decorators; None where there is none."""
    found: Any = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part, None)
    for inner in ("fget", "func", "__func__"):  # of a property, a cached one, a class or static method
        found = getattr(found, inner, found)
    while hasattr(found, "__wrapped__") and _origin(found).startswith(_DECORATORS):
        found = found.__wrapped__
    return found


def _origin(function: Any) -> str:
    """Return the module that a function was written in, also where it goes by another's name."""
    return str(getattr(function, "__globals__", {}).get("__name__", ""))
