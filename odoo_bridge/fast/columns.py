"""Values of fetched records, column by column.

``BaseModel._read_format`` asks each record for each field: access, recomputation, cache, two conversions. For fields
that are columns of the table, all of that is the same for the whole column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any, TypeAlias

from odoo.exceptions import MissingError
from odoo.fields import Field, Float, Html, Integer, Many2one, Monetary
from odoo.orm.fields_textual import BaseString

from odoo_bridge.fast import is_on
from odoo_bridge.fast.cacheable import is_column
from odoo_bridge.types import Table

#: Values of the cache, or of the database, to those that ``read`` gives.
Conversion: TypeAlias = Callable[[Sequence[Any]], list[Any]]


def read(records: Any, names: Sequence[str], bare: Sequence[str] = ()) -> Table:
    """Read records as ``_read_format`` does, after their stored fields were fetched.

    A many2one is ``(id, display_name)`` in ``names``, and its id in ``bare``; whole numbers stay whole. Records that
    are gone are left out.
    """
    values = _cached(records, names, bare)
    others = [name for name in names if name not in values]
    bare_others = [name for name in bare if name not in values]
    if not others and not bare_others:
        return Table(records._ids, values)
    rows = _read_format(records, others, bare_others)
    return _beside(Table(records._ids, values), (*others, *bare_others), rows)


def _beside(table: Table, names: Sequence[str], rows: Mapping[int, Mapping[str, Any]]) -> Table:
    """Return a table with more columns, those of Odoo's rows; without the records that have none."""
    ids, values = table.ids, table.values
    kept = [record_id in rows for record_id in ids]
    if not all(kept):
        ids = list(compress(ids, kept))
        values = {name: list(compress(column, kept)) for name, column in values.items()}
    return Table(ids, {**values, **{name: [rows[record_id][name] for record_id in ids] for name in names}})


def _cached(records: Any, names: Sequence[str], bare: Sequence[str]) -> dict[str, Sequence[Any]]:
    """Return the columns that are simply those of the cache; none where not all of their values are there."""
    values: dict[str, Sequence[Any]] = {}
    if not is_on("columns"):
        return values
    try:
        for name in (*names, *bare):
            column = _column(records, records._fields[name], name not in bare)
            if column is not None:
                values[name] = column
    except (KeyError, MissingError):
        return {}
    return values


def _read_format(records: Any, names: Sequence[str], bare: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Return Odoo's own rows by id, without records that are gone."""
    # Stored fields first in any case: what is computed must not depend on whether all of them were in the cache.
    names = sorted(names, key=lambda name: not records._fields[name].store)
    parts = [
        {row["id"]: row for row in some._read_format(fields, load=load)}
        for wanted, load in ((names, "_classic_read"), (bare, None))
        for some, fields in _by_size(records, wanted)
        if fields
    ]
    rows, *more = parts
    for part in more:
        rows = {record_id: rows[record_id] | row for record_id, row in part.items() if record_id in rows}
    return rows


def _by_size(records: Any, names: Sequence[str]) -> list[tuple[Any, Sequence[str]]]:
    """Return fields with the records to read them of; ``bin_size`` is for binary fields alone.

    What is computed from their contents needs the contents.
    """
    context = records.env.context
    if not context.get("bin_size"):
        return [(records, names)]
    whole = records.with_context({key: value for key, value in context.items() if key != "bin_size"})
    is_sized = {name: records._fields[name].type == "binary" for name in names}
    return [
        (records, [name for name in names if is_sized[name]]),
        (whole, [name for name in names if not is_sized[name]]),
    ]


def _column(records: Any, field: Any, display_names: bool) -> Sequence[Any] | None:
    """Return the values of a field, None where they are not simply those of the cache.

    Raises KeyError for a record that is not in the cache.
    """
    convert = conversion(field)
    if convert is None or not is_column(field):
        return None
    if not (records.env.su or records._has_field_access(field, "read")):
        return None
    if field.compute:
        field.recompute(records)
    cache = field._get_cache(records.env)
    values = [cache[record_id] for record_id in records._ids]
    if display_names and convert is _false_for_zero:
        return _names(records, field, values)
    return convert(values)


def conversion(field: Any) -> Conversion | None:
    """Return the conversion of cached values to read ones; None where the field has a way of its own."""
    kind = type(field)
    return _CONVERSIONS.get((kind.__get__, kind.convert_to_record, kind.convert_to_read))


def _names(records: Any, field: Any, values: Sequence[Any]) -> list[Any]:
    """Return ``(id, display_name)`` as Odoo shows it: also of a record that the user may not see."""
    related = records.env[field.comodel_name].browse(dict.fromkeys(value for value in values if value)).sudo()
    names = {record.id: (record.id, record.display_name) for record in related}
    return [names[value] if value else False for value in values]


def _false_for_none(values: Sequence[Any]) -> list[Any]:
    # To ask whether all are true takes less than half of a search for None, with which each has to be compared.
    return list(values) if all(values) else [False if value is None else value for value in values]


def _false_for_zero(values: Sequence[Any]) -> list[Any]:
    return list(values) if all(values) else [value or False for value in values]


def _zero_for_none(values: Sequence[Any]) -> list[Any]:
    return list(values) if all(values) else [value or 0 for value in values]


def _zero_float_for_none(values: Sequence[Any]) -> list[Any]:
    return list(values) if all(values) else [value or 0.0 for value in values]


#: What Odoo's ways to read and to convert do to a value of the cache. A field with one of its own is left to Odoo.
_CONVERSIONS: dict[tuple[Any, Any, Any], Conversion] = {
    (Many2one.__get__, Many2one.convert_to_record, Many2one.convert_to_read): _false_for_zero,
    (Field.__get__, Field.convert_to_record, Field.convert_to_read): _false_for_none,
    (Field.__get__, BaseString.convert_to_record, Field.convert_to_read): _false_for_none,
    (Field.__get__, Html.convert_to_record, Html.convert_to_read): _false_for_none,
    (Field.__get__, Integer.convert_to_record, Integer.convert_to_read): _zero_for_none,
    (Field.__get__, Float.convert_to_record, Field.convert_to_read): _zero_float_for_none,
    (Field.__get__, Monetary.convert_to_record, Monetary.convert_to_read): _zero_float_for_none,
}
