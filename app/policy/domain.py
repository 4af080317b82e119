"""A client's filter, checked step by step against the definition and turned into a domain of Odoo.

Nothing passes that is not known to be allowed: not a field that is hidden, not a path through a relation whose
fields are not exposed, not an operator that would look at hidden data on the way (a name search, a hierarchy). What
is unknown is refused and never dropped, because a filter that is ignored returns everything.
"""

from __future__ import annotations

from typing import Any

from app import literals
from app.definitions.definition import Node
from app.definitions.ids import Ids
from app.policy import domain_operators
from app.policy.arity import missing_operands
from app.policy.domain_errors import invalid
from app.policy.operands import Operands
from app.policy.paths import resolve

MAX_TERMS = 200
MAX_DEPTH = 8

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


class _Checker:
    def __init__(self, ids: Ids) -> None:
        self.operands = Operands(ids)
        self.terms = 0

    def domain(self, source: object, node: Node, depth: int) -> list[Any]:
        if not isinstance(source, (list, tuple)):
            raise invalid("The domain must be a list of conditions.", source)
        if depth > MAX_DEPTH:
            raise invalid(f"The domain is nested more than {MAX_DEPTH} levels deep.")
        checked: list[Any] = []
        for item in source:
            self.terms += 1
            if self.terms > MAX_TERMS:
                raise invalid(f"The domain has more than {MAX_TERMS} terms.")
            if isinstance(item, str) and item in ("&", "|", "!"):
                checked.append(item)
            elif isinstance(item, (list, tuple)) and len(item) == 3:
                checked.append(self.condition(*item, node=node, depth=depth))
            else:
                raise invalid("A condition is [field, operator, value]; between them stand '&', '|' and '!'.", item)
        if at_fault := missing_operands(checked):
            raise invalid(at_fault)
        return checked

    def condition(self, path: object, operator: object, value: object, *, node: Node, depth: int) -> tuple[Any, ...]:
        if (path, operator, value) in (_TRUE, _FALSE) and not isinstance(path, bool):
            return (path, operator, value)
        if not isinstance(path, str):
            raise invalid("The first part of a condition is the name of a field.", path)
        operator = domain_operators.known(path, operator)
        target = resolve(path, node)
        if operator == domain_operators.IF_SET:
            if not value:
                return (path, operator, False)
            operator = "="
        domain_operators.check_fits(path, operator, target)
        if operator in domain_operators.SUBDOMAIN:
            return (path, operator, self.domain(value, target.node, depth + 1))
        return (path, operator, self.operands.check(path, operator, value, target))
