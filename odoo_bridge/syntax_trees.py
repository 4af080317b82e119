"""Syntax trees of Python source, one at a time.

CPython before 3.11.8 and 3.12.2 keeps for all threads together how deep the tree is that it builds, and takes one for a
defect of its own that another thread has built amid it: SystemError (python/cpython#106905).
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Tries where threads of Odoo's, which do not wait for each other, build trees too.
_TRIES = 10

_lock = threading.RLock()  # as a finalizer may run in the middle


def module(source: str) -> ast.Module:
    """Return the tree of a source. Raises what ``ast.parse`` raises."""
    return _alone(lambda: ast.parse(source))


def expression(source: str) -> ast.Expression:
    """Return the tree of an expression. Raises what ``ast.parse`` raises."""
    return _alone(lambda: ast.parse(source, mode="eval"))


def _alone(build: Callable[[], T]) -> T:
    for _ in range(_TRIES - 1):
        try:
            with _lock:
                return build()
        except SystemError:
            continue
    return build()
