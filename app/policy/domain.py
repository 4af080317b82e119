"""A client's filter, checked step by step against the definition and turned into a domain of Odoo.

Nothing passes that is not known to be allowed: not a field that is hidden, not a path through a relation whose
fields are not exposed, not an operator that would look at hidden data on the way (a name search, a hierarchy). What
is unknown is refused and never dropped, because a filter that is ignored returns everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app import literals
from app.definitions.definition import Node
from app.definitions.ids import Ids, InvalidId
from app.errors import BadRequest
from app.json import is_clean
from odoo_bridge.types import FieldInfo

MAX_TERMS = 200
MAX_DEPTH = 8
MAX_VALUES = 5_000

_EQUALITY = frozenset({"=", "!="})
_LISTS = frozenset({"in", "not in"})
_INEQUALITY = frozenset({"<", ">", "<=", ">="})
_PATTERNS = frozenset({"like", "not like", "ilike", "not ilike", "=like", "not =like", "=ilike", "not =ilike"})
_HIERARCHY = frozenset({"child_of", "parent_of"})
_SUBDOMAIN = frozenset({"any", "not any"})
_OPERATORS = _EQUALITY | _LISTS | _INEQUALITY | _PATTERNS | _HIERARCHY | _SUBDOMAIN
_SYNONYMS = {"==": "=", "<>": "!="}

_ORDERED = _EQUALITY | _LISTS | _INEQUALITY
_TEXTUAL = _ORDERED | _PATTERNS
_BY_TYPE: dict[str, frozenset[str]] = {
    "char": _TEXTUAL,
    "text": _TEXTUAL,
    "html": _TEXTUAL,
    "selection": _EQUALITY | _LISTS | _PATTERNS,
    "boolean": _EQUALITY | _LISTS,
    "integer": _ORDERED,
    "float": _ORDERED,
    "monetary": _ORDERED,
    "date": _ORDERED,
    "datetime": _ORDERED,
    "binary": _EQUALITY,
    "reference": _EQUALITY | _LISTS,
    "many2one_reference": _EQUALITY | _LISTS,
    "many2one": _EQUALITY | _LISTS | _HIERARCHY | _SUBDOMAIN,
    "one2many": _EQUALITY | _LISTS | _HIERARCHY | _SUBDOMAIN,
    "many2many": _EQUALITY | _LISTS | _HIERARCHY | _SUBDOMAIN,
    "id": _ORDERED | _HIERARCHY | _SUBDOMAIN,
}
#: Parts of a date that a path may end in (Odoo: READ_GROUP_NUMBER_GRANULARITY).
_DATE_PARTS = frozenset(
    {"year_number", "quarter_number", "month_number", "iso_week_number", "day_of_year", "day_of_month"}
    | {"day_of_week"}
)
_TIME_PARTS = frozenset({"hour_number", "minute_number", "second_number"})

#: Odoo's conditions that are always true and always false.
_TRUE, _FALSE = (1, "=", 1), (0, "=", 1)


def check(source: object, node: Node, ids: Ids) -> list[Any]:
    """Return the domain of Odoo for a client's domain.

    ``source`` is a list, or text that holds one as JSON or Python literal. Raises BadRequest that names the
    condition at fault.
    """
    if isinstance(source, str):
        source = literals.parse(source, "domain") if source.strip() else []
    return _Checker(ids).domain(source, node, depth=0)


@dataclass(frozen=True, slots=True)
class _Target:
    """End of a path: the kind of value, and the node whose records it names (for ids and relations)."""

    kind: str
    node: Node
    info: FieldInfo | None


class _Checker:
    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.terms = 0
        self.values = 0

    def domain(self, source: object, node: Node, depth: int) -> list[Any]:
        if not isinstance(source, (list, tuple)):
            raise _error("The domain must be a list of conditions.", source)
        if depth > MAX_DEPTH:
            raise _error(f"The domain is nested more than {MAX_DEPTH} levels deep.")
        checked: list[Any] = []
        for item in source:
            self.terms += 1
            if self.terms > MAX_TERMS:
                raise _error(f"The domain has more than {MAX_TERMS} terms.")
            if isinstance(item, str) and item in ("&", "|", "!"):
                checked.append(item)
            elif isinstance(item, (list, tuple)) and len(item) == 3:
                checked.append(self.condition(*item, node=node, depth=depth))
            else:
                raise _error("A condition is [field, operator, value]; between them stand '&', '|' and '!'.", item)
        _check_arity(checked)
        return checked

    def condition(self, path: object, operator: object, value: object, *, node: Node, depth: int) -> tuple[Any, ...]:
        if (path, operator, value) in (_TRUE, _FALSE) and not isinstance(path, bool):
            return (path, operator, value)
        if not isinstance(path, str):
            raise _error("The first part of a condition is the name of a field.", path)
        if not isinstance(operator, str):
            raise _error(f"{path}: the operator must be text.", operator)
        operator = _SYNONYMS.get(operator, operator)
        if operator == "=?":
            self.resolve(path, node)
            if not value:  # no value, no condition
                return (path, "=?", False)
            operator = "="
        if operator not in _OPERATORS:
            raise BadRequest(f"{path}: unknown operator {_short(operator)}.", name="unknown_operator")
        target = self.resolve(path, node)
        allowed = _BY_TYPE.get(target.kind, frozenset())
        if target.info is not None and target.info.name == "display_name":
            allowed = _EQUALITY | _LISTS | _PATTERNS
        if operator not in allowed:
            if not allowed:
                raise _error(f"{path}: a field of type {target.kind} can't be filtered by.")
            known = ", ".join(sorted(allowed))
            raise BadRequest(
                f"{path}: operator {operator!r} doesn't fit a field of type {target.kind}. It takes: {known}.",
                name="unknown_operator",
            )
        if operator in _SUBDOMAIN:
            return (path, operator, self.domain(value, target.node, depth + 1))
        if operator in _HIERARCHY:
            return (path, operator, self.hierarchy(path, value, target))
        return (path, operator, self.operand(path, operator, value, target))

    def resolve(self, path: str, node: Node) -> _Target:
        """Follow a path; each step must be visible where it is taken."""
        steps = path.split(".")
        for position, step in enumerate(steps):
            last = position == len(steps) - 1
            if step == "id":
                if not last:
                    raise _unknown(path)
                return _Target("id", node, None)
            info = node.fields.get(step)
            if info is None:
                raise _unknown(path)
            if not info.searchable:
                raise _error(f"{path}: Odoo can't filter by this field.")
            if step == "display_name":
                _check_name_search(path, node)
            if last:
                if info.relational:
                    return _Target(info.type, node.target(step), info)
                return _Target(info.type, node, info)
            if info.type in ("date", "datetime") and position == len(steps) - 2:
                if steps[-1] in _DATE_PARTS or (info.type == "datetime" and steps[-1] in _TIME_PARTS):
                    return _Target("integer", node, info)
                raise _unknown(path)
            if not info.relational:
                raise _unknown(path)
            node = node.target(step)
        raise _unknown(path)

    def hierarchy(self, path: str, value: object, target: _Target) -> list[int]:
        """Ancestors tell a record's parent, so the parent has to be visible."""
        parent = target.node.model.parent_field
        if parent is None or parent not in target.node.fields:
            raise _error(f"{path}: child_of and parent_of need the hierarchy's parent field to be exposed there.")
        values = value if isinstance(value, (list, tuple)) else [value]
        return [self.record_id(path, item, target) for item in self.bounded(path, values)]

    def operand(self, path: str, operator: str, value: object, target: _Target) -> Any:
        convert = self.converter(path, operator, target)
        if operator in _LISTS:
            if not isinstance(value, (list, tuple)):
                raise _error(f"{path}: operator {operator!r} takes a list.", value)
            return [convert(item) for item in self.bounded(path, value)]
        if isinstance(value, (list, tuple)):
            raise _error(f"{path}: operator {operator!r} takes one value; for a list, use in or not in.")
        return convert(value)

    def bounded(self, path: str, values: Any) -> Any:
        self.values += len(values)
        if self.values > MAX_VALUES:
            raise _error(f"{path}: the domain has more than {MAX_VALUES} values.")
        return values

    def converter(self, path: str, operator: str, target: _Target) -> Callable[[object], Any]:
        """Return the function that checks one value of this field for this operator."""
        unset_fits = operator in _EQUALITY | _LISTS

        def convert(value: object) -> Any:
            if (value is None or value is False) and unset_fits and target.kind != "boolean":
                return False
            converted = self.value(path, operator, value, target)
            if converted is None:
                raise _error(f"{path}: {_EXPECTED.get(target.kind, 'another kind of value')} is expected.", value)
            return converted

        return convert

    def value(self, path: str, operator: str, value: object, target: _Target) -> Any:
        """Return the value in Odoo's form, or None where it doesn't fit."""
        kind = target.kind
        if kind in ("id", "many2one", "one2many", "many2many"):
            # Zero is no record in any form; `id > 0` is how many clients say "all".
            if kind == "id" and value == 0 and not isinstance(value, bool):
                return 0
            return self.record_id(path, value, target)
        if kind == "reference":
            return self.reference(path, value, target)
        if kind == "many2one_reference":
            return self.unmapped_id(path, value)
        convert = _PLAIN.get(kind)
        return convert(value) if convert else None

    def record_id(self, path: str, value: object, target: _Target) -> int:
        try:
            return self.ids.of(target.node.model.name).decode(value)
        except InvalidId:
            raise _error(f"{path}: an id of {target.node.model.name} is expected.", value) from None

    def reference(self, path: str, value: object, target: _Target) -> str:
        models = {name for name, _ in target.info.selection} if target.info else set()
        model, _, public_id = value.partition(",") if isinstance(value, str) else ("", "", "")
        if model in models:
            try:
                return f"{model},{self.ids.of(model).decode(public_id)}"
            except InvalidId:
                pass
        raise _error(f'{path}: "model,id" is expected.', value)

    def unmapped_id(self, path: str, value: object) -> int:
        if self.ids.obfuscated:
            raise _error(f"{path}: ids of changing models can't be compared while ids are obfuscated.")
        try:
            return self.ids.of("").decode(value)
        except InvalidId:
            raise _error(f"{path}: an id is expected.", value) from None


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


def _check_arity(domain: list[Any]) -> None:
    """Refuse a prefix operator without its operands."""
    operands = 0
    for item in reversed(domain):
        needed = {"&": 2, "|": 2, "!": 1}.get(item, 0) if isinstance(item, str) else 0
        if operands < needed:
            raise _error(f"The operator {item!r} needs {needed} condition{'s' if needed > 1 else ''} after it.")
        operands += 1 - needed


def _check_name_search(path: str, node: Node) -> None:
    """Searching by display_name looks into other fields (Odoo: _search_display_name)."""
    hidden = [name for name in node.model.name_search_fields if name.split(".")[0] not in node.fields or "." in name]
    if hidden or not node.model.name_search_fields:
        raise _error(f"{path}: can't be filtered by, because Odoo looks into fields that are not exposed here.")


def _unknown(path: str) -> BadRequest:
    return BadRequest(
        f"{_short(path)} is no field that this API can filter by.",
        name="unknown_field",
        data={"field": path[:200]},
    )


def _error(message: str, value: object = None) -> BadRequest:
    if value is not None:
        message = f"{message} Not: {_short(value)}."
    return BadRequest(message, name="invalid_domain", data={"parameter": "domain"})


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
