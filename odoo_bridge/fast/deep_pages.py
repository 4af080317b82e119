"""Pages far back, whose rows are looked up late.

PostgreSQL sorts whole rows, also those that an offset leaves out. Far back it is less work to find the ids of the page
first, and the columns for those alone: 10 to 30 % less. It is not by an index alone (``id``), nor for few columns.
"""

from __future__ import annotations

from odoo_bridge.fast import is_on

#: The offset and the number of columns from which on it is less work.
DEEP, WIDE = 5000, 4


def can_be_late(columns: int, order: str | None) -> bool:
    """True if the rows of a search in this order can be looked up late, and have enough columns for it."""
    terms = [term.split()[0] for term in order.split(",")] if order else []
    # Among records that are equal in an order, two statements could choose differently.
    return columns >= WIDE and "id" in terms[1:]


def is_deep(offset: int) -> bool:
    """True if a page is so far back that its rows are to be looked up late, where they can be."""
    return offset >= DEEP and is_on("deep_pages")
