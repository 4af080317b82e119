"""Operands of conditions: the values that a client compares with, checked and brought into Odoo's form."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from app import literals
from app.definitions.ids import Ids, InvalidId
from app.json import is_clean
from app.policy.domain_errors import invalid
from app.policy.domain_operators import EQUALITY, HIERARCHY, LISTS
from app.policy.paths import Target

MAX_VALUES = 5_000
#: Operators that ask whether anything is there.
_TAKE_NOTHING = EQUALITY | LISTS


class Operands:
    """Operands of the conditions of one domain: all of their values are counted together."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._values = 0

    def check(self, path: str, operator: str, value: object, target: Target) -> Any:
        """Return an operand in Odoo's form; raises BadRequest that names the condition's path."""
        if operator in HIERARCHY:
            return self._hierarchy(path, value, target)
        if operator in LISTS:
            if not isinstance(value, (list, tuple)):
                raise invalid(f"{path}: operator {operator!r} takes a list.", value)
            return [self._one(path, operator, item, target) for item in self._bounded(path, value)]
        if isinstance(value, (list, tuple)):
            raise invalid(f"{path}: operator {operator!r} takes one value; for a list, use in or not in.")
        return self._one(path, operator, value, target)

    def _hierarchy(self, path: str, value: object, target: Target) -> list[int]:
        """Ancestors tell a record's parent, so the parent has to be visible."""
        parent = target.node.model.parent_field
        if parent is None or parent not in target.node.fields:
            raise invalid(f"{path}: child_of and parent_of need the hierarchy's parent field to be exposed there.")
        values = value if isinstance(value, (list, tuple)) else [value]
        return [self._record_id(path, item, target) for item in self._bounded(path, values)]

    def _bounded(self, path: str, values: Any) -> Any:
        self._values += len(values)
        if self._values > MAX_VALUES:
            raise invalid(f"{path}: the domain has more than {MAX_VALUES} values.")
        return values

    def _one(self, path: str, operator: str, value: object, target: Target) -> Any:
        if (value is None or value is False) and target.kind != "boolean" and operator in _TAKE_NOTHING:
            return False
        converted = self._converted(path, value, target)
        if converted is None:
            raise invalid(f"{path}: {_EXPECTED.get(target.kind, 'another kind of value')} is expected.", value)
        return converted

    def _converted(self, path: str, value: object, target: Target) -> Any:
        """Return the value in Odoo's form, or None where it doesn't fit."""
        kind = target.kind
        if kind in ("id", "many2one", "one2many", "many2many"):
            # Zero is no record in any form; `id > 0` is how many clients say "all".
            if kind == "id" and value == 0 and not isinstance(value, bool):
                return 0
            return self._record_id(path, value, target)
        if kind == "reference":
            return self._reference(path, value, target)
        if kind == "many2one_reference":
            return self._unmapped_id(path, value)
        convert = _PLAIN.get(kind)
        return convert(value) if convert else None

    def _record_id(self, path: str, value: object, target: Target) -> int:
        try:
            return self._ids.of(target.node.model.name).decode(value)
        except InvalidId:
            raise invalid(f"{path}: an id of {target.node.model.name} is expected.", value) from None

    def _reference(self, path: str, value: object, target: Target) -> str:
        models = {name for name, _ in target.info.selection} if target.info else set()
        model, _, public_id = value.partition(",") if isinstance(value, str) else ("", "", "")
        if model in models:
            try:
                return f"{model},{self._ids.of(model).decode(public_id)}"
            except InvalidId:
                pass
        raise invalid(f'{path}: "model,id" is expected.', value)

    def _unmapped_id(self, path: str, value: object) -> int:
        if self._ids.obfuscated:
            raise invalid(f"{path}: ids of changing models can't be compared while ids are obfuscated.")
        try:
            return self._ids.of("").decode(value)
        except InvalidId:
            raise invalid(f"{path}: an id is expected.", value) from None


_EXPECTED = {
    "char": "text",
    "text": "text",
    "html": "text",
    "selection": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "float": "a number",
    "monetary": "a number",
    "date": "a date YYYY-MM-DD",
    "datetime": "a date and time in ISO 8601",
    "binary": "false (for: empty)",
}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and is_clean(value) else None


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) < 1e300 and math.isfinite(value) else None


def _day(value: object) -> str | None:
    day = literals.to_date(value)
    return day.isoformat() if day else None


def _moment(value: object) -> Any:
    if literals.to_date(value):
        return value
    moment = literals.to_datetime(value)
    return moment.isoformat(" ") if moment else None


#: The value in Odoo's form for each kind that holds no ids, or None where it does not fit. Nothing fits a binary.
_PLAIN: dict[str, Callable[[object], Any]] = {
    "char": _text,
    "text": _text,
    "html": _text,
    "selection": _text,
    "boolean": lambda value: value if isinstance(value, bool) else None,
    "integer": _whole_number,
    "float": _number,
    "monetary": _number,
    "date": _day,
    "datetime": _moment,
}
