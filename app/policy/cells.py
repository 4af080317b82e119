"""Cells of CSV as values of JSON: a column is a field, and its type says how a text is read.

A many2one is ``field`` or ``field.id``, as exports have it; what leads to several records is a list in JSON. An empty
cell is no value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app import literals
from app.definitions.definition import Exposure
from app.json import load
from app.policy.scalars import invalid
from app.policy.suggestions import unknown
from odoo_bridge.types import FieldInfo

_OF_ID = ".id"
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "": False}


def converters(
    names: Sequence[str], exposure: Exposure, key: str | None
) -> Mapping[str, tuple[str, Callable[[str], Any]]]:
    """Return the field and the converter of each column; raises BadRequest for one that can't be written.

    ``key`` is what names the records, where they may be there already.
    """
    fields, found = exposure.node.fields, {}
    for name in names:
        field = name.removesuffix(_OF_ID) if _is_relation(fields.get(name.removesuffix(_OF_ID))) else name
        if field not in exposure.writable_fields and field != key:
            known = {*exposure.writable_fields, *([key] if key else [])}
            message = f"{name[:80]!r} is no field that can be written here."
            raise unknown(message, name, known, name="unknown_field", parameter="body")
        found[name] = (field, _converter(fields.get(field)))
    return found


def _is_relation(info: FieldInfo | None) -> bool:
    return info is not None and info.type == "many2one"


def _converter(info: FieldInfo | None) -> Callable[[str], Any]:
    if info is None:
        return _text
    if info.to_many or info.type in ("json", "properties"):
        return lambda text: _json(info.name, text) if text else None
    return _CONVERTERS.get(info.type, _text)


def _text(text: str) -> str | None:
    return text or None


def _integer(text: str) -> Any:
    """Return a whole number, and what is none as it stands: the policy says what is wrong with it."""
    number = literals.to_number(text.removeprefix("-"), digits=19)
    return text or None if number is None else -number if text.startswith("-") else number


def _float(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text or None
    return number if math.isfinite(number) and "_" not in text else text


def _json(name: str, text: str) -> Any:
    try:
        return load(text.encode())
    except ValueError:
        raise invalid(name, "JSON is expected", text) from None


_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "many2one_reference": _integer,
    "float": _float,
    "monetary": _float,
    "boolean": lambda text: _BOOLEANS.get(text.lower(), text),
}
