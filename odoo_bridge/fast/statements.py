"""Remembered SQL of searches: ``search_fetch`` without translating the same things at each call.

Odoo remembers the domain of a model's record rules, but makes SQL of it at every search, and of the order and the
fields too. Where all of that is plain (see ``cacheable.py``) it follows from the model, the user and the context. So it
is remembered in a cache beside Odoo's own (see ``caches.py``): what makes Odoo forget the rules makes it forget the SQL
as well. What is asked of the user is asked at each call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from odoo.fields import Domain
from odoo.tools import SQL, Query

from odoo_bridge import by_id
from odoo_bridge.caches import STATEMENTS
from odoo_bridge.fast import is_on
from odoo_bridge.fast.cacheable import is_plain_column, is_plain_domain, is_plain_model, is_plain_order

#: Odoo's recordsets. Odoo has no types of its own to offer.
Recordset: TypeAlias = Any
#: How long a domain may be that is remembered, in characters: clients choose it.
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Frame:
    """Parts that the searches of a model for a user have in common, whatever the domain."""

    joins: dict[str, tuple[SQL, SQL, SQL]]
    where: tuple[SQL, ...]
    order: SQL | None
    selected: SQL
    columns: tuple[Any, ...]
    others: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A search but for its page, or for the ids that it is limited to.

    ``sql`` selects the id and then ``columns``, and is None where nothing can match; ``others`` are stored fields
    without a column.
    """

    sql: SQL | None
    columns: tuple[Any, ...]
    others: tuple[Any, ...]


def search_fetch(
    model: Recordset,
    domain: list[Any],
    names: Sequence[str],
    *,
    order: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Recordset:
    """Search as ``model.search_fetch`` does, with the fields in the cache; raises the same."""
    statement = _statement(model, domain, tuple(names), order or model._order, by_ids=False)
    if statement is None:
        return model.search_fetch(domain, names, offset=offset, limit=limit, order=order)
    sql = statement.sql
    if sql is None:
        return model.browse()
    if limit:
        sql = SQL("%s LIMIT %s", sql, limit)
    if offset:
        sql = SQL("%s OFFSET %s", sql, offset)
    return _fetch(model, statement, sql)


def fetch_visible(model: Recordset, ids: Sequence[int], domain: list[Any], names: Sequence[str] = ()) -> Recordset:
    """Return those of the records that match the domain and that the user may see, in any order; archived ones too.

    The fields are in the cache. Raises AccessError where the user may not read the model or one of the fields.
    """
    statement = _statement(model, domain, tuple(names), None, by_ids=True)
    if statement is None:
        return by_id.fetch(model, ids, domain, names)
    if statement.sql is None or not ids:
        return model.browse()
    return _fetch(model, statement, SQL("%s IN %s", statement.sql, tuple(ids)))


def _fetch(model: Recordset, statement: Statement, sql: SQL) -> Recordset:
    """Run a statement and put what it fetches into the cache, as ``_fetch_query`` does."""
    rows = model.env.execute_query(sql)  # writes first what the statement has to see
    if not rows:
        return model.browse()
    ids, *values = zip(*rows, strict=True)
    found = model.browse(ids)
    for field, column in zip(statement.columns, values, strict=True):
        field._insert_cache(found, column)  # keeps what is there already
    for field in statement.others:
        field.read(found)
    return found


def _statement(
    model: Recordset, domain: list[Any], names: tuple[str, ...], order: str | None, *, by_ids: bool
) -> Statement | None:
    """Return the statement, made or remembered; None where the model, the user or a field wants Odoo's own way.

    ``by_ids`` says that its condition ends with the id, for ``IN`` to follow. Raises AccessError.
    """
    if not is_on("statements"):
        return None
    env = model.env
    view, caches = env.cr.cache_view, env.registry._Registry__caches
    context = tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in env.context.items())
    user = (model._name, env.uid, env.su, context)
    text = repr(domain)
    statement_key = (*user, names, order, by_ids, text)
    try:
        statement: Statement = view.get(caches, STATEMENTS, statement_key)
    except KeyError:
        pass
    else:
        model.check_access("read")
        return statement
    condition = Domain(domain)
    active_test = not by_ids and not any(leaf.field_expr == model._active_name for leaf in condition.iter_conditions())
    frame_key = (*user, names, order, active_test)
    try:
        frame: Frame | None = view.get(caches, STATEMENTS, frame_key)
    except KeyError:
        frame = _frame(model, names, order, active_test)
        view.put(caches, STATEMENTS, frame_key, frame)
    if frame is None:
        return None
    model.check_access("read")
    statement = Statement(_sql(model, frame, condition, by_ids), frame.columns, frame.others)
    if len(text) <= _LONGEST and is_plain_domain(condition, model):
        view.put(caches, STATEMENTS, statement_key, statement)
    return statement


def _frame(model: Recordset, names: tuple[str, ...], order: str | None, active_test: bool) -> Frame | None:
    fetched = _fetched(model, names) if _is_plain(model, names, order) else None
    if fetched is None:
        return None
    query = model._search([], order=order, active_test=active_test)
    if query.is_empty():
        return None
    columns, others = fetched
    return Frame(
        joins=dict(query._joins),
        where=tuple(query._where_clauses),
        order=query.order,
        selected=_selected(model, columns, query),
        columns=columns,
        others=others,
    )


def _is_plain(model: Recordset, names: tuple[str, ...], order: str | None) -> bool:
    """True if the SQL of searches but for the domain follows from the user and the context, and all see the fields."""
    return (
        not model.env.su
        and is_plain_model(model)
        and is_plain_order(model, order)
        and is_plain_domain(model.env["ir.rule"]._compute_domain(model._name, "read"), model)
        and all(name in model._fields and not model._fields[name].groups for name in names)
    )


def _fetched(model: Recordset, names: tuple[str, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """Return the columns and the other stored fields that ``names`` stand for; None where one has a way of its own."""
    fields = model.sudo()._determine_fields_to_fetch(names)
    columns = tuple(field for field in fields if field.column_type and field.name != "id")
    others = tuple(field for field in fields if not field.column_type)
    if not all(map(is_plain_column, columns)) or any(field.groups for field in others):
        return None
    return columns, others


def _selected(model: Recordset, columns: Sequence[Any], query: Query) -> SQL:
    """Return the columns' SQL as ``_fetch_query`` makes it: without a flush of the column itself, except translated."""
    terms = [SQL.identifier(model._table, "id")]
    for field in columns:
        term = model._field_to_sql(model._table, field.name, query)
        if not field.translate:
            term = SQL(term.code, *term.params, to_flush=(other for other in term.to_flush if other != field))
        terms.append(term)
    return SQL(", ").join(terms)


def _sql(model: Recordset, frame: Frame, condition: Any, by_ids: bool) -> SQL | None:
    condition = condition.optimize_full(model)
    if condition.is_false():
        return None
    query = Query(model.env, model._table, model._table_sql)
    query._joins.update(frame.joins)
    query._where_clauses.extend(frame.where)
    if not condition.is_true():
        query.add_where(condition._to_sql(model, model._table, query))
    if by_ids:
        query.add_where(SQL.identifier(model._table, "id"))
    query.order = frame.order
    return query.select(frame.selected)
