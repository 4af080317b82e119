"""Test mode: a call runs for real, and nothing of it remains.

Rolling back is not enough: methods commit, open cursors of their own, start threads and programs, send mail, call other
hosts and write files. Inside ``isolated`` each of these is kept in, for the thread that runs the call and for no other:
the call's connection is held (``held_connection``), cursors are savepoints, threads run in this one
(``sandbox_threads``), and what leaves the process is refused (``sandbox_process``). What can't be kept in are
PostgreSQL's sequences and what code does that is older than the call: a thread that takes work from a queue, a
function for the process's end.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import psycopg2
from odoo import sql_db
from odoo.addons.base.models.ir_attachment import IrAttachment
from odoo.addons.base.models.ir_mail_server import IrMail_Server
from odoo.api import SUPERUSER_ID
from odoo.api import Environment as OdooEnvironment
from odoo.modules.registry import Registry

from . import sandbox_process, sandbox_threads  # noqa: F401  they keep in from when they are loaded
from .connections import SettingCursor
from .errors import Rejected
from .fast.driver import TransactionConnection
from .held_connection import HeldConnection, ReadOnlyConnection, held
from .nested_cursor import NestedCursor
from .sandbox_state import keeping_in, kept_in, refused, state
from .transaction import Environment
from .translation import translate

_logger = logging.getLogger(__name__)

#: The savepoint that a transaction still knows at the end of a call, where it is still the same one.
_MARK = "gatehouse_test_mode"


@contextlib.contextmanager
def isolated(root: Environment) -> Iterator[Environment]:
    """Give a superuser's environment like ``root`` in which nothing that is done remains or leaves the process.

    The transaction of ``root`` has to be rolled back afterwards. Raises Rejected where the work fails because
    something was refused to it, and where it has left the transaction all the same.
    """
    cr = root.cr
    with keeping_in(cr, testing=True):
        cr.execute(f"SAVEPOINT {_MARK}")
        try:
            with held(cr, HeldConnection):
                yield from _inside(root, cr)
        finally:
            _check_not_left(cr)


@contextlib.contextmanager
def _naming_refusals() -> Iterator[None]:
    """Raise the first refusal of the block in place of the errors that have come of it."""
    try:
        yield
    except Exception as error:
        if state.refused is not None and translate(error) is None:
            raise state.refused from error
        raise


def _inside(root: Environment, cr: SettingCursor) -> Iterator[Environment]:
    inner = NestedCursor(cr)
    try:
        with _naming_refusals():
            yield OdooEnvironment(inner, SUPERUSER_ID, dict(root.context))
            inner.flush()
    finally:
        if not inner.closed:
            inner.postcommit.clear()
            inner.precommit.clear()


def _check_not_left(cr: SettingCursor) -> None:
    """Raise Rejected where another transaction is under way than the one that test mode began: it was committed.

    What holds the connection lets no such thing pass that it knows of; this is what sees the rest. Advisory locks of
    the session end here too: no rollback ends them.
    """
    if cr.closed:  # the connection broke: PostgreSQL has kept nothing
        return
    try:
        cr.execute(f"ROLLBACK TO SAVEPOINT {_MARK}; SELECT pg_advisory_unlock_all()", log_exceptions=False)
    except psycopg2.Error as error:
        if cr.closed:
            return
        _logger.error("A call in test mode has ended its transaction: what it had written may remain")
        raise Rejected(
            "The call has ended the transaction that test mode keeps it in: what it had written may remain.",
            name="test_mode_left",
        ) from error


@contextlib.contextmanager
def reading(root: Environment, *, testing: bool = False) -> Iterator[Environment]:
    """Keep a call that may only read in the read-only transaction of ``root``, with what it does in this thread.

    ``testing`` keeps it from all that leaves the process too, as test mode does.
    It may commit, as its next transaction is read-only too; it can't say what a transaction is, nor open another.
    """
    cr = root.cr
    hold = held(cr, ReadOnlyConnection) if isinstance(cr, SettingCursor) else contextlib.nullcontext()  # a replica's
    with keeping_in(cr, testing=testing), hold, _naming_refusals():
        yield root


def ways_out() -> int:
    """Return the number of cursors, connections, threads and programs that this thread has opened or started."""
    return state.ways_out


@kept_in(Registry, "cursor", way_out=True, reading=True, database=lambda registry: registry.db_name)
def _registry_cursor(registry: Any, readonly: bool = False) -> Any:
    return (state.nested or NestedCursor)(state.cursor)


@kept_in(sql_db.Connection, "cursor", way_out=True, reading=True, database=lambda connection: connection.dbname)
def _connection_cursor(connection: Any) -> Any:
    return (state.nested or NestedCursor)(state.cursor)


@kept_in(psycopg2, "_connect", way_out=True)  # what psycopg2.connect calls, whoever has imported that
@kept_in(TransactionConnection, "__init__", way_out=True)
@kept_in(sql_db.ConnectionPool, "borrow")
@kept_in(sql_db.ConnectionPool, "close_all")
def _no_connections(*arguments: Any, **options: Any) -> Any:
    raise refused("Test mode lets no call open or close connections to a database.", "connections")


@kept_in(Registry, "new", together=True)
def _no_new_registry(*arguments: Any, **options: Any) -> Any:
    if not state.testing:
        raise Rejected("A batch can't install, upgrade or remove addons: call it by itself.", name="batch_no_commit")
    raise Rejected("Test mode can't install, upgrade or remove addons.", name="test_mode_no_addons")


@kept_in(IrAttachment, "_storage")
def _in_the_database(attachments: Any) -> str:
    return "db"


@kept_in(IrAttachment, "_mark_for_gc")
def _mark_nothing(attachments: Any, fname: str) -> None:
    return None


@kept_in(IrMail_Server, "send_email")
def _send_nothing(server: Any, message: Any, *arguments: Any, **options: Any) -> Any:
    return message["Message-Id"]


@kept_in(IrMail_Server, "_connect__")
def _connect_nowhere(server: Any, *arguments: Any, **options: Any) -> None:
    return None
