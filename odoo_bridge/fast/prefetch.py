"""Prefetch of the writing user's own rows: the user, their partner and their company.

A create or write needs them time and again (defaults, authors of messages, addresses to reply to), and Odoo reads them
one by one, each with a query that it builds anew: a fifth of what writing one record costs. Here one query reads them,
whose text is remembered, together with what else such a write is going to ask (see ``foresight.py``). No value is: all
are those of the transaction, as if Odoo had read them.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from odoo.api import SUPERUSER_ID
from odoo.exceptions import AccessError
from odoo.tools import SQL, ormcache

from odoo_bridge import written_tables
from odoo_bridge.fast import fetches, foresight, is_on
from odoo_bridge.fast.cacheable import is_same_for_all
from odoo_bridge.fast.cached import insert_row
from odoo_bridge.fast.clauses import filled


@dataclass(frozen=True, slots=True)
class _Plan:
    """Parts of a query, and the fields that the columns of its only row belong to, by table."""

    selected: str
    tables: str
    conditions: str
    users: tuple[Any, ...]
    partners: tuple[Any, ...]
    companies: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """Questions of a write: columns of records, each with its query, and fields that may refer to the record."""

    rows: tuple[tuple[Any, tuple[Any, ...], SQL], ...] = ()
    referring: tuple[Any, ...] = ()


def know(records: Any, names: Collection[str] = ()) -> None:
    """Put the rows about the user of these records' environment into the transaction's cache, unless it has them.

    With them goes all that a write to ``names`` of the records is foreseen to read.
    """
    env = records.env
    users = env["res.users"].sudo()
    partner_of = users._fields["partner_id"]
    if not is_on("prefetch") or env.uid in partner_of._get_cache(users.env):
        return
    plan = _plan(users)
    now = foresight.begin(records, names) if is_on("foresight") and len(records) < 2 else None
    foreseen = _foreseen(records, now)
    query, params = _query(env, plan, foreseen, records._ids)
    env.cr.execute(query, params)
    row = env.cr.fetchone()
    if row is None:  # the user is gone: whatever Odoo says to that
        return
    values = iter(row)
    env.cr._now = next(values)  # what ``cr.now()`` remembers: Odoo asks for the time of a write too
    partner_of._insert_cache(users.browse(SUPERUSER_ID), (next(values),))
    for model, fields in (("res.users", plan.users), ("res.partner", plan.partners), ("res.company", plan.companies)):
        _insert(users.env[model], fields, values)
    if now is not None:
        none = frozenset(field for field in foreseen.referring if not next(values))
        env.cr.foresight = replace(now, none=none, rows=dict(_rows(foreseen, values)))


def _insert(model: Any, fields: Collection[Any], values: Iterator[Any]) -> None:
    """Put the next values, of the id and then of the fields, into the cache."""
    record = model.browse(next(values))
    insert_row(record, fields, itertools.islice(values, len(fields)))


def _rows(foreseen: _Foreseen, values: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the foreseen rows that were found, as ``Foresight`` has them."""
    for record, columns, sql in foreseen.rows:
        record_id, *row = itertools.islice(values, 1 + len(columns))
        if record_id is not None:
            yield (record._name, record.env.su, record_id), (sql, row)


def _query(env: Any, plan: _Plan, foreseen: _Foreseen, ids: tuple[int, ...]) -> tuple[str, list[Any]]:
    """Return the query of all that is to be known, and its parameters."""
    tables, selected, joined = [plan.tables], [plan.selected], []
    for field in foreseen.referring:
        selected.append(f'EXISTS (SELECT FROM "{env[field.model_name]._table}" WHERE "{field.name}" = %s)')
    for number, (record, _, sql) in enumerate(foreseen.rows):
        text, its_params = filled(sql, record._ids)
        selected.append(f"f{number}.*")
        tables.append(f"LEFT JOIN ({text}) f{number} ON TRUE")
        joined.extend(its_params)
    company = (env.context.get("allowed_company_ids") or [None])[0]
    query = f"SELECT {', '.join(selected)} FROM {' '.join(tables)} WHERE {plan.conditions}"
    return query, [*ids[:1] * len(foreseen.referring), *joined, env.uid, env.uid, company, env.uid]


def _foreseen(records: Any, now: foresight.Foresight | None) -> _Foreseen:
    if now is None or written_tables.is_pending(records.env):
        return _Foreseen()
    rows = []
    for row in tuple(now.kind.rows):
        record = foresight.target(row, records)
        try:
            sql = fetches.by_ids(record, row.columns)
        except AccessError:
            continue
        if sql is not None:
            rows.append((record, row.columns, sql))
    return _Foreseen(tuple(rows), tuple(now.kind.referring))


@ormcache()  # type: ignore[untyped-decorator]  # emptied when the registry changes
def _plan(self: Any) -> _Plan:
    users, partners, companies = (_fields(self.env[name]) for name in ("res.users", "res.partner", "res.company"))
    columns = [
        f'"{alias}"."{name}"'
        for alias, fields in (("u", users), ("p", partners), ("c", companies))
        for name in ("id", *(field.name for field in fields))
    ]
    # Subqueries and not joins, so that PostgreSQL takes each row by its key, however few users it believes there are.
    partner = f"(SELECT partner_id FROM res_users WHERE id = {SUPERUSER_ID})"
    return _Plan(
        selected=f"now() AT TIME ZONE 'UTC', {partner}, {', '.join(columns)}",
        tables="res_users u CROSS JOIN res_partner p CROSS JOIN res_company c",
        conditions="u.id = %s AND p.id = (SELECT partner_id FROM res_users WHERE id = %s) "
        "AND c.id = COALESCE(%s, (SELECT company_id FROM res_users WHERE id = %s))",
        users=users,
        partners=partners,
        companies=companies,
    )


def _fields(model: Any) -> tuple[Any, ...]:
    """Return the fields that Odoo reads together, and that are the same in every language, for every user."""
    return tuple(
        field
        for field in model._fields.values()
        if field.name != "id" and field.prefetch is True and is_same_for_all(field)
    )
