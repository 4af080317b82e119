"""Records by their ids, as Odoo's ``read`` gives them: a read is not a search.

``hr.employee`` shows everybody the fields that ``hr.employee.public`` has, but only to a read; ``account.move.line``
adds to the context of a search what is no matter of a read; ``mail.message`` shows its writer more than a search does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from odoo.fields import Domain
from odoo.models import BaseModel


def fetch(model: Any, ids: Sequence[int], domain: list[Any], names: Sequence[str]) -> Any:
    """Return those of the records that match the domain and that the user may read; archived ones too.

    In any order, with the fields in the cache. Raises AccessError where the user may not read the model or one of the
    fields. One query, where the model fetches as ``BaseModel`` does.
    """
    wanted = Domain("id", "in", list(ids)) & Domain(domain)
    query = model._search(wanted, active_test=False)
    if type(model).fetch is BaseModel.fetch:
        fields = model._determine_fields_to_fetch(names)
        return model.browse() if query.is_empty() else model._fetch_query(query, fields)
    readable = set(query)
    if rest := set(ids) - readable:
        # ``bypass_access``: whether they are there and match the domain. Whether they may be read is asked next.
        there = model._search(wanted & Domain("id", "in", list(rest)), active_test=False, bypass_access=True)
        readable.update(model.browse(there)._filtered_access("read")._ids)
    records = model.browse(readable)
    records.fetch(names)
    return records


def refetch(records: Any, names: Sequence[str]) -> None:
    """Fetch fields of records that were just written; raises AccessError unless the user may read all of them."""
    if type(records).fetch is not BaseModel.fetch:  # those of ``mail.message`` leave the check to ``read``
        records.check_access("read")
    records.fetch(names)
