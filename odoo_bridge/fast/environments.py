"""Environments of a transaction that are kept, the latest ones, and found again without a walk through all.

``sudo()`` and ``with_context()`` mean another environment, which Odoo throws away as soon as nothing refers to it, and
with it where the values of each field are: creating one record makes thirty of them, most of them again and again. To
Odoo an environment that is kept is one that something still refers to.
"""

from __future__ import annotations

from functools import wraps
from typing import Any
from weakref import WeakSet

from odoo.api import SUPERUSER_ID, Environment
from odoo.orm.environments import Transaction
from odoo.tools import OrderedSet

from odoo_bridge.fast import is_on

#: How many environments a transaction keeps.
_KEPT = 16

_init = Transaction.__init__
_new = Environment.__new__


class _Environments(WeakSet[Any]):
    """All environments of a transaction; the ``latest`` stay as long as it does."""

    def __init__(self) -> None:
        super().__init__()
        self.data = OrderedSet()  # as Odoo has it
        self.latest: list[Any] = []


def install() -> None:
    """Make transactions keep environments; before the first one begins."""
    Transaction.__init__ = wraps(_init)(_init_transaction)
    Environment.__new__ = staticmethod(wraps(_new)(_environment))


def _init_transaction(transaction: Any, registry: Any) -> None:
    _init(transaction, registry)
    transaction.envs = _Environments()


def _environment(cls: Any, cr: Any, uid: Any, context: Any, su: bool = False) -> Any:
    """Return an environment as ``Environment.__new__`` does: the one that is there, or a new one."""
    kept = getattr(getattr(cr, "transaction", None), "envs", None)
    if type(kept) is not _Environments or not is_on("environments"):
        return _new(cls, cr, uid, context, su)
    latest = kept.latest
    wanted = su or uid == SUPERUSER_ID
    for env in latest:
        if env.uid == uid and env.su == wanted and env.context == context and env.cr is cr:
            return env
    env = _new(cls, cr, uid, context, su)
    latest.append(env)
    if len(latest) > _KEPT:
        del latest[0]
    return env
