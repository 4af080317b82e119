"""Values of properties, checked against the definition that the record's container holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from app.definitions.definition import Node
from app.definitions.secrets import is_secret_model
from app.policy.scalars import invalid
from app.policy.values import Checker
from odoo_bridge.types import FieldInfo


def check(
    source: Mapping[str, Any], infos: Mapping[str, FieldInfo], checker: Checker, node: Node, pointer: str
) -> dict[str, Any]:
    """Return the values in the form that Odoo stores; ids that they name go to the checker's references.

    Raises BadRequest that names the property.
    """
    values = {}
    for name, raw in source.items():
        here = f"{pointer}.{name}"
        info = infos.get(name)
        if info is None or is_secret_model(info.relation or ""):
            raise invalid(here, f"there is no such property; known are: {', '.join(sorted(infos)) or 'none'}")
        values[name] = _stored(_value(raw, info, checker, node, here))
    return values


def _value(raw: Any, info: FieldInfo, checker: Checker, node: Node, pointer: str) -> Any:
    if raw is None or raw == "":
        return False
    if info.type == "many2many":
        return [checker.record_id(item, info.relation or "", pointer) for item in _items(raw, pointer)]
    if info.type == "tags":
        allowed = [key for key, _ in info.selection]
        for item in _items(raw, pointer):
            if item not in allowed:
                raise invalid(pointer, f"some of {', '.join(allowed[:20])} are expected", raw)
        return list(raw)
    return checker.value(raw, info, node, pointer, {}, None)


def _items(raw: Any, pointer: str) -> Sequence[Any]:
    """Return the items of a list; of pairs [id, name], as a read gives them, the ids."""
    if not isinstance(raw, (list, tuple)):
        raise invalid(pointer, "a list is expected", raw)
    return [item[0] if isinstance(item, (list, tuple)) and len(item) == 2 else item for item in raw]


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value
