"""Operators of conditions, and the types of fields that each fits."""

from __future__ import annotations

from app.policy.domain_errors import invalid, unknown_operator
from app.policy.paths import Target
from app.policy.suggestions import shown

EQUALITY = frozenset({"=", "!="})
LISTS = frozenset({"in", "not in"})
HIERARCHY = frozenset({"child_of", "parent_of"})
SUBDOMAIN = frozenset({"any", "not any"})
#: Equality, or no condition at all where there is no value.
IF_SET = "=?"
_INEQUALITY = frozenset({"<", ">", "<=", ">="})
_PATTERNS = frozenset({"like", "not like", "ilike", "not ilike", "=like", "not =like", "=ilike", "not =ilike"})
_OPERATORS = EQUALITY | LISTS | _INEQUALITY | _PATTERNS | HIERARCHY | SUBDOMAIN | {IF_SET}
_SYNONYMS = {"==": "=", "<>": "!="}

_ORDERED = EQUALITY | LISTS | _INEQUALITY
_TEXTUAL = _ORDERED | _PATTERNS
_NAMED = EQUALITY | LISTS | _PATTERNS
_RELATIONAL = EQUALITY | LISTS | HIERARCHY | SUBDOMAIN
_BY_TYPE: dict[str, frozenset[str]] = {
    "char": _TEXTUAL,
    "text": _TEXTUAL,
    "html": _TEXTUAL,
    "selection": _NAMED,
    "boolean": EQUALITY | LISTS,
    "integer": _ORDERED,
    "float": _ORDERED,
    "monetary": _ORDERED,
    "date": _ORDERED,
    "datetime": _ORDERED,
    "binary": EQUALITY,
    "reference": EQUALITY | LISTS,
    "many2one_reference": EQUALITY | LISTS,
    "many2one": _RELATIONAL,
    "one2many": _RELATIONAL,
    "many2many": _RELATIONAL,
    "id": _ORDERED | HIERARCHY | SUBDOMAIN,
}


def known(path: str, operator: object) -> str:
    """Return an operator in its one spelling; raises BadRequest for one that there is not."""
    if not isinstance(operator, str):
        raise invalid(f"{path}: the operator must be text.", operator)
    operator = _SYNONYMS.get(operator, operator)
    if operator not in _OPERATORS:
        raise unknown_operator(path, f"unknown operator {shown(operator)}", operator, _OPERATORS)
    return operator


def check_fits(path: str, operator: str, target: Target) -> None:
    """Raise BadRequest for an operator that the field at the end of a path does not take."""
    allowed = _NAMED if target.is_display_name else _BY_TYPE.get(target.kind, frozenset())
    if not allowed:
        raise invalid(f"{path}: a field of type {target.kind} can't be filtered by.")
    if operator not in allowed:
        said = f"operator {operator!r} doesn't fit a field of type {target.kind}"
        raise unknown_operator(path, said, operator, allowed)
