"""Arguments of a method that may carry fields, values, domains and the like, and so past what definitions allow.

A caller who gives them chooses what is read, written or filtered by. So a definition can't publish such a method unless
it says of each of them what it is: ids of a model, or ``harmless``. Nobody can tell for sure from outside: it is judged
by the method, by what it does with the argument, by the argument's name and by its form, and in doubt against it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from odoo_bridge.types import MethodInfo, Parameter

#: Parts of names, of which one is enough.
_WORD_OF_CARE = re.compile(
    r"aggregat(?:es?|ors?)|allfields|args|attrs?|attributes?|callbacks?|changes|col(?:umn)?s?|commands?|comodel|context"
    r"|criteria|ctx|data|defaults?|dict|domains?|env|extras|fields?|filters?|fnames?|func(?:tion)?s?|groups?|groupby|having"
    r"|json|kw|kwargs|lines?|measures?|methods?|models?|operators?|options?|opts|order(?:by)?|params?|payload|propert(?:y|ies)"
    r"|records?|rows?|settings?|sort(?:by)?|specs?|specification|updates?|vals|values|vars|where"
)
#: Parts that end a name of what is an id or a flag, whatever stands before: ``sale_order_id``, ``group_count``.
_ENDS = frozenset({"id", "ids", "count", "date", "number", "xmlid"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
#: Types of which no value can name a field, in annotations.
_PLAIN = frozenset({"bool", "int", "float", "date", "datetime", "None"})
#: Types that can hold anything, of defaults.
_CONTAINERS = frozenset(
    {"dict", "list", "tuple", "set", "frozenset", "frozendict", "Command", "function", "builtin_function_or_method"}
)
#: The same in annotations, which are text: of a module that does not evaluate them (Odoo's ORM) there is nothing else.
_STRUCTURED = re.compile(
    r"dict|list|tuple|set|any|sequence|iterable|collection|mapping|callable|domain|values|command|self|model|object",
    re.IGNORECASE,
)


def undeclared(method: MethodInfo, declared: Collection[str]) -> Iterator[tuple[str, str]]:
    """Return the arguments that a definition has to declare and does not, each with the reason.

    ``*args`` and ``**kwargs`` are named so, with their stars.
    """
    for parameter in method.parameters:
        if parameter.name not in declared and (why := _reason(method, parameter)):
            yield parameter.name, why
    for name, handed_to in method.rest:
        if name not in declared and handed_to is not None:
            yield name, f"the method hands on whatever else it is given ({handed_to})"


def _reason(method: MethodInfo, parameter: Parameter) -> str | None:
    if parameter.handed_to is not None:
        return f"the method hands it to Odoo ({parameter.handed_to})"
    if _is_plain(parameter):
        return None
    if method.generic:
        return "the method is one that many models have, for any of their fields"
    words = [word.lower() for word in _WORD.findall(parameter.name)]
    if any(map(_WORD_OF_CARE.fullmatch, words)) and words[-1] not in _ENDS:
        return "its name says that it holds fields, values, a domain or the like"
    if parameter.default_type in _CONTAINERS or _STRUCTURED.search(parameter.annotation):
        return "its type can hold fields, values, a domain or the like"
    return None


def _is_plain(parameter: Parameter) -> bool:
    """True if a number or a flag is meant; a default of False or None says nothing, in Odoo it stands for anything."""
    if parameter.annotation:
        return set(parameter.annotation.split(" | ")) <= _PLAIN
    return parameter.default_type in ("int", "float") or parameter.default is True
