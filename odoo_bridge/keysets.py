"""Keyset pagination: the place of a record in an order, and conditions for the records behind it.

A page begins behind the last record of the one before, by the values of its sort keys, and not after so many rows.
PostgreSQL reads from there on where an index has the order, and sorts no more than for the first page where none has.
NULL has its place: a column that can be NULL makes two stretches of an order, one of them with NULL alone, which are
searched one after the other. Together in one condition, no index could find where to begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from odoo.fields import Domain
from odoo.tools import SQL, Query

from .errors import InvalidValue
from .types import Place, Recordset, SortKey, Walk


@dataclass(frozen=True, slots=True)
class _Term:
    """A sort key as SQL, and the value behind which the page begins."""

    sql: SQL
    key: SortKey
    can_be_null: bool
    value: Any

    @property
    def has_nulls_behind(self) -> bool:
        """True if records without a value may come behind this one, which has one."""
        return self.can_be_null and not self.key.nulls_first

    @property
    def equal(self) -> SQL:
        """The condition for the same value."""
        return SQL("%s IS NULL", self.sql) if self.value is None else SQL("%s = %s", self.sql, self.value)

    @property
    def beyond(self) -> SQL:
        """The condition for another value behind this one; not NULL."""
        return SQL("%s < %s" if self.key.descending else "%s > %s", self.sql, self.value)

    @property
    def from_here(self) -> SQL:
        """The condition for this value or another one behind it; not NULL."""
        return SQL("%s <= %s" if self.key.descending else "%s >= %s", self.sql, self.value)


#: Types of columns whose values the driver does not give as they are: floats for decimals, the end of the calendar for
#: "infinity", which others than Odoo can write.
_INEXACT = frozenset({"numeric", "timestamp", "date"})


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of what lies behind the place of a walk, searched by itself.

    ``only``: nothing else is asked of the database for the page.
    """

    walk: Walk
    condition: Domain
    only: bool

    def sql(self, model: Recordset) -> SQL:
        """Return the condition on the model's own table."""
        return SQL() if self.condition.is_true() else self.condition._to_sql(model, model._table, None)


def narrowed(domain: list[Any], stretch: Stretch | None) -> Any:
    """Return the domain of the records that match one, and lie in a stretch where there is one."""
    return domain if stretch is None or stretch.condition.is_true() else Domain(domain) & stretch.condition


def stretches(model: Recordset, walk: Walk) -> list[Stretch]:
    """Return the stretches of what lies behind the place of a walk, in their order.

    Raises InvalidValue where the model has a way of its own to sort by one of the keys.
    """
    _check_order(model, walk)
    if walk.after is None:
        return [Stretch(walk, Domain.TRUE, only=True)]
    first, *others = _terms(model, model._table, walk.keys, walk.after)
    has_second = first.key.nulls_first if first.value is None else first.has_nulls_behind
    has_second = has_second and bool(others)
    conditions = [_condition(walk, number) for number in range(2 if has_second else 1)]
    return [Stretch(walk, condition, only=not has_second) for condition in conditions]


def place(model: Recordset, walk: Walk, record_id: int) -> Place:
    """Return the place of a record that a search of this transaction has found. One query."""
    table = model._table
    columns = []
    for key in walk.keys:
        sql = _column(model, table, key.field)
        columns.append(SQL("%s::text", sql) if model._fields[key.field].column_type[0] in _INEXACT else sql)
    query = Query(model.env, table, model._table_sql)
    query.add_where(SQL("%s = %s", SQL.identifier(table, "id"), record_id))
    (found,) = model.env.execute_query(query.select(*columns))
    return tuple(found)


def _condition(walk: Walk, number: int) -> Domain:
    return Domain.custom(to_sql=lambda model, alias, query: _sql(model, alias, walk, number))


def _sql(model: Recordset, alias: str, walk: Walk, number: int) -> SQL:
    """Return the condition for a stretch: the first, number 0, in which the place is, or the second behind it."""
    first, *others = _terms(model, alias, walk.keys, walk.after or ())
    if number:
        return SQL("%s IS NOT NULL" if first.value is None else "%s IS NULL", first.sql)
    if not others:
        return first.beyond
    if first.value is None:
        return SQL("(%s AND %s)", first.equal, _behind(others))
    return _within(first, others)


def _within(term: _Term, others: Sequence[_Term]) -> SQL:
    """Return the condition for what is behind a place whose first value is not NULL, but for NULL.

    It begins with a condition that an index knows.
    """
    return SQL("(%s AND (%s OR %s))", term.from_here, term.beyond, _behind(others))


def _behind(terms: Sequence[_Term]) -> SQL:
    """Return the condition for all that is behind a place."""
    term, *others = terms
    if not others:  # the id, which is never NULL
        return term.beyond
    if term.value is None:
        same = SQL("(%s AND %s)", term.equal, _behind(others))
        return SQL("(%s OR %s IS NOT NULL)", same, term.sql) if term.key.nulls_first else same
    within = _within(term, others)
    return SQL("(%s OR %s IS NULL)", within, term.sql) if term.has_nulls_behind else within


def _terms(model: Recordset, alias: str, keys: Sequence[SortKey], values: Place) -> list[_Term]:
    return [
        _Term(_column(model, alias, key.field), key, _can_be_null(model, key.field), value)
        for key, value in zip(keys, values, strict=True)
    ]


def _column(model: Recordset, alias: str, name: str) -> SQL:
    """Return the SQL that Odoo sorts by (see ``BaseModel._order_field_to_sql``)."""
    sql = model._field_to_sql(alias, name)
    return SQL("COALESCE(%s, FALSE)", sql) if model._fields[name].type == "boolean" else sql


def _can_be_null(model: Recordset, name: str) -> bool:
    field = model._fields[name]
    return name != "id" and field.type != "boolean" and field not in model.env.registry.not_null_fields


def _check_order(model: Recordset, walk: Walk) -> None:
    """Raise InvalidValue unless Odoo sorts by just the columns that the conditions compare."""
    table, query = model._table, Query(model.env, model._table, model._table_sql)
    for key in walk.keys:
        direction = SQL("DESC" if key.descending else "")
        nulls = SQL(f"NULLS {key.nulls.upper()}" if key.nulls else "")
        odoos = model._order_field_to_sql(table, key.path, direction, nulls, query)
        if odoos != SQL("%s %s %s", _column(model, table, key.field), direction, nulls):
            message = f"Odoo sorts {model._name} by {key.path!r} in a way of its own, which no cursor can go on in."
            raise InvalidValue(message, name="invalid_order")
