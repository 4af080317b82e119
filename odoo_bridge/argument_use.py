"""The use that a method makes of an argument, read from its source: does it end where Odoo may take any field?

``self.write(changes)`` lets callers write whatever they like, and ``self.write({"name": changes})`` does not. All
definitions of the method are looked at, one addon's after the other's, and methods of ``self`` that they call. In doubt
the argument is handed on: what ``argument_trace`` does not know to be harmless is not.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from types import FunctionType

from .argument_trace import Call, Trace
from .bindings import Function, rest

UNREADABLE = "its source can't be read"
#: Builtins that keep what ``*args`` and ``**kwargs`` hold to themselves.
_SHOWING = frozenset(
    {"all", "any", "bool", "dict", "len", "list", "max", "min", "repr", "set", "sorted", "str", "sum", "tuple"}
)


def handed_on(kind: type, method: str, parameter: str) -> str | None:
    """Return the sink that a parameter of a method of class ``kind`` is handed to; None where it is but a value."""
    definitions = _definitions(kind, method)
    if not definitions:
        return UNREADABLE
    names = list(inspect.signature(definitions[0]).parameters)
    return _through_all(kind, Call(method, parameter, names.index(parameter) if parameter in names else None), set())


def rest_handed_on(kind: type, method: str, name: str) -> str | None:
    """Return the sink that ``*args`` or ``**kwargs`` of that name are handed to, unless they are but shown."""
    definitions = _definitions(kind, method)
    for function in definitions:
        node = _parsed(function)
        if node is None:
            return UNREADABLE
        if name not in rest(node):
            continue
        parents = {child: parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
        for use in ast.walk(node):
            if isinstance(use, ast.Name) and use.id == name and not _is_shown(use, parents):
                return ast.unparse(parents[use])[:80]
    return _through_all(kind, Call(method, name, None), set()) if definitions else UNREADABLE


def _is_shown(use: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    parent = parents[use]
    if isinstance(parent, ast.Call):
        return isinstance(parent.func, ast.Name) and parent.func.id in _SHOWING and use in parent.args
    return isinstance(parent, (ast.List, ast.Tuple, ast.Dict, ast.Return, ast.FormattedValue))


def _definitions(kind: type, method: str) -> list[FunctionType]:
    """Return the functions that make up a method, as ``super()`` goes through them; none where one can't be told."""
    found = [vars(each)[method] for each in kind.__mro__ if method in vars(each)]
    functions = [inspect.unwrap(function) for function in found if isinstance(function, FunctionType)]
    return functions if len(functions) == len(found) else []  # else static, a property or made by something else


@functools.lru_cache(maxsize=16)
def _parsed(function: FunctionType) -> Function | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    (node,) = tree.body
    return node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def _through_all(kind: type, call: Call, seen: set[Call]) -> str | None:
    """Follow an argument of a call of ``self`` through all definitions of the method, and the methods that it calls."""
    if call in seen:
        return None
    seen.add(call)
    definitions = _definitions(kind, call.method)
    if not definitions:
        return UNREADABLE
    for function in definitions:
        if (function.__module__ or "").startswith("odoo.orm."):
            return f"{function.__qualname__} of Odoo's ORM"
        node = _parsed(function)
        if node is None:
            return UNREADABLE
        names = _received_as(node, call)
        if not names:
            continue
        trace = Trace(kind, call.method, node, function.__globals__, names)
        if trace.sink is not None:
            return trace.sink
        for place, further in trace.calls:
            found = _through_all(kind, further, seen)
            if found is not None:
                return place if found == UNREADABLE else found
    return None


def _received_as(node: Function, call: Call) -> set[str]:
    """Return the names under which a definition of a method gets an argument: its own, or that of the rest."""
    arguments = node.args
    by_place = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    if call.parameter in (*by_place, *(argument.arg for argument in arguments.kwonlyargs), *rest(node)):
        return {call.parameter}
    if call.position is not None and call.position < len(by_place):
        return {by_place[call.position]}
    return set(rest(node))
