"""SQL of a search by its clauses: of each page, of all records that match, of some by their ids, and their count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from odoo.tools import SQL, Query

from odoo_bridge.fast import deep_pages

#: The column in which each row tells how many records match.
MATCHING = SQL.identifier("matching")
#: Stands in remembered SQL for the ids of the records that are asked for.
IDS = object()


@dataclass(frozen=True)
class Clauses:
    """SQL of a search but for its page: the id of the model's table, and what follows SELECT, FROM, WHERE, ORDER BY.

    ``late`` says that a deep page is to be looked up late.
    """

    id: SQL
    selected: SQL
    tables: SQL
    where: SQL
    order: SQL
    late: bool

    @classmethod
    def of(cls, query: Query, selected: SQL, *, late: bool) -> Clauses:
        """Return the clauses of one of Odoo's queries."""
        table = SQL.identifier(query.table, "id")
        return cls(table, selected, query.from_clause, query.where_clause, query.order or SQL(), late)

    @cached_property
    def whole(self) -> SQL:
        """The SQL of all records that match."""
        return self._select(self.selected, self.where)

    @cached_property
    def count(self) -> SQL:
        """The SQL that counts all records that match."""
        return SQL("SELECT COUNT(*) FROM %s%s", self.tables, SQL(" WHERE %s", self.where) if self.where else self.where)

    def page(self, limit: int | None, offset: int, *, counted: bool = False, behind: SQL | None = None) -> SQL:
        """Return the SQL of a page; of all records where ``limit`` is None or 0.

        ``counted`` has each row tell how many records match, in a last column named ``MATCHING``; ``behind`` is a
        condition that the count does not go by.

        The limit stands in it as a number: PostgreSQL then plans a prepared one once, and knows how few rows it gives.
        """
        if self.late and limit and deep_pages.is_deep(offset):
            ids = SQL(f"%s LIMIT {limit:d} OFFSET %s", self._select(self.id, self.where), offset)
            return self._select(self._shown(counted), SQL("%s IN (%s)", self.id, ids))
        if behind:
            where = SQL("%s AND %s", self.where, behind) if self.where else behind
            whole = self._select(self._shown(counted), where)
        else:
            whole = self._select(self._shown(counted), self.where) if counted else self.whole
        sql = SQL(f"%s LIMIT {limit:d}", whole) if limit else whole
        return SQL("%s OFFSET %s", sql, offset) if offset else sql

    def _shown(self, counted: bool) -> SQL:
        # PostgreSQL counts once, whatever the number of rows, and not at all where there is none.
        return SQL("%s, (%s) AS %s", self.selected, self.count, MATCHING) if counted else self.selected

    def _select(self, selected: SQL, where: SQL) -> SQL:
        after_where = SQL(" WHERE %s", where) if where else where
        after_order = SQL(" ORDER BY %s", self.order) if self.order else self.order
        return SQL("SELECT %s FROM %s%s%s", selected, self.tables, after_where, after_order)


def selected(model: Any, columns: Sequence[Any], query: Query) -> SQL:
    """Return the SQL of the id and columns as ``_fetch_query`` makes it: flushed first are translated ones alone."""
    terms = [SQL.identifier(model._table, "id")]
    for field in columns:
        term = model._field_to_sql(model._table, field.name, query)
        if not field.translate:
            term = SQL(term.code, *term.params, to_flush=(other for other in term.to_flush if other != field))
        terms.append(term)
    return SQL(", ").join(terms)


def filled(sql: SQL, ids: Sequence[int] = ()) -> tuple[str, list[Any]]:
    """Return SQL as a cursor takes it, text and parameters, with ids where ``IDS`` stands."""
    return sql.code, [tuple(ids) if param is IDS else param for param in sql.params]
