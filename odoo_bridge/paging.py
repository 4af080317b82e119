"""Pages of a search, also of models that take records out after PostgreSQL has cut the page.

``mail.message``, ``mail.activity`` and ``mail.scheduled.message`` ask for a page, and then remove what the user may
not see: a short or empty page is not the last one, and an offset counts rows that nobody gets. Their pages are cut
here, from what is left. Whether a model does that is told by the query that its ``_search`` returns: it carries the
limit where PostgreSQL has the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from odoo.models import BaseModel

from .fast import cached, counts
from .keysets import Stretch, narrowed
from .lengths import Counting
from .types import Length, Recordset

#: Modules that override a search and page by themselves: their pages are full, and their offsets count what is found.
_PAGE_THEMSELVES = frozenset(
    f"odoo.addons.{name}"
    for name in (
        "account.models.account_move_line",  # adds to the context
        "base.models.ir_attachment",  # goes on until the page is full
        "base.models.res_groups",  # cuts after sorting
        "crm.models.crm_lead",  # cuts after sorting
        "hr.models.hr_employee",  # asks hr.employee.public
        "hr_holidays.models.hr_leave_type",  # cuts after sorting
    )
)
#: Rows of the first piece in which records are looked for; each next piece is twice as long.
_PIECE = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """The records of a page, whether more follow, and how many match."""

    records: Recordset
    more: bool
    length: Length


def search(
    model: Recordset,
    domain: list[Any],
    names: Sequence[str],
    *,
    order: str | None,
    limit: int,
    counting: Counting,
    stretch: Stretch | None = None,
) -> Found:
    """Return a page of the records that match, with the fields in the cache; raises what ``search_fetch`` raises.

    The count costs a query only where the page cannot tell it. ``stretch`` is where the records lie in a walk.
    """
    # One more than asked tells whether more follow.
    found = _cut_by_postgresql(model, domain, names, order, limit + 1, counting, stretch)
    if found is None:
        return _cut_here(model, narrowed(domain, stretch), names, order, limit, counting)
    more = len(found) > limit
    records = found[:limit]
    return Found(records, more, counts.length(model, domain, counting, len(records), more))


def fetch(records: Recordset, names: Sequence[str]) -> None:
    """Fetch fields of records that a search has found, as it would have; raises AccessError."""
    if type(records).search_fetch is BaseModel.search_fetch:
        _fetch(records, records._as_query(), names)
    else:
        records.fetch(names)


def _cut_by_postgresql(
    model: Recordset,
    domain: list[Any],
    names: Sequence[str],
    order: str | None,
    limit: int,
    counting: Counting,
    stretch: Stretch | None,
) -> Recordset | None:
    """Return the records of a page; None where the model takes some out of it, or may do so."""
    offset = counting.offset
    if searches_as_odoo(model, "search", "search_fetch", "_search"):
        return cached.search_fetch(
            model, domain, names, order=order, limit=limit, offset=offset, counting=counting, stretch=stretch
        )
    if not searches_as_odoo(model, "search", "search_fetch"):
        return None
    query = model._search(narrowed(domain, stretch), offset=offset, limit=limit, order=order or model._order)
    return _fetch(model, query, names) if query.limit == limit else None


def _cut_here(
    model: Recordset, domain: Any, names: Sequence[str], order: str | None, limit: int, counting: Counting
) -> Found:
    offset, is_counted = counting.offset, counting.mode != "none"
    order = _total(order or model._order)
    if not searches_as_odoo(model, "search", "search_fetch"):
        every = model.search_fetch(domain, names, order=order)
        page = every[offset : offset + limit]
        return Found(page, len(every) > offset + limit, Length(len(every) if is_counted else None))
    if is_counted:
        ids = list(dict.fromkeys(model._search(domain, order=order)))
    else:
        ids = _first(model, domain, order, offset + limit + 1)
    query = model.browse(ids[offset : offset + limit])._as_query()
    return Found(_fetch(model, query, names), len(ids) > offset + limit, Length(len(ids) if is_counted else None))


def _first(model: Recordset, domain: Any, order: str, wanted: int) -> list[int]:
    """Return the ids of at least the first ``wanted`` records that match, or of all: by pieces, not to look at all."""
    ids: dict[int, None] = {}
    start, size = 0, max(_PIECE, wanted)
    while len(ids) < wanted:
        if start and not BaseModel._search(model, domain, offset=start, limit=1):
            # Nothing that the model could take out any more; whatever else it adds is taken along.
            ids.update(dict.fromkeys(model._search(domain, offset=start, order=order)))
            break
        ids.update(dict.fromkeys(model._search(domain, offset=start, limit=size, order=order)))
        start, size = start + size, size * 2
    return list(ids)


def _fetch(model: Recordset, query: Any, names: Sequence[str]) -> Recordset:
    """Return the records of a query with the fields in the cache, as ``search_fetch`` does."""
    fields = model._determine_fields_to_fetch(names)  # raises AccessError
    return model.browse() if query.is_empty() else model._fetch_query(query, fields)


def _total(order: str) -> str:
    """Return an order in which no two records are equal, so that pieces and pages fit together."""
    return order if any(term.split()[:1] == ["id"] for term in order.split(",")) else f"{order}, id"


def searches_as_odoo(model: Recordset, *names: str) -> bool:
    """True if nobody but Odoo, and those who page by themselves, has a word in how a model is searched."""
    kind = type(model)
    overridden = [name for name in names if getattr(kind, name) is not getattr(BaseModel, name)]
    return not overridden or all(
        definition is BaseModel or definition.__module__ in _PAGE_THEMSELVES
        for definition in kind.__mro__
        for name in overridden
        if name in vars(definition)
    )
