"""Counts that take as long for ten million records as for a hundred thousand: exact while small, then an estimate.

PostgreSQL draws a sample of the table's pages (TABLESAMPLE), and those of its records that match and that the user may
see are counted. The planner's own estimate (EXPLAIN) would be quicker, but it knows the values of all records: who
combines a condition on hidden values with one that many records meet could read them from it.
"""

from __future__ import annotations

from typing import Any

from odoo.tools import SQL

#: Records that are counted exactly.
BOUND = 10_000
#: Bytes of the table that a sample has, about: a thousand of PostgreSQL's pages. Of a smaller table all is counted.
SAMPLE = 8 * 1024 * 1024


def count(model: Any, domain: list[Any]) -> tuple[int, bool]:
    """Return the number of records that match, and True where it is an estimate: more than ``BOUND`` then."""
    some = model.search_count(domain, limit=BOUND + 1)
    if some <= BOUND:
        return some, False
    query = model._search(domain)
    table = SQL.identifier(model._table)
    if not model._auto or query._tables.get(model._table) != table:  # a view, of which there is no sample
        return len(query), False
    size = SQL("pg_relation_size(%s)", f'"{model._table}"')
    percentage = SQL("least(100, 100.0 * %s / greatest(1, %s))", SAMPLE, size)
    # Always the same pages, for the pages of a walk to tell the same number.
    sample = SQL("(SELECT * FROM %s TABLESAMPLE SYSTEM (%s) REPEATABLE (0))", table, percentage)
    query._tables[model._table] = sample
    ((found, total),) = model.env.execute_query(query.select("COUNT(*)", size))
    if total <= SAMPLE:
        return found, False
    return max(BOUND + 1, rounded(found * total / SAMPLE)), True


def rounded(number: float) -> int:
    """Round to two significant digits."""
    return int(float(f"{number:.1e}"))
