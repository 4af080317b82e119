"""Aggregates: records in groups, and what is told of each group, by Odoo's own ``_read_group``.

Odoo checks rights, applies record rules, and lets models have their word (``calendar.event`` keeps private fields out).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from odoo.models import BaseModel
from odoo.tools import SQL

from . import domains, records
from .errors import InvalidValue
from .transaction import Environment
from .types import Grouping, Length, Page, Recordset, Selection, Table


def groups(
    env: Environment,
    model: str,
    domain: list[Any],
    grouping: Grouping,
    related: Mapping[str, Selection],
    *,
    limit: int,
    offset: int,
) -> Page:
    """Return a page of the groups of the records that match: a table with a column for each key and measure.

    A key that leads to a record is ``(id, display_name)``, or its id where ``related`` selects fields of it. False
    stands for no value, as in Odoo. Without keys there is one group, on the first page, whatever ``having`` says. Two
    queries where the page does not tell how many groups there are. Raises InvalidValue for what Odoo can't group by or
    add up.
    """
    every = env[model]
    with domains.refusals(every, domain):
        try:
            # One more than asked tells whether more follow.
            rows = every._read_group(
                domain,
                grouping.keys,
                grouping.measures,
                having=grouping.having,
                order=grouping.order,
                limit=limit + 1,
                offset=offset,
            )
            more = len(rows) > limit
            length = offset + len(rows)
            if more or (offset and not rows):
                length = _length(every, domain, grouping)
        except ValueError as error:
            message = (
                "Odoo can't group these records by this, or tell this of them. "
                "Of dates, those in the first and last year of the calendar are beyond what it reckons with."
            )
            raise InvalidValue(message, name="invalid_group") from error
    return Page(_table(every, grouping, rows[:limit], related), more, Length(length))


def _length(model: Recordset, domain: list[Any], grouping: Grouping) -> int:
    """Return the number of groups."""
    if type(model)._read_group is not BaseModel._read_group:
        return len(model._read_group(domain, grouping.keys, grouping.measures, having=grouping.having))
    query = model._search(domain)
    if query.is_empty():
        return 0
    terms = [model._read_group_groupby(model._table, key, query) for key in grouping.keys]
    query.groupby = SQL(", ").join(terms)
    query.having = model._read_group_having(list(grouping.having), query)
    ((number,),) = model.env.execute_query(SQL("SELECT COUNT(*) FROM (%s) AS groups", query.select(SQL("1"))))
    return int(number)


def _table(
    model: Recordset, grouping: Grouping, rows: Sequence[tuple[Any, ...]], related: Mapping[str, Selection]
) -> Table:
    specs = (*grouping.keys, *grouping.measures)
    values = zip(*rows, strict=True) if rows else [()] * len(specs)
    columns: dict[str, Sequence[Any]] = dict(zip(specs, values, strict=True))
    tables = {}
    for key in grouping.keys:
        comodel = model._fields[key].comodel_name if key in model._fields else None
        if comodel is None:
            continue
        ids = [record.id for record in columns[key]]
        if key in related:
            tables[key] = records.those_of(model.env[comodel], filter(None, ids), related[key])
            columns[key] = ids
        else:
            columns[key] = _named(model.env[comodel], ids)
    return Table(range(len(rows)), columns, tables)


def _named(model: Recordset, ids: Iterable[int | bool]) -> list[Any]:
    """Return ``(id, display_name)`` as Odoo shows it: also of a record that the user may not see."""
    ids = list(ids)
    shown = model.browse(dict.fromkeys(filter(None, ids))).sudo()
    names: dict[Any, Any] = {record.id: (record.id, record.display_name) for record in shown}
    return [names.get(record_id, False) for record_id in ids]
