"""Prefetch of the writing user's own rows: the user, their partner and their company.

A create or write needs them time and again (defaults, authors of messages, addresses to reply to), and Odoo reads them
one by one, each with a query that it builds anew: a fifth of what writing one record costs. Here one query reads them,
whose text is remembered. Nothing else is: the values are those of the transaction, as if Odoo had read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from odoo.api import SUPERUSER_ID
from odoo.tools import ormcache

from odoo_bridge.fast import is_on
from odoo_bridge.fast.cacheable import is_same_for_all


@dataclass(frozen=True, slots=True)
class _Plan:
    """A query, and the fields that the columns of its only row belong to, by table."""

    query: str
    users: tuple[Any, ...]
    partners: tuple[Any, ...]
    companies: tuple[Any, ...]


def know(env: Any) -> None:
    """Put the rows about the user of ``env`` into the transaction's cache, unless it has them."""
    users = env["res.users"].sudo()
    partner_of = users._fields["partner_id"]
    if not is_on("prefetch") or env.uid in partner_of._get_cache(users.env):
        return
    plan = _plan(users)
    chosen = env.context.get("allowed_company_ids") or [None]
    env.cr.execute(plan.query, (env.uid, env.uid, chosen[0], env.uid))
    row = env.cr.fetchone()
    if row is None:  # the user is gone: whatever Odoo says to that
        return
    now, superusers_partner, *values = row
    env.cr._now = now  # what ``cr.now()`` remembers: Odoo asks for the time of a write too
    partner_of._insert_cache(users.browse(SUPERUSER_ID), (superusers_partner,))
    columns = iter(values)
    for model, fields in (("res.users", plan.users), ("res.partner", plan.partners), ("res.company", plan.companies)):
        record = users.env[model].browse(next(columns))
        for field in fields:
            field._insert_cache(record, (next(columns),))


@ormcache()  # type: ignore[untyped-decorator]  # emptied when the registry changes
def _plan(self: Any) -> _Plan:
    users, partners, companies = (_fields(self.env[name]) for name in ("res.users", "res.partner", "res.company"))
    columns = [
        f'"{alias}"."{name}"'
        for alias, fields in (("u", users), ("p", partners), ("c", companies))
        for name in ("id", *(field.name for field in fields))
    ]
    # Subqueries and not joins, so that PostgreSQL takes each row by its key, however few users it believes there are.
    query = (
        f"SELECT now() AT TIME ZONE 'UTC', (SELECT partner_id FROM res_users WHERE id = {SUPERUSER_ID}), "
        f"{', '.join(columns)} FROM res_users u, res_partner p, res_company c WHERE u.id = %s "
        "AND p.id = (SELECT partner_id FROM res_users WHERE id = %s) "
        "AND c.id = COALESCE(%s, (SELECT company_id FROM res_users WHERE id = %s))"
    )
    return _Plan(query, users, partners, companies)


def _fields(model: Any) -> tuple[Any, ...]:
    """Return the fields that Odoo reads together, and that are the same in every language, for every user."""
    return tuple(
        field
        for field in model._fields.values()
        if field.name != "id" and field.prefetch is True and is_same_for_all(field)
    )
