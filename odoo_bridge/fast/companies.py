"""The company tree, remembered between calls.

Record rules ask for it at nearly every call (``company_id parent_of company_ids``), and Odoo reads it anew each time.
It changes only where a company is created or deleted: ``res.company.write`` refuses ``parent_id``.
"""

from __future__ import annotations

from typing import Any

from odoo.tools import ormcache

from odoo_bridge.fast import is_on

#: Of more companies than this, Odoo reads those that it needs.
_MOST = 200


def know_tree(env: Any) -> None:
    """Put the paths of all companies into the transaction's cache, where record rules look for them."""
    if not is_on("companies"):
        return
    companies = env["res.company"]
    ids, paths = _paths(companies)
    companies._fields["parent_path"]._insert_cache(companies.browse(ids), paths)


@ormcache()  # type: ignore[untyped-decorator]  # emptied, in all processes, when a company is created or deleted
def _paths(self: Any) -> tuple[tuple[int, ...], tuple[str | None, ...]]:
    self.env.cr.execute("SELECT id, parent_path FROM res_company ORDER BY id LIMIT %s", (_MOST + 1,))
    rows = self.env.cr.fetchall()
    return (tuple(row[0] for row in rows), tuple(row[1] for row in rows)) if len(rows) <= _MOST else ((), ())
