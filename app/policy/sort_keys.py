"""Sort keys of an order that a cursor can go on in: columns of the model itself, in one order for everybody."""

from __future__ import annotations

from app.definitions.definition import Node
from app.definitions.remembered import remembered
from app.errors import BadRequest
from odoo_bridge.types import FieldInfo, Nulls, SortKey

#: Types of columns whose values are in one order for everybody.
_IN_ORDER = frozenset(
    {
        "boolean",
        "char",
        "date",
        "datetime",
        "float",
        "html",
        "integer",
        "many2one",
        "many2one_reference",
        "monetary",
        "reference",
        "selection",
        "text",
    }
)


def sort_keys(order: str, node: Node) -> tuple[SortKey, ...]:
    """Return the sort keys of an order that was checked, as far as the id; raises BadRequest with the reason."""
    return _remembered(node, order)


def _sort_keys(node: Node, order: str) -> tuple[SortKey, ...]:
    keys: list[SortKey] = []
    for term in order.split(","):
        path, *words = term.split()
        if path != "id":
            _check(node.fields[path.removesuffix(".id")], path)
        nulls: Nulls | None = "first" if "first" in words else "last" if "last" in words else None
        keys.append(SortKey(path, "desc" in words, nulls))
        if path == "id":  # no two records are equal in it
            break
    return tuple(keys)


_remembered = remembered(_sort_keys)


def _check(info: FieldInfo, path: str) -> None:
    reason = _reason(info, path)
    if reason:
        message = f"No cursor can go on in an order by {path!r}: {reason}"
        raise BadRequest(message, name="invalid_order", data={"parameter": "order", "field": info.name})


def _reason(info: FieldInfo, path: str) -> str | None:
    """Return the reason against going on behind a value of a field; None where there is none."""
    if not info.stored:
        return "it is no column of the model's own."
    if info.type == "many2one" and path == info.name:
        return f"it sorts by another model's own order. {path}.id sorts by the id."
    if info.translated:
        return "it is translated."
    if info.company_dependent:
        return "each company has a value of its own."
    if not info.exact:
        return "it is a float that is not exact."
    return None if info.type in _IN_ORDER else f"values of type {info.type} have no order."
