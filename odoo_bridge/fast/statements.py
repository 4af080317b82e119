"""Remembered SQL of searches, without translating the same things at each call.

Odoo remembers the domain of a model's record rules, but makes SQL of it at every search, and of the order and the
fields too. Where all of that is plain (see ``cacheable.py``) it follows from the model, the user and the context. So it
is remembered in a cache beside Odoo's own (see ``caches.py``): what makes Odoo forget the rules makes it forget the SQL
as well. What is asked of the user is asked at each call.

The rows go into Odoo's cache (``cached``), or straight into a table (``rows``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from odoo.fields import Domain
from odoo.tools import SQL, Query

from odoo_bridge.caches import STATEMENTS
from odoo_bridge.fast import deep_pages, is_on
from odoo_bridge.fast.cacheable import is_plain_domain, is_plain_model, is_plain_order
from odoo_bridge.fast.clauses import IDS, Clauses, selected
from odoo_bridge.types import Recordset

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

    def page(self, limit: int | None, offset: int, *, counted: bool = False, behind: SQL | None = None) -> SQL | None:
        """Return the SQL of a page; None where nothing can match. ``behind`` is a condition more."""
        return self.search and self.search.page(limit, offset, counted=counted, behind=behind)

    def of_ids(self, ids: Sequence[int]) -> SQL | None:
        """Return the SQL for some records, with ``IDS`` in the place of theirs; None where there are none."""
        return self.search.whole if self.search and ids else None


def statement(
    model: Recordset, domain: list[Any], wanted: Wanted, order: str | None, *, by_ids: bool
) -> Statement | None:
    """Return a statement, made or remembered; None where the model, the user or a field wants Odoo's own way.

    ``by_ids`` says that it is for some records alone, whose ids are filled in later. Raises AccessError.
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
        query.add_where(SQL("%s IN %s", SQL.identifier(model._table, "id"), IDS))
    query.order = frame.order
    return Clauses.of(query, frame.selected, late=deep_pages.can_be_late(len(frame.shape.columns), order))
