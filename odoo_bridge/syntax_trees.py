"""Syntax trees of Python source, one at a time in a process.

CPython before 3.11.8 and 3.12.2 keeps for all threads together how deep the tree is that it builds, and takes one for a
defect of its own that another thread has built amid it: SystemError (python/cpython#106905). Odoo and Werkzeug build
trees too (domains of properties, rules of the url map), so what is mended is ``ast.parse`` itself, for all of them.
"""

from __future__ import annotations

import ast
import sys
import threading
from typing import Any

#: Tries where the collector ends an object in the middle of a tree, and that builds one of its own.
_TRIES = 10

_lock = threading.RLock()  # for just that case
_parse: Any = ast.parse


def install() -> None:
    """Let threads wait for each other in ``ast.parse``, and so in ``ast.literal_eval``, where CPython has the fault."""
    if has_fault(sys.version_info[:3]):
        ast.parse = _parse_alone


def has_fault(version: tuple[int, ...]) -> bool:
    """True of the versions of CPython that disturb a tree by another thread's."""
    return version < (3, 11, 8) or (3, 12) <= version < (3, 12, 2)


def _parse_alone(*arguments: Any, **options: Any) -> Any:
    """Return the tree of a source; see ``ast.parse``, which raises the same."""
    for _ in range(_TRIES - 1):
        try:
            with _lock:
                return _parse(*arguments, **options)
        except SystemError:
            continue
    return _parse(*arguments, **options)
