"""The one function that owns a transaction: signalling → cursor → work → retry → commit → signal.

Nothing else in Gatehouse commits. The order of things is that of Odoo's ``service/model.py`` (``retrying``); the
waits between tries are shorter, because an HTTP client waits for the answer.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import psycopg2
from odoo.api import SUPERUSER_ID
from odoo.api import Environment as OdooEnvironment
from odoo.modules.registry import Registry

from . import caches, connections, deadline, signaling, structure
from .connections import SettingCursor
from .current_registry import CurrentRegistry
from .errors import BridgeError, Conflict, Unavailable
from .gone import GONE, is_gone
from .looks import Watched
from .structure import Structure
from .translation import RETRYABLE, translate, violation

_logger = logging.getLogger(__name__)

#: Odoo's environment. Odoo has no types of its own to offer.
Environment: TypeAlias = Any
T = TypeVar("T")
#: Seconds that a call waits for the signal of a change in Odoo that it has run into, and between two looks; and for how
#: long nobody waits after one has waited in vain.
_PATIENCE, _STEP, _GAP = 2.0, 0.1, 10.0
_COMMITTED = (
    "Other calls changed the same records after this one had committed a part of its work. "
    "Look at what it has done before you call again."
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a transaction.

    ``statement_timeout`` and ``signaling_interval`` are seconds; ``tries`` counts the first one too.
    """

    statement_timeout: float = 30.0
    signaling_interval: float = 0.1
    tries: int = 10


def settings_for(statement_timeout: float, read_only: bool) -> str:
    """Return the statements that say what holds for a transaction; ``statement_timeout`` is seconds."""
    return f"SET LOCAL statement_timeout = {int(statement_timeout * 1000)}" + (
        "; SET TRANSACTION READ ONLY" if read_only else ""
    )


class _Here(threading.local):
    """Number of our transactions that this thread has open, one within the other."""

    depth = 0


_here = _Here()


class Transactions:
    """Runs pieces of work in transactions of one database."""

    def __init__(
        self,
        database: str,
        limits: Limits | None = None,
        on_retry: Callable[[], None] = lambda: None,
        on_reload: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_retry`` and ``on_reload`` are called when a transaction is tried again, and a registry loaded anew."""
        self.database = database
        self.current = CurrentRegistry(database, on_reload)
        self._on_retry = on_retry
        self.limits = limits or Limits()
        self._signaling_checked = float("-inf")
        self._gap_until = float("-inf")

    def watch(self, watched: Watched) -> None:
        """Let all looks read one more number, before anything is run."""
        self.current.watched.append(watched)

    def look(self) -> None:
        """Look at all that is watched, so that what was just committed holds in this process; raises BridgeError."""
        self.run(lambda root: None, look=True)

    def run(
        self,
        work: Callable[[Environment], T],
        *,
        keep: bool = True,
        read_only: bool = False,
        statement_timeout: float | None = None,
        look: bool = False,
    ) -> T:
        """Run ``work(root)`` in a transaction of its own and return what it returns.

        ``root`` is a superuser's environment for finding out who calls; use ``act_as`` before anything is done
        for a caller. ``work`` is called again from the start after a serialization failure, unless it has committed by
        itself, so it must have no effects outside the database. With ``keep=False`` everything is rolled back at the
        end. ``read_only`` lets PostgreSQL refuse every write; ``statement_timeout`` is seconds, where the usual limit
        is not meant. With ``look`` it begins with a look at all that is watched, however long ago the last one was.

        Raises BridgeError for what Odoo or PostgreSQL refuse; exceptions of ``work`` itself pass through.
        """
        try:
            patience = statement_timeout or self.limits.statement_timeout
            with self._cursor(settings_for(patience, read_only), look) as cr:
                cr.patience = patience
                return self._attempts(cr, work, keep)
        except Exception as error:
            translated = translate(error)
            if translated is None or translated is error:
                raise
            raise translated from error

    def _attempts(self, cr: SettingCursor, work: Callable[[Environment], T], keep: bool) -> T:
        root = OdooEnvironment(cr, SUPERUSER_ID, {})
        limit = deadline.mark()
        for tries_left in reversed(range(self.limits.tries)):
            commits = cr.commits
            deadline.restore(limit)
            try:
                result = self._attempt(cr, root, work, keep)
                break
            except RETRYABLE as error:
                self._discard(cr, root)
                if cr.commits > commits:  # and would be done twice
                    raise Conflict(_COMMITTED, name="conflict_after_commit") from error
                if not tries_left:
                    raise
                self._on_retry()
                self._pause(error, self.limits.tries - tries_left)
            except GONE:
                failed = Structure.of(root)
                self._discard(cr, root)  # after which it has the present one
                if not tries_left or cr.commits > commits or not self._await_change(cr, root, failed):
                    raise
                self._on_retry()
            except psycopg2.IntegrityError as error:
                self._discard(cr, root)
                raise violation(root, error) from error
            except BaseException:
                self._discard(cr, root)
                raise
        # It has been emptied, and nobody uses it any more: closing the cursor need not look at it, and what refers to
        # itself would be left to the garbage collector.
        transaction, cr.transaction = root.transaction, None
        transaction.default_env = transaction.cache = transaction.envs = None
        return result

    def _attempt(self, cr: SettingCursor, root: Environment, work: Callable[[Environment], T], keep: bool) -> T:
        result = work(root)
        if keep:
            cr.commit()  # which flushes first
        else:
            cr.flush()
            self._discard(cr, root)
        return result

    def _pause(self, error: Exception, tried: int) -> None:
        """Wait before the next try, longer after each."""
        _logger.info("%s: try %d of %d failed", type(error).__name__, tried, self.limits.tries)
        time.sleep(random.uniform(0.25, 1) * min(0.01 * 2**tried, 0.2))  # noqa: S311  jitter, not a secret

    def _await_change(self, cr: SettingCursor, root: Environment, failed: Structure) -> bool:
        """Return True once ``root`` has another registry than the one that failed; False where that is not at fault.

        Raises Unavailable where Odoo is being changed for longer than a call should wait. Then others need not wait.
        """
        self._follow_signals(cr)
        root.transaction.reset()
        if failed.fits(root):
            lags = is_gone(cr, failed.registry)
            cr.rollback()
            if not lags:
                return False
        deadline = time.monotonic() + _PATIENCE
        while failed.fits(root):
            now = time.monotonic()
            if now > deadline:
                self._gap_until = now + _GAP
            if now < self._gap_until:
                raise Unavailable("Odoo is being changed. Please try again in a moment.", name="odoo_changing")
            time.sleep(_STEP)
            cr.rollback()  # each look is one of its own, and not into the snapshot of the one before
            self._follow_signals(cr)
            root.transaction.reset()
        return True

    @contextmanager
    def _cursor(self, settings: str, look: bool) -> Iterator[SettingCursor]:
        """Open a cursor on a registry that knows what other processes have changed; ``look`` as in ``run``."""
        threading.current_thread().dbname = self.database  # type: ignore[attr-defined]  # Odoo's log lines name it
        registry = self.current.get()
        is_outermost = not _here.depth
        if is_outermost:
            signaling.resend(registry)
        cr = connections.cursor(self.database, settings)
        cr.ends_changes = is_outermost
        _here.depth += 1
        try:
            now = time.monotonic()
            if look or now - self._signaling_checked >= self.limits.signaling_interval:
                # On this very cursor: what it reads is no newer than what the work that follows does.
                if look:
                    self.current.follow(cr, whole=True)
                else:
                    self._follow_signals(cr)
                self._signaling_checked = now  # and not before: nobody relies on a look that is not over
            yield cr
        except Exception as error:
            if cr.closed and translate(error) is None:  # what comes of a result that is missing can be anything
                raise Unavailable("The database cannot be reached at the moment.") from error
            raise
        finally:
            _here.depth -= 1
            cr.close()

    def _follow_signals(self, cr: SettingCursor) -> None:
        """Empty the caches, or load the registry anew, where another process has told that they are old."""
        self.current.follow(cr)

    def _discard(self, cr: SettingCursor, root: Environment) -> None:
        """Roll back the database and what the process remembers of the attempt."""
        registry = root.registry
        if cr.closed:
            self._give_up(cr, registry)
            return
        try:
            cr.rollback()
            root.transaction.reset()
            if cr.ends_changes:
                if registry.registry_invalidated:
                    structure.take_back()
                registry.reset_changes()
        except Exception:
            self._give_up(cr, registry)
            raise

    def _give_up(self, cr: SettingCursor, registry: Registry) -> None:
        """Empty caches that may be wrong, where nothing can be rolled back and nobody knows if it was committed."""
        caches.empty_again(registry)
        if registry.registry_invalidated:
            Registry.delete(self.database)  # changed in place, maybe for nothing: the next call loads it anew
        signaling.postpone(registry, keep=not cr.ends_changes)


def act_as(root: Environment, uid: int, context: dict[str, Any]) -> Environment:
    """Return an environment of user ``uid`` without superuser rights; it becomes the transaction's own.

    Odoo recomputes and flushes with the transaction's default environment (see ``execute_cr``).
    """
    if uid == SUPERUSER_ID:
        raise BridgeError("The superuser cannot execute calls.", name="superuser")
    env = root(user=uid, context=context, su=False)
    env.transaction.default_env = env
    return env


@contextmanager
def attempt(env: Environment) -> Iterator[None]:
    """Do a part of a transaction that may fail by itself: what it wrote is then undone, and the rest goes on.

    Raises BridgeError for what Odoo or PostgreSQL refuse. What is worth another try of the whole transaction, and
    exceptions of the block itself, pass through.
    """
    try:
        with env.cr.savepoint():
            yield
    except RETRYABLE:
        raise
    except psycopg2.IntegrityError as error:
        raise violation(env, error) from error
    except Exception as error:
        translated = translate(error)
        if translated is None or translated is error:
            raise
        raise translated from error
