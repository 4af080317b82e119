"""What Odoo's ORM reads, in the form that an API without obfuscation gives it; independent of the serializer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from odoo.exceptions import AccessError, MissingError  # noqa: TID251  what Odoo refuses

from odoo_bridge.errors import Forbidden

Row = dict[str, Any]
#: Shown by Gatehouse in a form of its own that other tests look at: addresses, labels of properties.
_NOT_COMPARED = ("binary", "properties", "properties_definition", "many2one_reference")
#: What is not the same at the next read.
_NOT_THE_SAME_TWICE = (
    "delay_endings_days",  # by the clock, as the next three
    "duration_tracking",
    "expected_date",
    "scheduled_date",
    "epd_dirty",  # marks of a synchronization that Odoo itself leaves out of a read, computed together with its plans
    "discount_allocation_dirty",
    "write_date",  # Odoo may write what is due to be computed when it is read; the comparison rolls that back
    "write_uid",
)
#: What ``read`` puts in its place (ir_actions.py): what the web client says of an empty list.
_NOT_THE_VALUE = ("ir.actions.act_window.help",)


def columns_first(model: Any, names: Iterable[str]) -> list[str]:
    """Return the fields in the order in which Gatehouse reads them.

    What the user may read of columns, Odoo takes from the cache for what it computes next.
    """
    return sorted((name for name in names if name != "id"), key=lambda name: not model._fields[name].store)


def read(records: Any, names: Iterable[str]) -> list[Row]:
    """Return what Odoo's ``read`` gives of the fields, in one call; raises AccessError where it refuses one of them."""
    records.env.invalidate_all()
    return rows(records, records.read(["id", *columns_first(records, names)]))


def given(records: Any, names: Iterable[str]) -> list[str]:
    """Return those of the fields that Odoo gives when it is asked for each by itself.

    Without those that it gives users of themselves alone (res_users.py, ``read``): ``fields: all`` is the same for
    each record.
    """
    user = records.env.user
    of_themselves = user._self_accessible_fields()[0] if records == user else ()
    return [name for name in names if name not in of_themselves and _is_given(records, name)]


def _is_given(records: Any, name: str) -> bool:
    records.env.invalidate_all()
    try:
        return len(records.read([name])) == len(records)  # a field can be kept by saying that the record is gone
    except AccessError:
        return False


def rows(model: Any, found: list[Row]) -> list[Row]:
    """Return Odoo's rows in the form of an API."""
    fields = model._fields
    return [
        {name: value if name == "id" else _shown(fields[name], value) for name, value in row.items()} for row in found
    ]


def _shown(field: Any, value: Any) -> Any:
    if field.type in _NOT_COMPARED or field.name in _NOT_THE_SAME_TWICE or str(field) in _NOT_THE_VALUE:
        return ...
    if field.type in ("boolean", "integer", "float", "monetary"):
        return value
    if field.type == "many2one":
        return list(value) if value else []
    if field.type in ("one2many", "many2many"):
        return frozenset(value)  # many models have no order that tells all of their records apart
    if field.type == "json":
        return None if value is False else value
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    return value or ""


def compare(
    ask: Callable[[list[str], list[str]], tuple[list[Row], list[str]]], found: list[Row], names: Iterable[str]
) -> Any:
    """Return what is wrong with the records of an answer; None where nothing is.

    ``ask`` gives Odoo's rows with the fields that are shown, all in one call, and those of the left out that it gives.
    """
    shown = found[0].keys() if found else {"id": None}.keys()
    if any(row.keys() != shown for row in found):
        return "not the same fields of each record"
    try:
        expected, given = ask(list(shown), [name for name in names if name not in shown])
    except Forbidden as error:
        return "Odoo refuses these fields", str(error.__cause__)[:500]
    if given and found:
        return "left out, but Odoo gives", given
    if [row["id"] for row in found] != [row["id"] for row in expected]:
        return "other records", [row["id"] for row in found][:20], [row["id"] for row in expected][:20]
    pairs = zip(found, expected, strict=True)
    return next(filter(None, (_differences(ours, theirs) for ours, theirs in pairs)), None)


def _differences(shown: Row, expected: Row) -> dict[str, Any]:
    """Return the fields that differ, each with what Gatehouse shows and what Odoo does."""
    found = {}
    for name, theirs in expected.items():
        ours = shown[name]
        if isinstance(theirs, frozenset):
            ours = frozenset(ours)
        if theirs is not ... and ours != theirs:
            found[name] = (ours, theirs)
    return found


def can_be_read(record: Any) -> bool:
    """Whether Odoo's ``read`` gives a record at all, by a column that everybody may see."""
    if not record.exists():
        return False
    try:
        return bool(record.read(["id", *_plain_column(record)]))
    except (AccessError, MissingError):
        return False


def _plain_column(record: Any) -> list[str]:
    """Return a column, so that Odoo fetches something: it checks otherwise less than it does for any field."""
    names = ("create_date", "write_date", "name", "display_name")
    return [name for name in names if name in record._fields and record._fields[name].store][:1]
