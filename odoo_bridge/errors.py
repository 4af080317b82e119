"""Errors of the bridge, for all that can go wrong in Odoo or PostgreSQL; the web layer gives each its status.

What Odoo and psycopg2 raise becomes one of these in ``translation``.
"""

from __future__ import annotations


class BridgeError(Exception):
    """Base of all errors that the bridge raises on purpose.

    ``name`` is a stable identifier; ``message`` may be shown to a client.
    """

    name = "bridge_error"

    def __init__(self, message: str, *, name: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if name:
            self.name = name


class Denied(BridgeError):
    """Credentials were refused (Odoo's AccessDenied)."""

    name = "access_denied"


class Forbidden(BridgeError):
    """The user lacks access rights (Odoo's AccessError)."""

    name = "forbidden"


class Missing(BridgeError):
    """The record does not exist any more (Odoo's MissingError)."""

    name = "not_found"


class Rejected(BridgeError):
    """One of Odoo's own rules says no: UserError, ValidationError, a constraint of the database."""

    name = "odoo.exceptions.UserError"


class InvalidValue(BridgeError):
    """PostgreSQL cannot represent a value, for example an integer out of range."""

    name = "invalid_value"


class ReadOnly(BridgeError):
    """A call that may only read wanted to write."""

    name = "read_only"


class Conflict(BridgeError):
    """Other transactions still got in the way after the last retry."""

    name = "conflict"


class Unavailable(BridgeError):
    """The database is away, or no connection is free."""

    name = "database_unavailable"


class NoFreeConnection(Unavailable):
    """All connections that this process may have are in use: the database itself may be well."""


class StorageFull(Unavailable):
    """A disk is full: that of the files, or the database's."""

    name = "storage_full"


class TooCostly(BridgeError):
    """A statement ran longer than the limit allows."""

    name = "statement_timeout"


class BootError(BridgeError):
    """Odoo cannot be started with this configuration; the message says what to change."""

    name = "boot_error"
