"""Values of fetched records, column by column.

``BaseModel._read_format`` asks each record for each field: access, recomputation, cache, two conversions. For fields
that are columns of the table, all of that is the same for the whole column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from odoo.exceptions import MissingError
from odoo.fields import Field, Float, Html, Integer, Many2one, Monetary
from odoo.orm.fields_textual import BaseString

from odoo_bridge.fast import is_on
from odoo_bridge.types import Table


def read(records: Any, names: Sequence[str], bare: Sequence[str] = ()) -> Table:
    """Return what ``records._read_format`` returns, for records whose stored fields were fetched.

    A many2one is ``(id, display_name)`` in ``names``, and its id in ``bare``; whole numbers stay whole. Records that
    are gone are left out.
    """
    ids: Sequence[int] = records._ids
    values = _cached(records, names, bare)
    others = [name for name in names if name not in values]
    bare_others = [name for name in bare if name not in values]
    if not others and not bare_others:
        return Table(ids, values)
    if len(others) > 1:
        # Stored fields first in any case: what is computed must not depend on whether all of them were in the cache.
        others.sort(key=lambda name: not records._fields[name].store)
    rows = _read_format(records, others, bare_others)
    kept = [position for position, record_id in enumerate(ids) if record_id in rows]
    if len(kept) < len(ids):
        ids = [ids[position] for position in kept]
        values = {name: [column[position] for position in kept] for name, column in values.items()}
    read_by_odoo = {name: [rows[record_id][name] for record_id in ids] for name in (*others, *bare_others)}
    return Table(ids, {**values, **read_by_odoo})


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
    kinds = [(records, names, "_classic_read"), (records, bare, None)]
    if records.env.context.get("bin_size"):
        # Of binary fields alone the size is told: what is computed from their contents needs them.
        context = {key: value for key, value in records.env.context.items() if key != "bin_size"}
        whole = records.with_context(context)
        sized = {name for name in (*names, *bare) if records._fields[name].type == "binary"}
        kinds = [
            (some, [name for name in fields if (name in sized) == (some is records)], load)
            for some in (records, whole)
            for _, fields, load in kinds
        ]
    rows = [{row["id"]: row for row in some._read_format(fields, load=load)} for some, fields, load in kinds if fields]
    first, *more = rows
    return {
        record_id: {name: value for part in rows for name, value in part[record_id].items()}
        for record_id in first
        if all(record_id in part for part in more)
    }


def _column(records: Any, field: Any, display_names: bool) -> Sequence[Any] | None:
    """Return the values of a field, None where they are not simply those of the cache.

    Raises KeyError for a record that is not in the cache.
    """
    kind = type(field)
    if not field.store or not field.column_type or field.company_dependent or callable(field.translate):
        return None
    many2one = (kind.__get__, kind.convert_to_record, kind.convert_to_read) == _MANY2ONE
    convert = _CONVERSIONS.get((kind.convert_to_record, kind.convert_to_read))
    if not many2one and (convert is None or kind.__get__ is not Field.__get__):
        return None
    if not (records.env.su or records._has_field_access(field, "read")):
        return None
    if field.compute:
        field.recompute(records)
    cache = field._get_cache(records.env)
    values = [cache[record_id] for record_id in records._ids]
    if convert is not None:
        return convert(values)
    return _names(records, field, values) if display_names else [value or False for value in values]


def _names(records: Any, field: Any, values: Sequence[Any]) -> list[Any]:
    """Return ``(id, display_name)`` as Odoo shows it: also of a record that the user may not see."""
    related = records.env[field.comodel_name].browse(dict.fromkeys(value for value in values if value)).sudo()
    names = {record.id: (record.id, record.display_name) for record in related}
    return [names[value] if value else False for value in values]


def _false_for_none(values: Iterable[Any]) -> list[Any]:
    return [False if value is None else value for value in values]


def _zero_for_none(values: Iterable[Any]) -> list[Any]:
    return [value or 0 for value in values]


def _zero_float_for_none(values: Iterable[Any]) -> list[Any]:
    return [value or 0.0 for value in values]


_MANY2ONE = (Many2one.__get__, Many2one.convert_to_record, Many2one.convert_to_read)
#: What Odoo's pairs of conversions do to a value of the cache. A field with conversions of its own is left to Odoo.
_CONVERSIONS: dict[tuple[Any, Any], Callable[[Iterable[Any]], list[Any]]] = {
    (Field.convert_to_record, Field.convert_to_read): _false_for_none,
    (BaseString.convert_to_record, Field.convert_to_read): _false_for_none,
    (Html.convert_to_record, Html.convert_to_read): _false_for_none,
    (Integer.convert_to_record, Integer.convert_to_read): _zero_for_none,
    (Float.convert_to_record, Field.convert_to_read): _zero_float_for_none,
    (Monetary.convert_to_record, Monetary.convert_to_read): _zero_float_for_none,
}
