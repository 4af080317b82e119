"""Several calls in one transaction: all of them are kept, or none.

What a method commits by itself is a savepoint then, also with a cursor that it opens, and what is to follow a commit
follows the real one. SQL that ends the transaction, or leaves it by the driver, is refused, as test mode does it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg2
from odoo.api import SUPERUSER_ID
from odoo.api import Environment as OdooEnvironment
from odoo.tools.misc import Callbacks

from .errors import BridgeError, Rejected
from .held_connection import HeldConnection, held
from .nested_cursor import NestedCursor
from .sandbox import isolated
from .sandbox_state import keeping_in
from .transaction import Environment
from .translation import translate, violation

#: The hooks of a cursor that are for the end of its transaction (``odoo.sql_db.BaseCursor``).
_HOOKS = ("postcommit", "prerollback", "postrollback")


class BatchConnection(HeldConnection):
    """The connection of an atomic batch: all that ends its transaction is refused."""

    def refusal(self, what: str) -> BridgeError:
        """Return the error for a way that was tried."""
        return Rejected(
            f"A step wants to end or leave the transaction of its batch ({what}). "
            "Call it by itself, or in a batch that is not atomic.",
            name="batch_no_commit",
        )


class BatchCursor(NestedCursor):
    """A cursor whose commits are savepoints, and whose hooks follow the commit of the real transaction."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self._within: list[BatchCursor] = []

    def another(self, real: Any) -> BatchCursor:
        """Return a cursor that is opened meanwhile: its savepoint lies within this one's."""
        self.begin()
        self._within.append(BatchCursor(real))
        return self._within[-1]

    def commit(self) -> None:
        """Release the savepoint, and those within it."""
        super().commit()
        self._end_within()

    def rollback(self) -> None:
        """Roll back to the last commit, and with it what was done within."""
        super().rollback()
        self._end_within()

    def _end_within(self) -> None:
        """Take note that PostgreSQL has no savepoint any more within this one."""
        self._within = [other for other in self._within if not other.closed]
        for other in self._within:
            other._savepoint = None

    def settle_hooks(self) -> None:
        """Hand the hooks over to the real transaction, in their order: they follow its commit, or its rollback."""
        for name in _HOOKS:
            hooks: Callbacks = getattr(self, name)
            if hooks:
                getattr(self._real, name).add(partial(self._run, name, hooks))
                setattr(self, name, Callbacks())

    def _run(self, name: str, hooks: Callbacks) -> None:
        setattr(self, name, hooks)  # where they look for their data
        hooks.run()


@contextlib.contextmanager
def reading(place: Environment) -> Iterator[None]:
    """Let PostgreSQL refuse what the block writes, in an environment of ``together``; nothing of it stays."""
    cr = place.cr._real
    cr.execute("SAVEPOINT gatehouse_reading")
    cr.execute("SELECT set_config('transaction_read_only', 'on', true)")
    try:
        yield
    finally:
        place.cr.rollback()
        cr.execute("ROLLBACK TO SAVEPOINT gatehouse_reading")  # which takes back the setting too
        cr.execute("RELEASE SAVEPOINT gatehouse_reading")


def refusal(root: Environment, place: Environment, error: Exception) -> BridgeError | None:
    """Refusal of a call for its client, None for a defect.

    The call is undone where words for it have to be looked up.
    """
    if isinstance(error, psycopg2.IntegrityError):
        place.cr.rollback()
        return violation(root, error)
    return translate(error)


@contextlib.contextmanager
def together(root: Environment, *, testing: bool) -> Iterator[Environment]:
    """Give a superuser's environment in which several calls work, within the transaction of ``root``.

    In ``testing`` it is one of test mode, and the transaction has to be rolled back afterwards.
    """
    if testing:
        with isolated(root) as place:
            yield place
        return
    inner = BatchCursor(root.cr)
    with held(root.cr, BatchConnection), keeping_in(root.cr, testing=False, nested=inner.another):
        try:
            yield OdooEnvironment(inner, SUPERUSER_ID, dict(root.context))
            inner.commit()
        except BaseException:
            inner.postcommit.clear()
            inner.settle_hooks()  # the others wait for the rollback that follows
            raise
        finally:
            inner.precommit.clear()
