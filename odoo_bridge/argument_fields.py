"""Fields and terms of domains that take but a plain value: no other field, and no domain, can stand in it."""

from __future__ import annotations

import ast
from typing import Any

_PLAIN = frozenset(
    {"boolean", "char", "date", "datetime", "float", "html", "integer", "many2one", "monetary", "selection", "text"}
)
#: Operators of domains that compare with a value; ``any`` takes a domain.
_COMPARING = frozenset(
    {"=", "!=", "<", "<=", ">", ">=", "in", "not in", "like", "not like", "ilike", "not ilike", "=like", "=ilike"}
    | {"not =like", "not =ilike", "=?", "child_of", "parent_of"}
)


def takes_plain(kind: Any, name: str) -> bool:
    """True if ``name`` is a field of such a type in each model that has it, and stored where ``kind`` has it.

    It may not be known of which model the record is that gets the value.
    """
    own = getattr(kind, "_fields", {}).get(name)
    if own is not None and not own.store:
        return False
    models = getattr(kind, "pool", None) or {"": kind}
    types = {model._fields[name].type for model in models.values() if name in model._fields}
    return bool(types) and types <= _PLAIN


def is_comparison(field: ast.expr, operator: ast.expr) -> bool:
    """True if a term with this field and operator compares a field that it names with a value."""
    match field, operator:
        case ast.Constant(value=str()), ast.Constant(value=str(name)):
            return name in _COMPARING
    return False
