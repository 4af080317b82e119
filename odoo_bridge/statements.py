"""Searches whose SQL is made once: what ``search_fetch`` does, without translating the same things at each call.

Odoo remembers the domain of a model's record rules, but makes SQL of it at every search, and of the order and the
fields too. Where all of that is plain (see ``plain.py``) it follows from the model, the user and the context. So it
is remembered here, in Odoo's own cache: what makes Odoo forget the rules, in this process or by a signal from
another one, makes it forget the SQL as well. What is asked of the user is asked at each call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from odoo.fields import Domain
from odoo.tools import SQL, Query, ormcache
from odoo.tools.lru import LRU

from .plain import is_plain_column, is_plain_domain, is_plain_model, is_plain_order

#: Odoo's recordsets. Odoo has no types of its own to offer.
Recordset: TypeAlias = Any
#: How many statements are remembered; clients choose fields and orders.
_MOST = 1024


@dataclass(frozen=True, slots=True)
class Statement:
    """What the searches of a model have in common: the rules' and the order's SQL, and the fields that are fetched.

    ``selected`` are the columns of ``columns``, after the id; ``others`` are stored fields without a column.
    """

    where: tuple[SQL, ...]
    order: SQL | None
    joins: dict[str, tuple[SQL, SQL, SQL]]
    selected: SQL
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
    """Return what ``model.search_fetch`` returns, with the fields in the cache; raises what it raises."""
    condition = Domain(domain)
    order = order or model._order
    statement = _statement(model, tuple(names), order, active_test=not _is_about_archived(model, condition))
    if statement is None:
        return model.search_fetch(condition, names, offset=offset, limit=limit, order=order)
    return _run(model, statement, condition, limit=limit, offset=offset)


def fetch_visible(model: Recordset, ids: Sequence[int], domain: list[Any], names: Sequence[str] = ()) -> Recordset:
    """Return those of the records that match the domain and that the user may see, in any order; archived ones too.

    The fields are in the cache. Raises AccessError where the user may not read the model or one of the fields.
    """
    condition = Domain(domain)
    statement = _statement(model, tuple(names), None, active_test=False)
    if statement is None:
        condition &= Domain("id", "in", list(ids))
        if model._active_name:
            condition &= Domain(model._active_name, "in", [True, False])  # says that archived ones are meant
        return model.search_fetch(condition, names)
    return _run(model, statement, condition, ids=tuple(ids))


def _is_about_archived(model: Recordset, condition: Any) -> bool:
    """Whether a search says itself whether it means archived records, as ``_search`` finds out."""
    return any(leaf.field_expr == model._active_name for leaf in condition.iter_conditions())


def _run(
    model: Recordset,
    statement: Statement,
    condition: Any,
    *,
    ids: tuple[int, ...] | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Recordset:
    model.check_access("read")
    condition = condition.optimize_full(model)
    if condition.is_false() or ids == ():
        return model.browse()
    query = Query(model.env, model._table, model._table_sql)
    query._joins.update(statement.joins)
    query._where_clauses.extend(statement.where)
    if ids is not None:
        query.add_where(SQL("%s IN %s", SQL.identifier(model._table, "id"), ids))
    if not condition.is_true():
        query.add_where(condition._to_sql(model, model._table, query))
    query.order, query.limit, query.offset = statement.order, limit, offset
    rows = model.env.execute_query(query.select(statement.selected))
    if not rows:
        return model.browse()
    found_ids, *values = zip(*rows, strict=True)
    found = model.browse(found_ids)
    for field, column in zip(statement.columns, values, strict=True):
        field._insert_cache(found, column)  # keeps what is there already, as in _fetch_query
    for field in statement.others:
        field.read(found)
    return found


def _statement(model: Recordset, names: tuple[str, ...], order: str | None, *, active_test: bool) -> Statement | None:
    """Return the statement, made or remembered; None where the model, the user or a field wants Odoo's own way."""
    env = model.env
    context = tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in env.context.items())
    key = (model._name, env.uid, env.su, context, names, order, active_test)
    known = _known(env["ir.rule"])
    statement: Statement | None
    try:
        statement = known[key]
    except KeyError:
        statement = known[key] = _make(model, names, order, active_test)
    return statement


@ormcache()  # type: ignore[untyped-decorator]  # one entry, so that clients' wishes push nothing of Odoo's out
def _known(self: Recordset) -> LRU[Any, Statement | None]:
    return LRU(_MOST)


def _make(model: Recordset, names: tuple[str, ...], order: str | None, active_test: bool) -> Statement | None:
    if model.env.su or not is_plain_model(model) or not is_plain_order(model, order):
        return None
    if not is_plain_domain(model.env["ir.rule"]._compute_domain(model._name, "read"), model):
        return None
    if any(name not in model._fields or model._fields[name].groups for name in names):
        return None
    fields = model.sudo()._determine_fields_to_fetch(names)
    columns = [field for field in fields if field.column_type and field.name != "id"]
    others = [field for field in fields if not field.column_type]
    if not all(map(is_plain_column, columns)) or any(field.groups for field in others):
        return None
    query = model._search([], order=order, active_test=active_test)
    if query.is_empty():
        return None
    return Statement(
        where=tuple(query._where_clauses),
        order=query.order,
        joins=dict(query._joins),
        selected=_selected(model, columns, query),
        columns=tuple(columns),
        others=tuple(others),
    )


def _selected(model: Recordset, columns: Sequence[Any], query: Query) -> SQL:
    """Return the columns' SQL as ``_fetch_query`` makes it: without a flush of the column itself, except translated."""
    terms = [SQL.identifier(model._table, "id")]
    for field in columns:
        term = model._field_to_sql(model._table, field.name, query)
        if not field.translate:
            term = SQL(term.code, *term.params, to_flush=(other for other in term.to_flush if other != field))
        terms.append(term)
    return SQL(", ").join(terms)
