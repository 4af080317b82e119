"""The five operations on records, as one user, from and to plain data.

What is read comes in tables of plain values: text, numbers, dates, ``(id, display_name)`` for a many2one, ids for an
x2many, and ids with a table of their own where a related selection asks for it. Odoo's access rights and record
rules hold: every environment here is one of a real user (see ``transaction.act_as``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any, TypeAlias

from odoo.exceptions import AccessError

from . import by_id, domains, keysets, paging
from .fast import cached, columns, prefetch, rows
from .keysets import Stretch
from .lengths import Counting
from .transaction import Environment
from .types import CountMode, Page, Selection, Table

#: Values to write, by field.
Values: TypeAlias = dict[str, Any]
Domain: TypeAlias = list[Any]
#: Puts fields of records into the cache; raises AccessError.
Fetch: TypeAlias = Callable[[Any, Sequence[str]], None]


def sizes_only(env: Environment) -> Environment:
    """Return an environment for reading in which binary fields tell only that they hold something."""
    return env(context={**env.context, "bin_size": True})


def search(
    env: Environment,
    model: str,
    domain: Domain,
    selection: Selection,
    *,
    order: str | None,
    limit: int,
    offset: int,
    count: CountMode,
) -> Page:
    """Return a page of the records that match. The count costs a query only where the page cannot tell it."""
    return search_stretch(env[model], domain, selection, order, limit, Counting(count, offset))


def search_stretch(
    records: Any,
    domain: Domain,
    selection: Selection,
    order: str | None,
    limit: int,
    counting: Counting,
    stretch: Stretch | None = None,
) -> Page:
    """Return a page of the records that match and lie in a stretch of a walk; see ``search``."""
    with domains.refusals(records, domain):
        straight = rows.search(records, domain, selection, order=order, limit=limit, counting=counting, stretch=stretch)
    if straight is not None:
        return straight

    def page(names: tuple[str, ...]) -> paging.Found:
        with domains.refusals(records, domain):
            return paging.search(records, domain, names, order=order, limit=limit, counting=counting, stretch=stretch)

    fetched = True
    try:
        found = page(selection.names)
    except AccessError:
        if not selection.open:
            raise
        found, fetched = page(()), False
    last = keysets.place(records, stretch.walk, found.records._ids[-1]) if stretch and found.records else None
    return Page(_table(found.records, selection, paging.fetch, fetched=fetched), found.more, found.length, last)


def read_found(found: Any, selection: Selection) -> Table:
    """Read records that a search of this transaction has found, as a search shows them. Raises AccessError."""
    fetched = True
    try:
        paging.fetch(found, selection.names)
    except AccessError:
        if not selection.open:
            raise
        fetched = False
    return _table(found, selection, paging.fetch, fetched=fetched)


def find(env: Environment, model: str, ids: Sequence[int], domain: Domain, selection: Selection) -> Table:
    """Return those of the records that are there for this user, in the order of the ids, and when they were written.

    Archived records count: a client that knows an id may read it, as in Odoo.
    """
    fetched, records = True, env[model]
    with domains.refusals(records, domain):
        straight = rows.find(records, ids, domain, selection)
        if straight is not None:
            return straight
        try:
            found = cached.fetch_visible(records, ids, domain, _with_version(records, selection))
        except AccessError:
            if not selection.open:
                raise
            found, fetched = cached.fetch_visible(records, ids, domain), False
    table = _table(_ordered(found, ids), selection, fetched=fetched)
    return replace(table, stamps=list(write_dates(env, model, table.ids).values()))


def flush(env: Environment) -> None:
    """Send PostgreSQL what the ORM has not written yet; raises what that has against it."""
    env.flush_all()


def visible(env: Environment, model: str, ids: Sequence[int], domain: Domain) -> set[int]:
    """Return those of ``ids`` that exist, match ``domain``, and may be seen by the user."""
    with domains.refusals(env[model], domain):
        return set(cached.fetch_visible(env[model], ids, domain)._ids)


def visible_to_write(env: Environment, model: str, ids: Sequence[int], domain: Domain) -> set[int]:
    """Find records as ``visible`` does, which are written next.

    Where the model tracks changes, Odoo reads them whole before it writes: here that is done by the same query.
    """
    if not hasattr(env.registry[model], "_track_prepare"):
        return visible(env, model, ids, domain)
    fields = env.registry[model]._fields.values()
    whole = [field.name for field in fields if field.store and field.prefetch is True and not field.groups]
    with domains.refusals(env[model], domain):
        return set(cached.fetch_visible(env[model], ids, domain, whole)._ids)


def check_writable(env: Environment, model: str, ids: Sequence[int]) -> None:
    """Raise AccessError unless the user may write records that ``visible_to_write`` has found."""
    env[model].browse(ids).check_access("write")


def exists(env: Environment, model: str, domain: Domain) -> bool:
    """True if the user can see any record that matches."""
    with domains.refusals(env[model], domain):
        return bool(_first(env[model], domain))


def lines(env: Environment, model: str, ids: Sequence[int], field: str) -> set[int]:
    """Return the ids in an x2many field of records that ``visible`` has found; archived ones too."""
    return set(env[model].browse(ids).with_context(active_test=False)[field]._ids)


def first(env: Environment, model: str, domain: Domain) -> int | None:
    """Return the id of the first record that matches, or None."""
    with domains.refusals(env[model], domain):
        record = _first(env[model], domain)
    return int(record.id) if record else None


def _first(records: Any, domain: Domain) -> Any:
    return paging.search(records, domain, (), order="id", limit=1, counting=Counting("none", 0)).records


def nobodys_lines(env: Environment, model: str, field: str, ids: Iterable[int]) -> set[int]:
    """Return those lines of a one2many that belong to no record yet."""
    inverse = env.registry[model]._fields[field].inverse_name
    lines_model = env.registry[model]._fields[field].comodel_name
    if not inverse:
        return set()
    return {line.id for line in env[lines_model].browse(ids) if not line[inverse]}


def has_records(env: Environment, model: str) -> bool:
    """True if there is such a model, and one that has records."""
    return model in env.registry and not env.registry[model]._abstract


def write_dates(env: Environment, model: str, ids: Sequence[int]) -> dict[int, datetime | None]:
    """Return the time of each record's last write; None for a model that Odoo keeps no log columns for."""
    records = env[model].browse(ids)
    return {record.id: (record.write_date or None) if records._log_access else None for record in records}


def create(env: Environment, model: str, values: list[Values]) -> list[int]:
    """Create records in one call of the ORM, and return their ids in order."""
    prefetch.know(env[model], values[0] if values else ())
    return list(env[model].create(values)._ids)


def write(env: Environment, model: str, ids: Sequence[int], values: Values) -> None:
    """Write the same values to records that ``visible`` has found."""
    records = env[model].browse(ids)
    prefetch.know(records, values)
    records.write(values)


def unlink(env: Environment, model: str, ids: Sequence[int]) -> None:
    """Delete records that ``visible`` has found."""
    env[model].browse(ids).unlink()


def read(env: Environment, model: str, ids: Sequence[int], selection: Selection) -> Table:
    """Return those of the records just written that their writer may still see, in the order of the ids.

    They may no longer match the API's domain.
    """
    records = env[model].browse(ids)
    try:
        by_id.refetch(records, _with_version(records, selection))
    except AccessError:  # of a field, or of a record that the writer has handed over
        records = _ordered(_still_visible(env, model, ids), ids)
        if not selection.open:
            records.fetch(selection.names)
    return _table(records, selection)


def _still_visible(env: Environment, model: str, ids: Sequence[int]) -> Any:
    try:
        return cached.fetch_visible(env[model], ids, [])
    except AccessError:  # who may create records may not always read them
        return env[model].browse()


def _ordered(records: Any, ids: Sequence[int]) -> Any:
    """Return the records in the order of the ids: some computed fields depend on it."""
    if len(records) < 2:
        return records
    found = set(records._ids)
    return records.browse(dict.fromkeys(record_id for record_id in ids if record_id in found))


def _with_version(records: Any, selection: Selection) -> tuple[str, ...]:
    """Return the fields to fetch so that ``write_dates`` costs no query of its own."""
    return (*selection.names, "write_date") if records._log_access else selection.names


def _fetch_to_read(records: Any, names: Sequence[str]) -> None:
    records.fetch(names)


def _table(records: Any, selection: Selection, fetch: Fetch = _fetch_to_read, *, fetched: bool = True) -> Table:
    """Read records, and related ones level by level, never record by record.

    ``fetch`` fetches fields in the way that the records were found; unless ``fetched``, Odoo refused some.
    """
    related = tuple(selection.related)
    table = _read(records, selection, related) if fetched else None
    if table is None:
        records = records.exists()
        table = columns.read(records, _not_refused(records, selection.plain, fetch), related)
    if not selection.related:
        return table
    tables = {name: _related(records, name, table, nested) for name, nested in selection.related.items()}
    return replace(table, related=tables)


def _read(records: Any, selection: Selection, related: tuple[str, ...]) -> Table | None:
    """Read records; None where the selection is open and Odoo refuses one of its fields."""
    try:
        table = columns.read(records, selection.plain, related)
    except AccessError:
        if not selection.open:
            raise
        return None
    return None if selection.open and len(table.ids) < len(records) else table


def _not_refused(records: Any, names: tuple[str, ...], fetch: Fetch) -> list[str]:
    """Return those of the fields that Odoo gives the user, of each of the records.

    A model can keep fields from a user without saying so beforehand: when they are fetched, or computed. Nothing is
    given because of what another field has left in the cache: Odoo's ``read`` gives all of these in one call.
    """
    while True:
        records.env.invalidate_all()
        fetched = _fetched(records, names, fetch)
        stored_first = sorted(fetched, key=lambda name: not records._fields[name].store)
        kept = [name for name in stored_first if _is_given(records, name)]
        if len(kept) == len(names):
            return kept
        names = tuple(kept)


def _is_given(records: Any, name: str) -> bool:
    try:
        # Of some fields that it keeps from a user Odoo says that the record is gone (hr.employee, current_version_id).
        return len(columns.read(records, [name]).ids) == len(records)
    except AccessError:
        return False


def _fetched(records: Any, names: tuple[str, ...], fetch: Fetch) -> tuple[str, ...]:
    """Fetch as many of the fields as may be fetched, and return them."""
    try:
        fetch(records, names)
    except AccessError:
        half = len(names) // 2
        return (*_fetched(records, names[:half], fetch), *_fetched(records, names[half:], fetch)) if half else ()
    return names


def _related(records: Any, name: str, table: Table, selection: Selection) -> Table:
    """Return the records that a column leads to, less those that the user may not see."""
    field = records._fields[name]
    column = table.values[name]
    to_many = field.type in ("one2many", "many2many")
    ids = chain.from_iterable(column) if to_many else filter(None, column)
    return those_of(records.env[field.comodel_name], ids, selection)


def those_of(model: Any, ids: Iterable[int], selection: Selection) -> Table:
    """Return the records with these ids, each once, less those that the user may not see."""
    found = model.browse(dict.fromkeys(ids))._filtered_access("read")
    found.fetch(selection.names)
    return _table(found, selection)
