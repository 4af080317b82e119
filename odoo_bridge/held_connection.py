"""A connection that is held: who works on it can't end its transaction, nor leave it, by whatever the driver offers.

``held`` gives the connection of a call and its cursor other classes for a while. So all that is asked here of each
statement costs calls that are not held nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Any, NoReturn

from psycopg2 import extensions
from psycopg2.errors import InvalidTransactionTermination
from psycopg2.extensions import cursor as Psycopg2Cursor  # noqa: N812  the name that psycopg2 should have given it
from psycopg2.extras import Json

from .connections import SettingCursor
from .errors import BridgeError, ReadOnly
from .fast.driver import TransactionConnection, TransactionCursor
from .sandbox_state import refused
from .transaction_control import holds_values_apart, transaction_control

_NAME = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
#: Types whose values psycopg2 quotes or writes as numbers, with what it does so by; those of a subclass may bring SQL.
_QUOTING = {
    kind: extensions.adapters.get((kind, extensions.ISQLQuote))
    for kind in (str, int, float, bool, NoneType, date, datetime, time, timedelta, Decimal, bytes, Json)
}
_LISTS = frozenset({list, tuple})
#: Texts of statements that are remembered as judged are no longer.
_REMEMBERED = 10_000


def _refusing(name: str) -> Any:
    def method(connection: HeldConnection, *arguments: Any, **options: Any) -> NoReturn:
        raise connection.refusal(name)

    return method


def _fixed(name: str) -> Any:
    """Return a property that reads what the connection has always had, and refuses to be set."""

    def setter(connection: HeldConnection, value: Any) -> NoReturn:
        raise connection.refusal(name)

    return property(lambda connection: getattr(TransactionConnection, name).__get__(connection), setter)


def _kept(name: str) -> Any:
    """Return a property like ``_fixed`` for what ``begin_with`` has set."""

    def setter(connection: HeldConnection, value: Any) -> NoReturn:
        raise connection.refusal(name)

    return property(lambda connection: vars(connection).get(name, getattr(TransactionConnection, name)), setter)


class HeldConnection(TransactionConnection):
    """The connection of a call in test mode: all that ends its transaction is refused."""

    autocommit = _fixed("autocommit")
    isolation_level = _fixed("isolation_level")
    readonly = _fixed("readonly")
    deferrable = _fixed("deferrable")
    beginning = _kept("beginning")
    settings = _kept("settings")
    #: Odoo's pool gives a connection to others once this is false.
    _pool_in_use = property(lambda connection: True, lambda connection, value: _give_away(connection))

    commit = _refusing("commit")
    rollback = _refusing("rollback")
    close = _refusing("close")
    reset = _refusing("reset")
    cancel = _refusing("cancel")
    set_session = _refusing("set_session")
    set_isolation_level = _refusing("set_isolation_level")
    set_client_encoding = _refusing("set_client_encoding")
    tpc_begin = _refusing("tpc_begin")
    tpc_prepare = _refusing("tpc_prepare")
    tpc_commit = _refusing("tpc_commit")
    tpc_rollback = _refusing("tpc_rollback")
    begin_with = _refusing("begin_with")
    leave_to_psycopg2 = _refusing("leave_to_psycopg2")

    def refusal(self, what: str) -> BridgeError:
        """Return the error for a way that was tried."""
        message = f"The call wants to end or leave its transaction ({what}), which test mode does not let it."
        return refused(message, "commit")

    def cursor(self, name: str | None = None, cursor_factory: Any = None, **options: Any) -> Any:
        """Return a cursor that is held too, of the class that is asked for."""
        kind = _held(cursor_factory or self.cursor_factory or Psycopg2Cursor)
        if kind is None:
            raise self.refusal("a cursor of a function's making")
        return super().cursor(name, cursor_factory=kind, **options)


class ReadOnlyConnection(HeldConnection):
    """The connection of a call that may only read. It may end its transaction: the next one is read-only too."""

    commit = TransactionConnection.commit
    rollback = TransactionConnection.rollback
    close = TransactionConnection.close

    def refusal(self, what: str) -> BridgeError:
        """Return the error for a way that was tried."""
        return ReadOnly(f"The method controls its transaction ({what}), which it may not do for a GET. Use POST.")


def _give_away(connection: HeldConnection) -> NoReturn:
    raise connection.refusal("give_back")


class HeldCursor(TransactionCursor):
    """A cursor of a held connection: statements that control the transaction are not sent."""

    connection: HeldConnection

    def execute(self, query: Any, vars: Any = None) -> None:
        """Run a query; see psycopg2. Its text is looked at, and with all values in it where they may change it."""
        word, is_apart = _judged(query) if type(query) in (str, bytes) else (None, False)
        if not is_apart or not _are_quoted(list(vars.values()) if type(vars) is dict else vars):
            query, vars = self.mogrify(query, vars), None
            word = transaction_control(_text(query))
        self._refuse(word)
        try:
            super().execute(query, vars)
        except InvalidTransactionTermination as error:  # by a procedure, or a DO block
            raise self.connection.refusal("in a procedure") from error

    def executemany(self, query: Any, vars_list: Any) -> None:
        """Run a query several times; see psycopg2."""
        for values in vars_list:
            self.execute(query, values)

    def callproc(self, procname: Any, *arguments: Any) -> Any:
        """Call a function; see psycopg2, which puts its name into the statement as it is."""
        if not _NAME.fullmatch(str(procname)):
            raise self.connection.refusal("callproc")
        return super().callproc(procname, *arguments)

    def copy_expert(self, sql: Any, *arguments: Any, **options: Any) -> None:
        """Run a COPY; see psycopg2."""
        statement = self.mogrify(sql)
        self._refuse(transaction_control(_text(statement)))
        super().copy_expert(statement, *arguments, **options)

    def _refuse(self, word: str | None) -> None:
        if word is not None or self.ending:
            raise self.connection.refusal(word or self.ending)


class OwnCursor(HeldCursor):
    """The psycopg2 cursor that the call itself works with: it stays open."""

    def close(self) -> NoReturn:
        """Refuse it."""
        raise self.connection.refusal("close")


def _are_quoted(values: Any) -> bool:
    """True if the values of a statement, or of a list in it, can't bring SQL of their own."""
    if type(values) not in _LISTS:
        return values is None
    kinds = set(map(type, values))
    if not all(map(_is_quoted, kinds - _LISTS)):
        return False
    return kinds.isdisjoint(_LISTS) or all(_are_quoted(value) for value in values if type(value) in _LISTS)


def _is_quoted(kind: type) -> bool:
    return kind in _QUOTING and extensions.adapters.get((kind, extensions.ISQLQuote)) is _QUOTING[kind]


def _text(statement: str | bytes) -> str:
    # Odoo's connections speak UTF-8, in which no byte of another character looks like ASCII.
    return statement.decode("utf-8", "replace") if isinstance(statement, bytes) else statement


def _judged(statement: str | bytes) -> tuple[str | None, bool]:
    """Return the word by which a statement controls the transaction, and whether values can't change what it is."""
    text = _text(statement)
    return _remembered(text) if len(text) <= _REMEMBERED else _judge(text)


def _judge(text: str) -> tuple[str | None, bool]:
    return transaction_control(text), holds_values_apart(text)


_remembered = lru_cache(maxsize=1000)(_judge)


@lru_cache(maxsize=32)
def _held(factory: Any) -> Any:
    """Return a class of cursors that is held, and else what it was; None where it is no class of psycopg2's."""
    if not (isinstance(factory, type) and issubclass(factory, Psycopg2Cursor)):
        return None
    if issubclass(factory, HeldCursor):
        return factory
    return HeldCursor if factory is Psycopg2Cursor else type(factory.__name__, (HeldCursor, factory), {})


@contextmanager
def held(cr: SettingCursor, terms: type[HeldConnection]) -> Iterator[None]:
    """Hold the connection of ``cr`` on these terms."""
    connection, cursor = cr._cnx, cr._obj
    kinds = type(connection), type(cursor)
    connection.__class__, cursor.__class__ = terms, OwnCursor
    try:
        yield
    finally:
        connection.__class__, cursor.__class__ = kinds
        if not cr.closed:  # one that had died was replaced
            cr._cnx.__class__, cr._obj.__class__ = kinds
