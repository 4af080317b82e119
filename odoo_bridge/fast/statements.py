"""Remembered SQL of searches: ``search_fetch`` without translating the same things at each call.

Odoo remembers the domain of a model's record rules, but makes SQL of it at every search, and of the order and the
fields too. Where all of that is plain (see ``cacheable.py``) it follows from the model, the user and the context. So it
is remembered in a cache beside Odoo's own (see ``caches.py``): what makes Odoo forget the rules makes it forget the SQL
as well. What is asked of the user is asked at each call.

What is done with the rows differs: here they go into Odoo's cache, in ``rows`` straight into a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from odoo.fields import Domain
from odoo.tools import SQL, Query

from odoo_bridge import by_id
from odoo_bridge.caches import STATEMENTS
from odoo_bridge.fast import counts, is_on
from odoo_bridge.fast.cacheable import is_plain_column, is_plain_domain, is_plain_model, is_plain_order
from odoo_bridge.fast.pages import Clauses, clauses
from odoo_bridge.lengths import Counting

#: Odoo's recordsets. Odoo has no types of its own to offer.
Recordset: TypeAlias = Any
#: How long a domain may be that is remembered, in characters: clients choose it.
_LONGEST = 500


class Shape(Protocol):
    """Form of the rows of a statement: the id and then ``columns``, which are fields of the model itself."""

    @property
    def columns(self) -> tuple[Any, ...]:
        """The fields."""


class Wanted(Protocol):
    """Part of what a search is asked for: what is selected of each record. Hashable, and equal where it is the same."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields of the record itself."""

    def shape(self, model: Recordset) -> Shape | None:
        """Return the form of the rows; None where they can't be had by one plain statement."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Parts that the searches of a model for a user have in common, whatever the domain."""

    joins: dict[str, tuple[SQL, SQL, SQL]]
    where: tuple[SQL, ...]
    order: SQL | None
    selected: SQL
    shape: Shape


@dataclass(frozen=True, slots=True)
class Statement:
    """A search but for its page, or for the ids that it is limited to.

    ``search`` is None where nothing can match.
    """

    search: Clauses | None
    shape: Any

    def page(self, limit: int | None, offset: int, *, counted: bool = False) -> SQL | None:
        """Return the SQL of a page; None where nothing can match."""
        return self.search and self.search.page(limit, offset, counted=counted)

    def of_ids(self, ids: Sequence[int]) -> SQL | None:
        """Return the SQL for some records; None where there are none."""
        return SQL("%s IN %s", self.search.whole, tuple(ids)) if self.search and ids else None


@dataclass(frozen=True, slots=True)
class Fetched:
    """Rows that go into Odoo's cache; ``others`` are stored fields without a column."""

    columns: tuple[Any, ...]
    others: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """Fields to fetch into Odoo's cache, with those that Odoo fetches for them."""

    names: tuple[str, ...]

    def shape(self, model: Recordset) -> Fetched | None:
        """Return the columns and the other stored fields that they stand for; None where one has a way of its own."""
        fields = model.sudo()._determine_fields_to_fetch(self.names)
        columns = tuple(field for field in fields if field.column_type and field.name != "id")
        others = tuple(field for field in fields if not field.column_type)
        if not all(map(is_plain_column, columns)) or any(field.groups for field in others):
            return None
        return Fetched(columns, others)


def search_fetch(
    model: Recordset,
    domain: list[Any],
    names: Sequence[str],
    *,
    order: str | None = None,
    limit: int | None = None,
    offset: int = 0,
    counting: Counting | None = None,
) -> Recordset:
    """Search as ``model.search_fetch`` does, with the fields in the cache; raises the same."""
    found = statement(model, domain, Names(tuple(names)), order or model._order, by_ids=False)
    if found is None:
        return model.search_fetch(domain, names, offset=offset, limit=limit, order=order)
    counted = (
        counting is not None
        and found.search is not None
        and counts.goes_with_page(model.env, counting, found.search.count)
    )
    return _fetch(model, found.shape, found.page(limit, offset, counted=counted), counting if counted else None)


def fetch_visible(model: Recordset, ids: Sequence[int], domain: list[Any], names: Sequence[str] = ()) -> Recordset:
    """Return those of the records that match the domain and that the user may see, in any order; archived ones too.

    The fields are in the cache. Raises AccessError where the user may not read the model or one of the fields.
    """
    found = statement(model, domain, Names(tuple(names)), None, by_ids=True)
    if found is None:
        return by_id.fetch(model, ids, domain, names)
    return _fetch(model, found.shape, found.of_ids(ids))


def _fetch(model: Recordset, shape: Fetched, sql: SQL | None, counting: Counting | None = None) -> Recordset:
    """Run a statement and put what it fetches into the cache, as ``_fetch_query`` does; tell ``counting`` the count."""
    rows = model.env.execute_query(sql) if sql is not None else ()  # writes first what the statement has to see
    if not rows:
        return model.browse()
    ids, *values = zip(*rows, strict=True)
    if counting is not None:
        counting.told = values.pop()[0]
    found = model.browse(ids)
    for field, column in zip(shape.columns, values, strict=True):
        field._insert_cache(found, column)  # keeps what is there already
    for field in shape.others:
        field.read(found)
    return found


def statement(
    model: Recordset, domain: list[Any], wanted: Wanted, order: str | None, *, by_ids: bool
) -> Statement | None:
    """Return a statement, made or remembered; None where the model, the user or a field wants Odoo's own way.

    ``by_ids`` says that its condition ends with the id, for ``IN`` to follow. Raises AccessError.
    """
    if not is_on("statements"):
        return None
    env = model.env
    view, caches = env.cr.cache_view, env.registry._Registry__caches
    context = tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in env.context.items())
    user = (model._name, env.uid, env.su, context)
    text = repr(domain)
    statement_key = (*user, wanted, order, by_ids, text)
    try:
        known: Statement = view.get(caches, STATEMENTS, statement_key)
    except KeyError:
        pass
    else:
        model.check_access("read")
        return known
    condition = Domain(domain)
    active_test = not by_ids and not any(leaf.field_expr == model._active_name for leaf in condition.iter_conditions())
    frame_key = (*user, wanted, order, active_test)
    try:
        frame: Frame | None = view.get(caches, STATEMENTS, frame_key)
    except KeyError:
        frame = _frame(model, wanted, order, active_test)
        view.put(caches, STATEMENTS, frame_key, frame)
    if frame is None:
        return None
    model.check_access("read")
    made = Statement(_search(model, frame, condition, order, by_ids), frame.shape)
    if len(text) <= _LONGEST and is_plain_domain(condition, model):
        view.put(caches, STATEMENTS, statement_key, made)
    return made


def _frame(model: Recordset, wanted: Wanted, order: str | None, active_test: bool) -> Frame | None:
    shape = wanted.shape(model) if _is_plain(model, wanted.names, order) else None
    if shape is None:
        return None
    query = model._search([], order=order, active_test=active_test)
    if query.is_empty():
        return None
    return Frame(
        joins=dict(query._joins),
        where=tuple(query._where_clauses),
        order=query.order,
        selected=selected(model, shape.columns, query),
        shape=shape,
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


def selected(model: Recordset, columns: Sequence[Any], query: Query) -> SQL:
    """Return the columns' SQL as ``_fetch_query`` makes it: without a flush of the column itself, except translated."""
    terms = [SQL.identifier(model._table, "id")]
    for field in columns:
        term = model._field_to_sql(model._table, field.name, query)
        if not field.translate:
            term = SQL(term.code, *term.params, to_flush=(other for other in term.to_flush if other != field))
        terms.append(term)
    return SQL(", ").join(terms)


def _search(model: Recordset, frame: Frame, condition: Any, order: str | None, by_ids: bool) -> Clauses | None:
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
    return clauses(query, frame.selected, len(frame.shape.columns), order)
