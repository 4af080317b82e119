"""Remembered SQL of what Odoo reads by itself: fields of records by their ids, and the lines of a one2many.

Whenever a value is not in the cache, Odoo builds a query: it optimizes the domain of the ids and of the record rules,
and makes SQL of each column. Where all of that is plain (see ``cacheable.py``) only the ids differ from call to call,
so the rest is kept among the statements of searches (see ``statements.py``), for as long. What the user may read is
asked at each call, in Odoo's order and with its errors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from functools import wraps
from typing import Any

from odoo.exceptions import AccessError
from odoo.models import BaseModel
from odoo.orm.fields_relational import One2many
from odoo.tools import SQL

from odoo_bridge.caches import STATEMENTS
from odoo_bridge.fast import foresight, is_on
from odoo_bridge.fast.cacheable import (
    is_plain_column,
    is_plain_domain,
    is_plain_model,
    is_plain_order,
    is_plain_to_fetch,
)
from odoo_bridge.fast.cached import CacheShape, fetch_rows
from odoo_bridge.fast.clauses import IDS, selected
from odoo_bridge.types import Recordset

#: Keys of the context that change what a column holds.
_OTHER_COLUMNS = ("bin_size", "prefetch_langs", "edit_translations", "check_translations")

_odoos_fetch = BaseModel.fetch
_odoos_read = One2many.read


def install() -> None:
    """Make all models remember; before the first registry is loaded."""
    BaseModel.fetch = wraps(_odoos_fetch)(fetch)
    One2many.read = wraps(_odoos_read)(read_lines)


def fetch(records: Recordset, field_names: Collection[str] | None = None) -> None:
    """Fetch fields as ``BaseModel.fetch`` does; raises the same."""
    known = records._origin
    if not is_on("fetches") or not known or not (field_names is None or field_names):
        _odoos_fetch(records, field_names)
        return
    shape = CacheShape.of(known._determine_fields_to_fetch(field_names, ignore_when_in_cache=True))
    sql = by_ids(known, shape.columns)
    if sql is None:
        _odoos_fetch(known, field_names)
        return
    if not shape.others and foresight.answer(known, shape.columns, sql):
        return
    foresight.note(known, shape.columns)
    found = fetch_rows(known, shape, sql, known._ids)
    if found != known:
        forbidden = (known - found).exists()
        if forbidden:
            raise known.env["ir.rule"]._make_access_error("read", forbidden)


def read_lines(field: Any, records: Recordset) -> None:
    """Read the lines of a one2many as ``One2many.read`` does; raises the same."""
    lines = _lines(field, records) if is_on("fetches") else None
    if lines is None:
        _odoos_read(field, records)
        return
    inverse = lines._fields[field.inverse_name]
    by_record = defaultdict(list)
    for line in lines:
        value = line[field.inverse_name]
        by_record[value.id if inverse.type == "many2one" else int(value)].append(line.id)
    field._insert_cache(records, [tuple(by_record[record_id]) for record_id in records._ids])


def by_ids(records: Recordset, columns: tuple[Any, ...]) -> SQL | None:
    """Return the query of some columns; None where Odoo's own way is to be taken. Raises AccessError."""
    if not columns or not _are_ids(records._ids):
        return None
    model = records.browse()

    def make() -> SQL | None:
        return _made(model, [], columns, "id", None)

    return _remembered(model, ("fetch", columns), make)


def _lines(field: Any, records: Recordset) -> Recordset | None:
    """Return the lines of records; None where Odoo's own way is to be taken."""
    lines = records.env[field.comodel_name].with_context(**{"active_test": False, **field.context})
    if foresight.has_none(lines._fields[field.inverse_name], records) and lines.has_access("read"):
        return lines
    if callable(field.domain) or not _are_ids(records._ids):
        return None
    names = [field.inverse_name, *([lines._active_name] if lines._active_name else [])]
    try:
        shape = CacheShape.of(lines._determine_fields_to_fetch(names))
        sql = _by_inverse(field, records, lines, shape.columns) if not shape.others else None
    except AccessError:  # which has a text of its own
        return None
    return None if sql is None else fetch_rows(lines, shape, sql, records._ids)


def _by_inverse(field: Any, records: Recordset, lines: Recordset, columns: tuple[Any, ...]) -> SQL | None:
    """Return the query of the lines of records; None where Odoo's own way is to be taken. Raises AccessError."""

    def make() -> SQL | None:
        domain = field.get_comodel_domain(records)
        is_plain = is_plain_domain(domain, lines) and is_plain_column(lines._fields[field.inverse_name])
        return _made(lines, domain, columns, field.inverse_name, lines._order) if is_plain else None

    return _remembered(lines, ("lines", field, columns), make)


def _remembered(model: Recordset, about: tuple[Hashable, ...], make: Callable[[], SQL | None]) -> SQL | None:
    """Return a query of a model, made or remembered, for those for whom it is the same. Raises AccessError."""
    env = model.env
    if any(env.context.get(key) for key in _OTHER_COLUMNS):
        return None
    rules = env["ir.rule"]
    is_same_for_all = env.su or rules._compute_domain(model._name, "read").is_true()
    user = None if is_same_for_all else (env.uid, *rules._compute_domain_context_values())
    view, caches = env.cr.cache_view, env.registry._Registry__caches
    key = (model._name, env.su, env.context.get("lang"), user, *about)
    try:
        sql: SQL | None = view.get(caches, STATEMENTS, key)
    except KeyError:
        sql = make()
        view.put(caches, STATEMENTS, key, sql)
    if sql is not None:  # else Odoo asks, which for some models is not the same
        model.check_access("read")
    return sql


def _made(model: Recordset, domain: Any, columns: tuple[Any, ...], by: str, order: str | None) -> SQL | None:
    """Return a query of records that match the domain and rules, with ids in the field ``by``; None if not plain."""
    is_plain = (
        is_plain_model(model)
        and is_plain_order(model, order)
        and (model.env.su or is_plain_domain(model.env["ir.rule"]._compute_domain(model._name, "read"), model))
        and all(map(is_plain_to_fetch, columns))
    )
    query = model._search(domain, order=order, active_test=order is not None) if is_plain else None
    if query is None or query.is_empty():
        return None
    query.add_where(SQL("%s IN %s", model._field_to_sql(model._table, by, query), IDS))
    return query.select(selected(model, columns, query))


def _are_ids(ids: Sequence[Any]) -> bool:
    return bool(ids) and all(type(each) is int for each in ids)
