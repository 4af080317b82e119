"""Rows of remembered statements that go into Odoo's cache, as those of ``search_fetch`` and ``fetch`` do.

So whatever is computed from fields finds them there. Where nothing is, ``rows`` spares the cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from odoo.fields import Field
from odoo.orm.fields_textual import BaseString
from odoo.tools import SQL

from odoo_bridge import by_id
from odoo_bridge.fast import counts
from odoo_bridge.fast.cacheable import is_plain_column
from odoo_bridge.fast.clauses import filled
from odoo_bridge.fast.statements import statement
from odoo_bridge.keysets import Stretch, narrowed
from odoo_bridge.lengths import Counting
from odoo_bridge.types import Recordset

#: What puts values that are not translated into a dictionary by ids.
_ODOOS_INSERTS = (Field._insert_cache, BaseString._insert_cache)


@dataclass(frozen=True, slots=True)
class CacheShape:
    """Form of rows that go into the cache; ``others`` are stored fields without a column, read by themselves."""

    columns: tuple[Any, ...]
    others: tuple[Any, ...]

    @classmethod
    def of(cls, fields: Iterable[Any]) -> CacheShape:
        """Return the form that fetches some stored fields."""
        columns, others = [], []
        for field in fields:
            if not field.column_type:
                others.append(field)
            elif field.name != "id":
                columns.append(field)
        return cls(tuple(columns), tuple(others))


@dataclass(frozen=True, slots=True)
class WantedNames:
    """Fields to fetch into the cache, with those that Odoo fetches for them."""

    names: tuple[str, ...]

    def shape(self, model: Recordset) -> CacheShape | None:
        """Return the columns and the other stored fields that they stand for; None where one has a way of its own."""
        shape = CacheShape.of(model.sudo()._determine_fields_to_fetch(self.names))
        if not all(map(is_plain_column, shape.columns)) or any(field.groups for field in shape.others):
            return None
        return shape


def search_fetch(
    model: Recordset,
    domain: list[Any],
    names: Sequence[str],
    *,
    order: str | None = None,
    limit: int | None = None,
    offset: int = 0,
    counting: Counting | None = None,
    stretch: Stretch | None = None,
) -> Recordset:
    """Search as ``model.search_fetch`` does, in a stretch of a walk, with the fields in the cache; raises the same."""
    found = statement(model, domain, WantedNames(tuple(names)), order or model._order, by_ids=False)
    if found is None:
        return model.search_fetch(narrowed(domain, stretch), names, offset=offset, limit=limit, order=order)
    counted = (
        counting is not None
        and found.search is not None
        and counts.goes_with_page(model.env, counting, found.search.count)
    )
    page = found.page(limit, offset, counted=counted, behind=stretch and stretch.sql(model))
    return fetch_rows(model, found.shape, page, counting=counting if counted else None)


def fetch_visible(model: Recordset, ids: Sequence[int], domain: list[Any], names: Sequence[str] = ()) -> Recordset:
    """Return those of the records that match the domain and that the user may see, in any order; archived ones too.

    The fields are in the cache. Raises AccessError where the user may not read the model or one of the fields.
    """
    found = statement(model, domain, WantedNames(tuple(names)), None, by_ids=True)
    if found is None:
        return by_id.fetch(model, ids, domain, names)
    return fetch_rows(model, found.shape, found.of_ids(ids), ids)


def fetch_rows(
    model: Recordset, shape: CacheShape, sql: SQL | None, ids: Sequence[int] = (), *, counting: Counting | None = None
) -> Recordset:
    """Run a statement and put what it fetches into the cache, as ``_fetch_query`` does; tell ``counting`` the count.

    ``ids`` are those of the records that it is limited to.
    """
    if sql is None:
        return model.browse()
    model.env.flush_query(sql)  # writes first what the statement has to see
    model.env.cr.execute(*filled(sql, ids))
    rows = model.env.cr.fetchall()
    if not rows:
        return model.browse()
    found_ids, *values = zip(*rows, strict=True)
    if counting is not None:
        counting.told = values.pop()[0]
    found = model.browse(found_ids)
    if len(rows) == 1:
        insert_row(found, shape.columns, rows[0][1 : 1 + len(shape.columns)])
    else:
        for field, column in zip(shape.columns, values, strict=True):
            field._insert_cache(found, column)  # keeps what is there already
    for field in shape.others:
        field.read(found)
    return found


def insert_row(record: Recordset, fields: Iterable[Any], values: Iterable[Any]) -> None:
    """Put values of one record into the cache, as ``Field._insert_cache`` does: what is there already stays."""
    env, record_id = record.env, record.id
    caches, by_context = env.transaction.field_data, env.registry.field_depends_context
    for field, value in zip(fields, values, strict=True):
        if field.translate or field in by_context or type(field)._insert_cache not in _ODOOS_INSERTS:
            field._insert_cache(record, (value,))
        else:
            caches[field].setdefault(record_id, value)
