"""From an exception of Odoo or PostgreSQL to one of the bridge's own (``errors``): a pure function."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg2
from odoo import exceptions
from psycopg2 import errors as pg
from psycopg2.pool import PoolError

from . import images
from .errors import (
    BridgeError,
    Conflict,
    Denied,
    Forbidden,
    InvalidValue,
    Missing,
    NoFreeConnection,
    ReadOnly,
    Rejected,
    StorageFull,
    TooCostly,
    Unavailable,
)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: What PostgreSQL lacks for a statement, on a connection that lives (SQLSTATE 53xxx; too many connections leave none).
SCARCE = (pg.DiskFull, pg.OutOfMemory, pg.ConfigurationLimitExceeded, pg.InsufficientResources)
#: What is worth another try: another transaction was quicker (Odoo: service/model.py, retrying).
RETRYABLE = (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable, exceptions.ConcurrencyError)
#: Values that PostgreSQL cannot take or compute with.
OUT_OF_RANGE = (psycopg2.DataError, pg.ProgramLimitExceeded, pg.StatementTooComplex)
#: Ends of a session that psycopg2 does not count among its operational errors.
_ENDED = frozenset({"25P03", "25P04"})  # idle for too long in a transaction, and a transaction that took too long
#: The bridge's error for each class of exceptions; the first that fits. Odoo's AccessError texts can name records and
#: their database ids, so they stay inside.
_BY_CLASS: tuple[tuple[tuple[type[Exception], ...], Callable[[], BridgeError]], ...] = (
    (
        (pg.QueryCanceled,),
        partial(TooCostly, "The call took longer than the server allows. Ask for less at once."),
    ),
    (
        RETRYABLE,
        partial(Conflict, "Other calls changed the same records at the same time. Please try again."),
    ),
    (
        (pg.DiskFull,),
        partial(StorageFull, "There is no room left on the database's disk. Nothing was saved."),
    ),
    (
        SCARCE,
        partial(
            Unavailable,
            "The database has not enough memory for this at the moment. Ask for less at once, or try again later.",
            name="database_overloaded",
        ),
    ),
    (
        (pg.ReadOnlySqlTransaction,),
        partial(ReadOnly, "This changes data, which a GET may not do. Use POST."),
    ),
    (
        OUT_OF_RANGE,
        partial(InvalidValue, "A value is outside of what the database can hold."),
    ),
    (
        (exceptions.AccessDenied,),
        partial(Denied, "Access denied."),
    ),
    (
        (exceptions.AccessError,),
        partial(Forbidden, "The user that executes this call has no right to do this."),
    ),
    (
        (exceptions.MissingError,),
        partial(Missing, "The record does not exist or has been deleted."),
    ),
)


def is_lost_connection(error: BaseException) -> bool:
    """True if the database is away, or has ended the session: nothing is wrong with what was asked.

    libpq tells some ends without a code, for which psycopg2 has no class but ``DatabaseError``; and what comes after
    the end (a result that is missing) has classes that otherwise mean a defect: there the connection tells.
    """
    if isinstance(error, PoolError):
        return True
    if not isinstance(error, psycopg2.Error):
        return False
    if isinstance(error, (pg.QueryCanceled, *OUT_OF_RANGE, *RETRYABLE, *SCARCE)):
        return False
    if isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)):
        return True
    if type(error) in (psycopg2.Error, psycopg2.DatabaseError) or error.pgcode in _ENDED:
        return True
    return error.cursor is not None and bool(error.cursor.connection.closed)


def translate(error: Exception) -> BridgeError | None:
    """Return the bridge's error for an exception of Odoo or psycopg2, or None for one that is a defect."""
    if isinstance(error, BridgeError):
        return error
    if is_lost_connection(error):
        away = NoFreeConnection if isinstance(error, PoolError) else Unavailable
        return away("The database cannot be reached at the moment.")
    for kinds, make in _BY_CLASS:
        if isinstance(error, kinds):
            return make()
    return _by_content(error)


def _by_content(error: Exception) -> BridgeError | None:
    """Return the error for an exception that has to be looked into, or None."""
    if isinstance(error, (exceptions.UserError, exceptions.RedirectWarning)):
        return Rejected(str(error.args[0]) if error.args else "", name=_qualified_name(error))
    if isinstance(error, OSError) and (known := storage_error(error)) is not None:
        return known
    if images.is_refused(error):
        most = images.MOST_PIXELS // 1_000_000
        return InvalidValue(f"An image cannot be read, or has more than {most} million pixels.", name="invalid_image")
    return None


def storage_error(error: OSError) -> Unavailable | None:
    """Return the bridge's error for a disk that takes no file, or None for any other error."""
    if error.errno in _NO_ROOM:
        return StorageFull("There is no room left for files. Nothing was saved.")
    if error.errno == errno.EROFS:
        return Unavailable("Files cannot be written at the moment.", name="storage_read_only")
    return None


def violation(env: Any, error: psycopg2.IntegrityError) -> Rejected:
    """Return Odoo's sentence for a violated constraint, as ``retrying`` finds it; after a rollback.

    Where Odoo has none it hands PostgreSQL's on, whose detail holds ids and values: that stays inside.
    """
    if isinstance(error, (pg.ForeignKeyViolation, pg.RestrictViolation)):
        message = "The operation cannot be completed: records that are still needed refer to each other."
        return Rejected(message, name="odoo.exceptions.ValidationError")
    model = env["base"].sudo()
    for candidate in env.registry.values():
        if error.diag.table_name == candidate._table:
            model = env[candidate._name].sudo()
            break
    sentence = str(model._sql_error_to_message(error)).partition("\nDETAIL:")[0].strip()
    message = f"The operation cannot be completed: {sentence}"
    return Rejected(message, name="odoo.exceptions.ValidationError")


def _qualified_name(error: Exception) -> str:
    """Return the name that Odoo's own RPC would give, e.g. ``odoo.exceptions.ValidationError``."""
    return f"{type(error).__module__}.{type(error).__name__}"
