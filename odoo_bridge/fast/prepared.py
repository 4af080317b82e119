"""Statements that come again and again, prepared: PostgreSQL then need not parse them each time, and may keep a plan.

psycopg2 puts values into the text of each statement. What psycopg 3 does by itself is done here with SQL's PREPARE
and EXECUTE: a statement that has come ``THRESHOLD`` times is prepared, on each connection where it comes. The types of
its parameters are those that PostgreSQL gives to the literals which psycopg2 writes, so that it means the same;
whatever can't be told for sure is sent as it always was.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, datetime
from math import isfinite
from typing import Any, TypeAlias

import psycopg2
from markupsafe import Markup
from psycopg2.extensions import connection as Psycopg2Connection  # noqa: N812  its proper name
from psycopg2.extras import Json

from odoo_bridge.fast import is_on

#: How often a statement comes before it is prepared, and how many a connection keeps prepared (as in psycopg 3).
THRESHOLD, PREPARED_MAX = 5, 100
#: How many statements are remembered to count them, over all connections of the process.
_COUNTED_MAX = 500
#: How many statements are prepared at the end of one call.
_AT_ONCE = 10
#: Items of a tuple of one kind, as ``IN`` takes: each length is a statement of its own, so only short ones pay.
_SHORT = 5

#: The type of a parameter, or those of a tuple's items.
Type: TypeAlias = "str | tuple[str, ...]"
#: A statement as it is written, with ``%s`` for its parameters, and their types.
Key: TypeAlias = tuple[str, tuple[Type, ...]]

_INT4, _INT8 = 2**31, 2**63
#: Nobody waits long for a table that is being changed: the statement is prepared another time.
_BEFORE = "RESET ALL; SET LOCAL lock_timeout = 100; SET LOCAL statement_timeout = 1000"
#: How PostgreSQL takes the literals of psycopg2. ``unknown`` is text in quotes, whose type comes from where it stands.
_TYPES: dict[type, str] = {
    str: "unknown",
    Markup: "unknown",
    type(None): "unknown",
    bool: "boolean",
    Json: "unknown",
    date: "date",
}
_COMMAND = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
#: What makes a text more than one statement, or its strings hard to tell: comments, dollar quotes, backslashes.
_UNCLEAR = re.compile(r";|\\|\$|--|/\*")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
#: A number there is the place of a column, and a parameter is not.
_BY_PARAMETER = re.compile(r"\b(?:ORDER|GROUP)\s+BY\b(?:.*,)?\s*%s", re.IGNORECASE | re.DOTALL)
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+\"?([\w.]+)", re.IGNORECASE)
_PERCENT = re.compile(r"%(.?)", re.DOTALL)


def describe(values: Sequence[Any]) -> tuple[tuple[Type, ...], list[Any]] | None:
    """Return the types of the parameters of a statement, and their values with tuples laid flat; None if unknown."""
    types: list[Type] = []
    flat: list[Any] = []
    for value in values:
        if type(value) is tuple:
            items = tuple(found for item in value if (found := _type_of(item)) is not None)
            if not items or len(items) < len(value) or (len(items) > _SHORT and len(set(items)) == 1):
                return None
            types.append(items)
            flat.extend(value)
        else:
            found = _type_of(value)
            if found is None:
                return None
            types.append(found)
            flat.append(value)
    return tuple(types), flat


def _type_of(value: Any) -> str | None:
    """Return the type that PostgreSQL gives to the literal of a value; None for one that is not worth it."""
    kind = type(value)
    if kind is int:
        return "int4" if -_INT4 < value < _INT4 else "int8" if -_INT8 < value < _INT8 else None
    if kind is float:
        return "numeric" if isfinite(value) else None
    if kind is datetime:
        return "timestamp" if value.tzinfo is None else "timestamptz"
    if kind is list:
        return _type_of_array(value)
    return _TYPES.get(kind)


def _type_of_array(items: list[Any]) -> str | None:
    if not items:
        return "unknown"  # psycopg2 writes '{}'
    if all(type(item) is str for item in items):
        return "text[]"
    return "int4[]" if all(type(item) is int and -_INT4 < item < _INT4 for item in items) else None


def preparable(key: Key) -> str | None:
    """Return a statement as PREPARE takes it, with ``$1`` for the first parameter; None where it might mean another.

    ``WHERE id IN %s`` with a tuple becomes ``WHERE id IN ($1, $2)``.
    """
    template, types = key
    if not _COMMAND.match(template) or _UNCLEAR.search(template) or _BY_PARAMETER.search(template):
        return None
    if any("%s" in quoted for quoted in _QUOTED.findall(template)):
        return None
    number = 0
    remaining = iter(types)

    def numbered(match: re.Match[str]) -> str:
        nonlocal number
        if match[1] == "%":
            return "%"
        if match[1] != "s":
            raise LookupError
        kind = next(remaining, None)
        if kind is None:
            raise LookupError
        first, number = number + 1, number + (len(kind) if isinstance(kind, tuple) else 1)
        if isinstance(kind, tuple):
            return f"({', '.join(f'${n}' for n in range(first, number + 1))})"
        return f"${first}"

    try:
        text = _PERCENT.sub(numbered, template)
    except LookupError:
        return None
    return text if next(remaining, None) is None else None


def name_of(text: str, types: Sequence[str]) -> str:
    """Return a name that means this statement on every connection, whoever else may come to prepare on it.

    It tells those who look at PostgreSQL's activity what is done to which table: ``gatehouse_update_res_partner_…``.
    """
    command = text.split(maxsplit=1)[0].lower()
    table = _TABLE.search(text)
    about = re.sub(r"[^a-z0-9_]", "_", table[1].lower())[:24] if table else "nothing"
    return f"gatehouse_{command}_{about}_{hashlib.sha256(repr((text, types)).encode()).hexdigest()[:16]}"


class _Counts:
    """Counts of statements; of those that came longest ago nothing is known."""

    def __init__(self) -> None:
        self._counts: OrderedDict[Key, float] = OrderedDict()

    def is_frequent(self, key: Key) -> bool:
        """Count a statement that has come, and tell whether it is worth preparing."""
        count = self._counts.pop(key, 0)
        self.set(key, count + 1)
        return count + 1 >= THRESHOLD

    def set(self, key: Key, count: float) -> None:
        """Begin to count from there."""
        self._counts[key] = count
        if len(self._counts) > _COUNTED_MAX:
            self._counts.popitem(last=False)

    def refuse(self, key: Key) -> None:
        """Never find a statement worth preparing."""
        self.set(key, float("-inf"))


_counts = _Counts()


class Prepared:
    """The statements that are prepared on one connection, and those that are to be."""

    def __init__(self) -> None:
        self._statements: OrderedDict[Key, str] = OrderedDict()
        self._wanted: set[Key] = set()
        self._is_stale = False
        self._has_pooler: bool | None = None

    def rewritten(self, template: str, values: Sequence[Any]) -> tuple[str, list[Any]] | None:
        """Return the statement that runs a prepared one, and its parameters; None for one that is not prepared."""
        if self._has_pooler or not is_on("prepared"):
            return None
        described = describe(values)
        if described is None:
            return None
        types, flat = described
        key = (template, types)
        statement = self._statements.get(key)
        if statement is None:
            if _counts.is_frequent(key):
                self._wanted.add(key)
            return None
        self._statements.move_to_end(key)
        return statement, flat

    def forget(self) -> None:
        """Run nothing prepared any more until it has been prepared anew: what it returns has changed."""
        for key in self._statements:
            _counts.set(key, 0)
        self._statements.clear()
        self._is_stale = True

    @property
    def is_behind(self) -> bool:
        """True if there is something for ``catch_up`` to do."""
        return (bool(self._wanted) and not self._has_pooler) or self._is_stale

    def catch_up(self, connection: Psycopg2Connection) -> None:
        """Prepare statements that have come often enough, or some of them: a caller waits for it.

        Between two transactions: a statement that can't be prepared breaks none, and is sent as ever. ``connection``
        is in autocommit mode.
        """
        try:
            with connection.cursor() as plain:
                if self._is_stale:
                    plain.execute("DEALLOCATE ALL")
                    self._is_stale = False
                if self._has_pooler is None:
                    # A pooler tells its clients a number of its own. Behind it each transaction may find another
                    # session, which knows none of our statements.
                    plain.execute("SELECT pg_backend_pid()")
                    self._has_pooler = plain.fetchone() != (connection.get_backend_pid(),)
                for _ in range(0 if self._has_pooler else min(len(self._wanted), _AT_ONCE)):
                    self._prepare(plain, self._wanted.pop())
        except psycopg2.Error:
            self._wanted.clear()  # another time; who uses a connection next that has died will see

    def _prepare(self, plain: Any, key: Key) -> None:
        text = preparable(key)
        if text is None:
            _counts.refuse(key)
            return
        if len(self._statements) >= PREPARED_MAX:
            _, oldest = self._statements.popitem(last=False)
            plain.execute(f"DEALLOCATE {oldest.partition('(')[0].removeprefix('EXECUTE ')}")
        types = [each for kind in key[1] for each in (kind if isinstance(kind, tuple) else (kind,))]
        name = name_of(text, types)
        try:
            plain.execute(f"{_BEFORE}; PREPARE {name} ({', '.join(types)}) AS {text}")
        except (psycopg2.OperationalError, psycopg2.InterfaceError):  # a lock that takes time, a connection that died
            _counts.set(key, 0)
            raise
        except psycopg2.Error:
            _counts.refuse(key)
        else:
            self._statements[key] = f"EXECUTE {name}({', '.join(['%s'] * len(types))})"
