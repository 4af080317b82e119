"""Test mode: a call runs for real, and nothing of it remains.

Rolling back is not enough: methods commit, open cursors of their own, start threads, send mail, call other hosts and
write files. Inside ``isolated`` each of these is kept in, for the thread that runs the call and for no other. What
can't be kept in are PostgreSQL's sequences, programs that a method starts, and connections to the database that it
opens without Odoo.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from odoo import sql_db
from odoo.addons.base.models.ir_attachment import IrAttachment
from odoo.addons.base.models.ir_mail_server import IrMail_Server
from odoo.api import SUPERUSER_ID
from odoo.api import Environment as OdooEnvironment
from odoo.modules.registry import Registry
from odoo.sql_db import BaseCursor, Savepoint

from .caches import View
from .errors import BridgeError, Rejected, translate
from .transaction import Environment

_logger = logging.getLogger(__name__)


class _State(threading.local):
    """What the current thread keeps in: the real cursor, and the first host that was refused.

    ``ways_out`` counts, outside of the sandbox too, what can write past the call's own transaction.
    """

    cursor: Any = None
    refused: Any = None  # a text, or None
    ways_out: int = 0


_state = _State()


class SandboxCursor(BaseCursor):  # type: ignore[misc]
    """A cursor that commits to a savepoint of the real transaction, which is rolled back in the end.

    The idea is that of Odoo's own tests (odoo/tests/test_cursor.py). Post-commit hooks never run: they are what a
    transaction does to the world outside.
    """

    def __init__(self, real: Any) -> None:
        super().__init__()
        self._real = real
        self.cache_view = View(real.cache_view.number)  # of its own, and never shared
        self._savepoint: Savepoint | None = None
        self._is_closed = False
        self._started: datetime | None = None

    def execute(self, query: Any, params: Any = None, log_exceptions: bool = True) -> Any:
        """Run a query inside the savepoint."""
        if self._is_closed:
            raise sql_db.psycopg2.InterfaceError("Cursor already closed")
        if self._savepoint is None:
            self._savepoint = Savepoint(self._real)
        return self._real.execute(query, params, log_exceptions)

    def commit(self) -> None:
        """Keep what was done, until the call ends."""
        self.flush()
        if self._savepoint is not None:
            self._savepoint.close(rollback=False)
            self._savepoint = None
        self._forget()
        self.postcommit.clear()

    def rollback(self) -> None:
        """Undo what was done since the last commit."""
        self.clear()
        self.postcommit.clear()
        self.prerollback.run()
        if self._savepoint is not None:
            self._savepoint.close(rollback=True)
            self._savepoint = None
        self.cache_view.forget()
        self.postrollback.run()

    def close(self) -> None:
        """Undo what was not committed; the real cursor stays open for its owner."""
        if not self._is_closed:
            self.rollback()
            self._is_closed = True

    def _forget(self) -> None:
        self.clear()
        self.prerollback.clear()
        self.postrollback.clear()

    @property
    def closed(self) -> bool:
        """Whether the cursor is closed."""
        return self._is_closed or bool(self._real.closed)

    def now(self) -> datetime:
        """Return the time of the transaction."""
        return self._real.now()  # type: ignore[no-any-return]

    def dictfetchone(self) -> Any:
        """Return the next row as a dictionary."""
        return self._real.dictfetchone()

    def dictfetchmany(self, size: int) -> Any:
        """Return the next rows as dictionaries."""
        return self._real.dictfetchmany(size)

    def dictfetchall(self) -> Any:
        """Return all rows as dictionaries."""
        return self._real.dictfetchall()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@contextlib.contextmanager
def isolated(root: Environment) -> Iterator[Environment]:
    """Give a superuser's environment like ``root`` in which nothing that is done remains or leaves the process.

    The transaction of ``root`` has to be rolled back afterwards. Raises Rejected where the work fails because another
    host could not be reached.
    """
    if _state.cursor is not None:
        raise BridgeError("Test mode does not nest.")
    _state.cursor, _state.refused = root.cr, None
    inner = SandboxCursor(root.cr)
    try:
        yield OdooEnvironment(inner, SUPERUSER_ID, dict(root.context))
        inner.flush()
    except Exception as error:
        if _state.refused is not None and translate(error) is None:
            raise Rejected(
                f"The call wants to reach {_state.refused}, which test mode does not let it.",
                name="test_mode_no_network",
            ) from error
        raise
    finally:
        if not inner.closed:
            inner.postcommit.clear()
            inner.precommit.clear()
        _state.cursor = None


def ways_out() -> int:
    """Return how often this thread has opened a cursor of its own or started a thread."""
    return _state.ways_out


def _kept_in(owner: Any, name: str, *, way_out: bool = False) -> Callable[[Callable[..., Any]], None]:
    """Replace a function by one that does something else inside the sandbox, and what it always did outside."""

    def decorate(inside: Callable[..., Any]) -> None:
        outside = getattr(owner, name)

        @functools.wraps(outside)
        def chosen(*arguments: Any, **options: Any) -> Any:
            _state.ways_out += way_out
            return (outside if _state.cursor is None else inside)(*arguments, **options)

        setattr(owner, name, chosen)

    return decorate


@_kept_in(Registry, "cursor", way_out=True)
def _registry_cursor(registry: Any, readonly: bool = False) -> Any:
    return SandboxCursor(_state.cursor)


@_kept_in(sql_db.Connection, "cursor", way_out=True)
def _connection_cursor(connection: Any) -> Any:
    return SandboxCursor(_state.cursor)


@_kept_in(Registry, "new")
def _no_new_registry(*arguments: Any, **options: Any) -> Any:
    raise Rejected("Test mode can't install, upgrade or remove addons.", name="test_mode_no_addons")


@_kept_in(threading.Thread, "start", way_out=True)
def _run_at_once(thread: threading.Thread) -> None:
    """Do a thread's work in this one, where it is kept in."""
    if thread.daemon and "ThreadPoolExecutor" in thread.name:
        raise RuntimeError("Test mode can't start a pool of threads.")
    thread.join = lambda timeout=None: None  # type: ignore[method-assign]
    try:
        thread.run()
    except Exception:
        _logger.exception("A thread that a call in test mode started has failed")


@_kept_in(IrAttachment, "_storage")
def _in_the_database(attachments: Any) -> str:
    return "db"


@_kept_in(IrAttachment, "_mark_for_gc")
def _mark_nothing(attachments: Any, fname: str) -> None:
    return None


@_kept_in(IrMail_Server, "send_email")
def _send_nothing(server: Any, message: Any, *arguments: Any, **options: Any) -> Any:
    return message["Message-Id"]


@_kept_in(IrMail_Server, "_connect__")
def _connect_nowhere(server: Any, *arguments: Any, **options: Any) -> None:
    return None


def _refuse(where: object) -> None:
    _state.refused = _state.refused or str(where)


@_kept_in(socket.socket, "connect")
def _no_connection(sock: socket.socket, address: Any) -> None:
    _refuse(_place(address))
    raise ConnectionRefusedError(f"Test mode lets no call reach {_place(address)}.")


@_kept_in(socket.socket, "connect_ex")
def _no_connection_either(sock: socket.socket, address: Any) -> int:
    _refuse(_place(address))
    return 111  # ECONNREFUSED


@_kept_in(socket.socket, "sendto")
def _no_datagram(sock: socket.socket, data: Any, *arguments: Any) -> int:
    _refuse(_place(arguments[-1]))
    raise ConnectionRefusedError(f"Test mode lets no call reach {_place(arguments[-1])}.")


@_kept_in(socket, "getaddrinfo")
def _no_lookup(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
    _refuse(f"{host}:{port}")
    raise socket.gaierror(socket.EAI_FAIL, f"Test mode looks up no host, and not {host}.")


def _place(address: Any) -> str:
    return ":".join(map(str, address[:2])) if isinstance(address, tuple) else str(address)
