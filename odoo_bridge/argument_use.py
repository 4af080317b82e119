"""What a method does with an argument, read from its source: whether it hands it on to where Odoo takes any field.

``self.write(changes)`` lets callers write whatever they like, and ``self.write({"name": changes})`` does not. All
definitions of the method are looked at, one addon's after the other's, and methods of ``self`` that they call. What is
found is certain; that nothing is found is not: a method can hide what it does.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import textwrap
from collections.abc import Iterator
from types import FunctionType
from typing import Any, TypeAlias

_Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"

#: Methods of recordsets (and of what domains are made with) that take fields, values, domains or a context.
_TAKERS = re.compile(
    r"AND|Domain|OR|_?create|copy(?:_data)?|export_data|fetch|filtered(?:_domain)?|(?:flush|invalidate)_(?:model|recordset)"
    r"|(?:formatted)?_?read_group|grouped|load|mapped|new|onchange|_?search|search_(?:count|fetch|read)|sorted|update"
    r"|_?web_\w+|with_context|_?write|_generate_order_by|_order_to_sql|_where_calc|read"
)
#: Parameters of theirs that take none of it.
_NUMBERS = frozenset({"limit", "offset"})
#: Functions that make the same thing of what they are given.
_COPIES = frozenset(
    {"AND", "Domain", "OR", "copy", "deepcopy", "dict", "format", "list", "literal_eval", "loads", "safe_eval", "tuple"}
)
#: Builtins that keep what they are given to themselves.
_BUILTINS = frozenset(
    {"all", "any", "bool", "dict", "len", "list", "max", "min", "repr", "set", "sorted", "str", "sum", "tuple"}
)
UNREADABLE = "its source can't be read"


def handed_on(kind: type, method: str, parameter: str) -> str | None:
    """Return what a parameter of a method of class ``kind`` is handed to; None where nothing is found."""
    definitions = _definitions(kind, method)
    if not definitions:
        return UNREADABLE
    names = list(inspect.signature(definitions[0]).parameters)
    return _trace(kind, method, parameter, names.index(parameter) if parameter in names else None, set())


def rest_handed_on(kind: type, method: str, name: str) -> str | None:
    """Return what ``*args`` or ``**kwargs`` of that name are handed to, unless they are but shown."""
    definitions = _definitions(kind, method)
    for function in definitions:
        node = _parsed(function)
        if node is None:
            return UNREADABLE
        if name not in {argument.arg for argument in (node.args.vararg, node.args.kwarg) if argument}:
            continue
        parents = {child: parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
        for use in ast.walk(node):
            if isinstance(use, ast.Name) and use.id == name and not _is_shown(use, parents):
                return ast.unparse(parents[use])[:80]
    return None if definitions else UNREADABLE


def _is_shown(use: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    parent = parents[use]
    if isinstance(parent, ast.Call):
        return isinstance(parent.func, ast.Name) and parent.func.id in _BUILTINS and use in parent.args
    return isinstance(parent, (ast.List, ast.Tuple, ast.Dict, ast.Return, ast.FormattedValue))


def _definitions(kind: type, method: str) -> list[FunctionType]:
    """Return the functions that make up a method, as ``super()`` goes through them."""
    found = (inspect.unwrap(vars(each)[method]) for each in kind.__mro__ if method in vars(each))
    return [function for function in found if isinstance(function, FunctionType)]


@functools.lru_cache(maxsize=16)
def _parsed(function: FunctionType) -> _Function | None:
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    return node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def _trace(kind: type, method: str, parameter: str, position: int | None, seen: set[tuple[str, str]]) -> str | None:
    """Follow a parameter, by its name or by where it stands, through all definitions of a method."""
    if (method, parameter) in seen:
        return None
    seen.add((method, parameter))
    for function in _definitions(kind, method):
        node = _parsed(function)
        if node is None:
            return UNREADABLE
        named = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        if parameter in named:
            name = parameter
        elif position is not None and position < len(named) - len(node.args.kwonlyargs):
            name = named[position]
        else:
            continue
        found = _Tracer(kind, method, node, function, name, seen).sink()
        if found:
            return found
    return None


class _Tracer:
    """Follows one argument through one function."""

    def __init__(
        self, kind: type, method: str, node: _Function, function: FunctionType, name: str, seen: set[tuple[str, str]]
    ) -> None:
        self.kind = kind
        self.method = method
        self.node = node
        self.globals = function.__globals__
        self.seen = seen
        self.names = {name}
        while more := self._aliases() - self.names:
            self.names |= more

    def sink(self) -> str | None:
        """Return the first place to which the argument is handed that takes any field; None where there is none."""
        for node in ast.walk(self.node):
            found = None
            if isinstance(node, ast.Call):
                found = self._call(node)
            elif isinstance(node, ast.Subscript) and not self._is_global(node.value):
                found = self.carries(node.slice)  # a field of a record, a model of the environment
            if found:
                return ast.unparse(node)[:80]
        return None

    def carries(self, node: ast.AST | None) -> bool:
        """Tell whether an expression is the argument, or has it as a part that it does not name."""
        match node:
            case ast.Name():
                return node.id in self.names
            case ast.Starred() | ast.keyword() | ast.NamedExpr():
                return self.carries(node.value)
            case ast.BoolOp():
                return any(map(self.carries, node.values))
            case ast.JoinedStr():
                return any(self.carries(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
            case ast.BinOp(op=ast.Add() | ast.BitOr() | ast.BitAnd() | ast.Mod()):
                return self.carries(node.left) or self.carries(node.right)
            case ast.IfExp():
                return self.carries(node.body) or self.carries(node.orelse)
            case ast.Tuple(elts=[field, *_]) | ast.List(elts=[ast.Constant(value=str()) as field, ast.Constant(), _]):
                return self.carries(field)  # a term of a domain
            case ast.List() | ast.Set():
                return any(map(self.carries, node.elts))
            case ast.Dict():
                pairs = zip(node.keys, node.values, strict=True)
                return any(self.carries(value if key is None else key) for key, value in pairs)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                return self.carries(node.elt)
            case ast.Call(args=args, keywords=keywords):
                is_term = len(args) > 1 and _name(node.func) == "Domain"
                given = args[:1] if is_term else (*args, *keywords)
                return _name(node.func) in _COPIES and any(map(self.carries, given))
        return False

    def _aliases(self) -> set[str]:
        """Return the names of variables that become the argument, or the items of it."""
        found: set[str] = set()
        for node in ast.walk(self.node):
            match node:
                case ast.Assign(value=value, targets=targets) if self.carries(value):
                    found |= {target.id for target in targets if isinstance(target, ast.Name)}
                case (
                    ast.NamedExpr(value=value, target=ast.Name(id=name))
                    | ast.AnnAssign(value=value, target=ast.Name(id=name))
                    | ast.AugAssign(value=value, target=ast.Name(id=name))
                ) if self.carries(value):
                    found.add(name)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend"), args=args):
                    found |= {name} if any(map(self.carries, args)) else set()
                case ast.For(iter=source, target=target) | ast.comprehension(iter=source, target=target):
                    if self.carries(source) or self.carries(_taken_apart(source)):
                        found |= {name.id for name in ast.walk(target) if isinstance(name, ast.Name)}
        return found

    def _call(self, call: ast.Call) -> bool:
        name = _name(call.func)
        every = [*call.args, *(each for each in call.keywords if each.arg not in _NUMBERS)]
        given = [argument for argument in every if self.carries(argument)]
        if not given:
            return False
        if isinstance(call.func, ast.Name):
            if name in ("getattr", "setattr"):
                return self._names_a_field(call)
            return name == "Domain" and self.carries(call)
        if not isinstance(call.func, ast.Attribute) or self._is_global(call.func.value):
            return name in ("AND", "OR")
        if _is_super(call.func.value):
            return name != self.method  # which is looked at too
        return bool(_TAKERS.fullmatch(name)) or (_is_self(call.func.value) and self._further(call, name, given))

    def _names_a_field(self, call: ast.Call) -> bool:
        return len(call.args) > 1 and not isinstance(call.args[0], ast.Attribute) and self.carries(call.args[1])

    def _further(self, call: ast.Call, method: str, given: list[ast.AST]) -> bool:
        """Follow the argument into another method of the model."""
        for argument in given:
            if isinstance(argument, ast.keyword):
                name, position = argument.arg or "", None
            else:
                name, position = "", call.args.index(argument) + 1  # type: ignore[arg-type]
            if _trace(self.kind, method, name or f"#{position}", position, self.seen) not in (None, UNREADABLE):
                return True
        return False

    def _is_global(self, node: ast.AST) -> bool:
        """Tell whether an expression begins with something of the module, such as ``requests`` or a constant."""
        for part in _down(node):
            if isinstance(part, ast.Name):
                return part.id in self.globals and part.id not in self.names
        return False


def _down(node: ast.AST) -> Iterator[ast.AST]:
    current: Any = node
    while current is not None:
        yield current
        current = getattr(current, "value", None) or getattr(current, "func", None)


def _taken_apart(node: ast.AST) -> ast.AST | None:
    """Return ``x`` of ``x.items()`` and the like, and of ``enumerate(x)``."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="items" | "keys" | "values")):
            return value
        case ast.Call(func=ast.Name(id="enumerate" | "sorted" | "reversed"), args=[first, *_]):
            return first
    return None


def _name(function: ast.AST) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) == "super"


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
