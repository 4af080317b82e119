"""Parameters of an aggregation, checked: keys of groups, measures, and conditions on them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app import literals
from app.definitions.definition import Definition, Exposure, Node
from app.errors import BadRequest
from app.policy import order, query
from app.policy.arity import missing_operands
from app.policy.paths import PARTS
from app.policy.suggestions import shown, unknown
from odoo_bridge.types import FieldInfo, Grouping

_PARAMETERS = frozenset({"domain", "group", "aggregates", "having", "order", "limit", "offset"})
#: Number of the records of a group.
COUNT = "__count"
#: Most keys, measures and terms of having that an aggregation may have.
MAX_KEYS, MAX_MEASURES, MAX_CONDITIONS = 8, 40, 40
#: Most values in a list of having.
_MAX_VALUES = 200
#: Periods that a date or a time is cut to (Odoo: READ_GROUP_TIME_GRANULARITY).
PERIODS: Mapping[str, tuple[str, ...]] = {
    "date": ("day", "week", "month", "quarter", "year"),
    "datetime": ("hour", "day", "week", "month", "quarter", "year"),
}
#: Types whose values make groups.
_KEYS = frozenset(
    {
        *("boolean", "char", "date", "datetime", "float", "integer", "many2many", "many2one", "monetary"),
        *("selection", "text"),
    }
)
_COUNTED = ("count", "count_distinct")
_OF_NUMBERS = ("sum", "avg", "min", "max", *_COUNTED)
_OF_TIMES = ("min", "max", *_COUNTED)
#: Functions that tell something of the values of a type.
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "integer": _OF_NUMBERS,
    "float": _OF_NUMBERS,
    "monetary": _OF_NUMBERS,
    "date": _OF_TIMES,
    "datetime": _OF_TIMES,
    "boolean": ("bool_and", "bool_or", *_COUNTED),
    **dict.fromkeys(("char", "many2one", "many2one_reference", "reference", "selection", "text"), _COUNTED),
}
_OPERATORS = ("=", "!=", "<", ">", "<=", ">=", "in", "not in")
_TERM = re.compile(
    r"\s*(?P<spec>\w+(?::\w+)?)(?:\s+(?P<direction>asc|desc))?(?:\s+(?P<nulls>nulls\s+(?:first|last)))?\s*",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Key:
    """Common ground of the records of a group: the value of a field, or the part or period of a date or time."""

    spec: str
    info: FieldInfo
    granularity: str | None


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """An aggregation that may be done; ``grouping`` says it in Odoo's words.

    ``measures`` are those that the client gets. Without keys Odoo looks at no condition: ``grouping`` counts then.
    """

    domain: list[Any]
    keys: tuple[Key, ...]
    measures: tuple[str, ...]
    grouping: Grouping
    limit: int
    offset: int


def aggregate(parameters: Mapping[str, Any], definition: Definition, exposure: Exposure) -> AggregateQuery:
    """Return the query of an aggregation; raises BadRequest that names the parameter."""
    query.only_known(parameters, _PARAMETERS)
    node = exposure.searchable
    keys = tuple(_key(spec, node) for spec in _specs(parameters, "group", MAX_KEYS))
    measures = _specs(parameters, "aggregates", MAX_MEASURES) or [COUNT]
    for spec in measures:
        _function(spec, node, "aggregates")
    having = _having(parameters.get("having"), node)
    terms = _order(parameters.get("order"), node, keys)
    if not keys and (having or terms):
        at_fault = "having" if having else "order"
        raise _invalid(at_fault, f"{at_fault} needs group: without it all records are one group.")
    if exposure.min_group_size > 1:
        having = [(COUNT, ">=", exposure.min_group_size), *having]
    counted = measures if keys or COUNT in measures else [*measures, COUNT]
    return AggregateQuery(
        domain=query.matching(parameters, definition, exposure),
        keys=keys,
        measures=tuple(measures),
        grouping=Grouping(tuple(key.spec for key in keys), tuple(counted), tuple(having), terms),
        limit=query.limit(parameters, definition),
        offset=query.offset(parameters),
    )


def _specs(parameters: Mapping[str, Any], parameter: str, most: int) -> list[str]:
    """Return the terms of ``stage_id,date:month`` or of a list, each once."""
    given = parameters.get(parameter)
    if given is None or given == "":
        return []
    if isinstance(given, str):
        given = literals.parse(given, parameter) if given.lstrip()[:1] in ("[", "(") else given.split(",")
    if not isinstance(given, (list, tuple)) or not all(isinstance(spec, str) for spec in given):
        raise _invalid(parameter, f"{parameter} must be a list of terms, for example: {_EXAMPLES[parameter]}")
    specs = [spec.strip() for spec in given]
    if len(specs) > most:
        raise _invalid(parameter, f"{parameter} has more than {most} terms.")
    twice = next((spec for spec in specs if specs.count(spec) > 1), None)
    if twice is not None:
        raise _invalid(parameter, f"{parameter} names {shown(twice)} twice.")
    return specs


_EXAMPLES = {"group": "stage_id,date:month", "aggregates": "amount:sum,__count"}


def _key(spec: str, node: Node) -> Key:
    name, _, granularity = spec.partition(":")
    info = node.fields.get(name)
    if info is None:
        raise _unknown_key(spec, "is no field that this API can group by", keys_of(node))
    if not can_group_by(info):
        raise _invalid("group", f"Odoo can't group by {name!r}.", name)
    granularities = [*PERIODS.get(info.type, ()), *sorted(PARTS.get(info.type, ()))]
    if granularity and not granularities:
        raise _invalid("group", f"{name} is no date or time: it has no {shown(granularity)}.", name)
    if granularities and granularity not in granularities:
        wanted = [f"{name}:{each}" for each in granularities]
        raise _unknown_key(spec, "needs a period or a part of the date", wanted)
    return Key(spec, info, granularity or None)


def can_group_by(info: FieldInfo) -> bool:
    """True if records can be grouped by a field that is shown."""
    return info.groupable and info.type in _KEYS


def keys_of(node: Node) -> Iterator[str]:
    """Yield the keys that a client may group by, dates by month."""
    for name, info in node.fields.items():
        if can_group_by(info):
            yield f"{name}:month" if info.type in PERIODS else name


def measures_of(node: Node) -> Iterator[str]:
    """Yield the measures of a group that a client may be told."""
    yield COUNT
    yield from (f"id:{function}" for function in _COUNTED)
    for info in node.fields.values():
        yield from (f"{info.name}:{function}" for function in functions_of(info))


def functions_of(info: FieldInfo) -> tuple[str, ...]:
    """Return the functions that tell something of a field's values."""
    functions = FUNCTIONS.get(info.type, ())
    return functions if info.groupable else tuple(each for each in functions if each == info.aggregator)


def _function(spec: str, node: Node, parameter: str) -> str:
    """Return the type of what a measure tells; raises BadRequest."""
    if spec == COUNT:
        return "integer"
    name, _, function = spec.partition(":")
    info = node.fields.get(name)
    allowed = _COUNTED if name == "id" else functions_of(info) if info else ()
    if function not in allowed:
        known = [f"{name}:{each}" for each in allowed] or measures_of(node)
        message = f"{shown(spec)} is nothing that this API can tell of a group."
        raise unknown(message, spec, known, name="unknown_aggregate", parameter=parameter, field=spec[:200])
    if function in _COUNTED or info is None:
        return "integer"
    return "float" if function in ("sum", "avg") else info.type


def _having(source: object, node: Node) -> list[Any]:
    if source is None or source == "":
        return []
    if isinstance(source, str):
        source = literals.parse(source, "having")
    if not isinstance(source, (list, tuple)):
        raise _invalid("having", 'having must be a list of conditions, for example: [["__count", ">", 5]]')
    if len(source) > MAX_CONDITIONS:
        raise _invalid("having", f"having has more than {MAX_CONDITIONS} terms.")
    checked: list[Any] = []
    for item in source:
        if isinstance(item, str) and item in ("&", "|", "!"):
            checked.append(item)
        elif isinstance(item, (list, tuple)) and len(item) == 3:
            checked.append(_condition(*item, node=node))
        else:
            raise _invalid("having", f"A condition is [term, operator, value], not {shown(item)}.")
    if at_fault := missing_operands(checked):
        raise _invalid("having", at_fault)
    return checked


def _condition(spec: object, operator: object, value: object, *, node: Node) -> tuple[str, str, Any]:
    if not isinstance(spec, str):
        raise _invalid("having", f"The first part of a condition is a term like amount:sum, not {shown(spec)}.")
    kind = _function(spec, node, "having")
    if operator not in _OPERATORS or not isinstance(operator, str):
        raise _invalid("having", f"{spec}: the operators are {', '.join(_OPERATORS)}, not {shown(operator)}.")
    if kind == "boolean" and operator not in ("=", "!="):
        raise _invalid("having", f"{spec} is true or false: the operators are = and !=.")
    if operator not in ("in", "not in"):
        return (spec, operator, _value(spec, kind, value))
    if not isinstance(value, (list, tuple)) or not 0 < len(value) <= _MAX_VALUES:
        raise _invalid("having", f"{spec}: {operator} takes a list of 1 to {_MAX_VALUES} values.")
    return (spec, operator, tuple(_value(spec, kind, item) for item in value))


def _value(spec: str, kind: str, value: object) -> Any:
    found: object = None
    if kind == "boolean":
        found = value if isinstance(value, bool) else None
    elif kind == "date":
        found = literals.to_date(value)
    elif kind == "datetime":
        found = literals.to_datetime(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        found = value
    if found is None:
        wanted = _WANTED.get(kind, "a number")
        raise _invalid("having", f"{spec} is compared with {wanted}, not with {shown(value)}.")
    return found


_WANTED = {"boolean": "true or false", "date": "a date YYYY-MM-DD", "datetime": "a date and time in ISO 8601"}


def _order(text: object, node: Node, keys: Iterable[Key]) -> str | None:
    """Return the order in Odoo's words, in which no two groups are equal; None for that of the keys."""
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise _invalid("order", "order must be text, for example: amount:sum desc")
    parts = text.split(",")
    if len(parts) > order.MAX_TERMS:
        raise _invalid("order", f"order has more than {order.MAX_TERMS} terms.")
    by_spec = {key.spec: key for key in keys}
    terms = []
    for part in parts:
        match = _TERM.fullmatch(part)
        if match is None:
            raise _invalid("order", f"{shown(part.strip())} is no sort term; write: term, term asc or term desc.")
        spec = match["spec"]
        key = by_spec.get(spec)
        if key is None:
            _function(spec, node, "order")
        elif key.info.type == "many2one" and order.sorts_by_hidden(spec, node):
            hidden = node.target(spec).model.name
            message = f"{spec} sorts by fields of {hidden} that are not exposed; without order, groups come by its id."
            raise _invalid("order", message, spec)
        words = [spec, match["direction"], match["nulls"]]
        terms.append(" ".join([spec, *(" ".join(word.lower().split()) for word in words[1:] if word)]))
    # The first id tells all groups apart, but for those by a many2many, where a record is in several.
    several = [key.spec for key in by_spec.values() if key.info.type == "many2many" and key.spec not in terms]
    return ", ".join([*terms, *several, "id:min"])


def _unknown_key(spec: str, why: str, known: Iterable[str]) -> BadRequest:
    return unknown(f"{shown(spec)} {why}.", spec, known, name="unknown_field", parameter="group", field=spec[:200])


def _invalid(parameter: str, message: str, field: str | None = None) -> BadRequest:
    data = {"parameter": parameter, **({"field": field[:200]} if field else {})}
    return BadRequest(message, name=f"invalid_{parameter}", data=data)
