"""Trace of an argument in one function: from each of its uses outwards, until only a plain value is left of it.

An expression that has the argument in it carries it, and so does a variable that such an expression is assigned to.
What is neither that, nor known to leave but a plain value, is a sink: a place that may take any field of any model.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .argument_fields import is_comparison, takes_plain
from .bindings import Function, arguments, bound, rest
from .known_functions import Leaves, leaves, name_of, resolve

#: Methods of whatever object that leave nothing of their arguments but records by id, or a flag.
_LEAVING_NOTHING = frozenset({"browse", "endswith", "has_group", "ref", "startswith"})
#: Methods of lists, sets and dictionaries that put their arguments into them.
_FILLING = frozenset({"add", "append", "appendleft", "extend", "insert", "setdefault", "update"})
#: Methods of texts, lists and dictionaries that were there before, which leave something of both.
_OF_VALUES = frozenset({"format", "get", "index", "join", "replace"})
#: What is certainly no record.
_CONTAINERS = frozenset({"builtins.dict", "builtins.list", "builtins.set", "collections.OrderedDict"})
#: Expressions that hold what their parts do.
_CARRYING = (
    ast.Attribute, ast.Await, ast.BinOp, ast.BoolOp, ast.Dict, ast.DictComp, ast.FormattedValue, ast.GeneratorExp,
    ast.IfExp, ast.JoinedStr, ast.keyword, ast.Lambda, ast.List, ast.ListComp, ast.Set, ast.SetComp, ast.Starred,
    ast.Tuple, ast.UnaryOp,
)  # fmt: skip
#: Statements and expressions of which nothing goes on but a flag.
_ENDING = (ast.Assert, ast.Compare, ast.Expr, ast.Raise, ast.Slice)
#: What assigns: the part whose value is assigned, and the part that takes it.
_ASSIGNING: Mapping[type[ast.AST], tuple[str, str]] = {
    ast.AnnAssign: ("value", "target"),
    ast.Assign: ("value", "targets"),
    ast.AsyncFor: ("iter", "target"),
    ast.AugAssign: ("value", "target"),
    ast.For: ("iter", "target"),
    ast.comprehension: ("iter", "target"),
    ast.withitem: ("context_expr", "optional_vars"),
}
#: Expressions that make a container.
_MAKING = (ast.Dict, ast.DictComp, ast.List, ast.ListComp, ast.Set, ast.SetComp)
#: Methods whose ``limit`` and ``offset`` can only be numbers.
_SEARCHING = frozenset({"_read_group", "_search", "search", "search_count", "search_fetch", "search_read"})
_NUMBERS = frozenset({"limit", "offset"})


class Call(NamedTuple):
    """A method of ``self`` that gets the argument, by the name of a parameter or by its place (``self`` is 0)."""

    method: str
    parameter: str
    position: int | None


class Trace:
    """Follows one argument, known by ``names``, through one function of a model.

    ``sink`` is the first place found that may take any field, or None; ``calls`` are methods of ``self`` that get it.
    """

    def __init__(self, kind: type, method: str, node: Function, module: Mapping[str, Any], names: set[str]) -> None:
        self.sink: str | None = None
        self.calls: list[tuple[str, Call]] = []
        self._kind = kind
        self._method = method
        self._node = node
        self._module = module
        self._parents = {child: parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
        self._uses: dict[str, list[ast.Name]] = defaultdict(list)
        for use in ast.walk(node):
            if isinstance(use, ast.Name):
                self._uses[use.id].append(use)
        self._local = set(bound(node))
        self._known: set[str] = set()
        self._waiting = set(names)
        for call in self._all_variables():
            self._follow(call)
        while self._waiting and self.sink is None:
            name = self._waiting.pop()
            self._known.add(name)
            for use in self._uses[name]:
                if isinstance(use.ctx, ast.Load):
                    self._follow(use)

    def _all_variables(self) -> Iterator[ast.expr]:
        for name in ("locals", "vars", "eval", "exec"):
            for use in self._uses[name]:
                call = self._parents[use]
                if isinstance(call, ast.Call) and name not in self._local:
                    yield call

    def _follow(self, node: ast.AST) -> None:
        """Follow a value from an expression to those that it is a part of."""
        while node is not self._node and self.sink is None:
            parent = self._parents[node]
            if self._ends(node, parent):
                return
            if not self._carries(node, parent):
                self.sink = ast.unparse(parent)[:80]
                return
            node = parent

    def _ends(self, node: ast.AST, parent: ast.AST) -> bool:
        """True if nothing of the value goes on from here, but by variables, which are noted."""
        if isinstance(parent, _ENDING):
            return True
        if type(parent) in _ASSIGNING:
            return self._is_assigned(node, parent)
        match parent:
            case ast.UnaryOp():
                return isinstance(parent.op, ast.Not)
            case ast.If() | ast.While() | ast.IfExp():
                return node is parent.test
            case ast.Return() | ast.Yield() | ast.YieldFrom():
                self._note(*self._functions_around(parent))
                return True
            case ast.Call():
                return self._call_ends(node, parent)
        return self._is_plain_part(node, parent)

    def _is_assigned(self, node: ast.AST, parent: ast.AST) -> bool:
        """Note the variables that take the value; what takes another one ends here."""
        source, target = _ASSIGNING[type(parent)]
        if node is not getattr(parent, source):
            return True
        taking = getattr(parent, target)
        targets = taking if isinstance(taking, list) else [taking]
        return all(each is None or self._assign(each) for each in targets)

    def _is_plain_part(self, node: ast.AST, parent: ast.AST) -> bool:
        """True if a part stands where the value is that of a known field, or names one of known values."""
        match parent:
            case ast.Tuple(elts=[field, operator, value]) | ast.List(elts=[field, operator, value]):
                return node is value and is_comparison(field, operator) and self._is_term(parent)
            case ast.Dict(keys=keys, values=values):
                return node in values and self._is_scalar(keys[values.index(node)])
            case ast.Subscript(value=container):
                return node is not container and self._is_constant(container)
        return False

    def _carries(self, node: ast.AST, parent: ast.AST) -> bool:
        """True if an expression holds the value of its part, and is no sink of it."""
        match parent:
            case ast.NamedExpr(target=target):
                return self._assign(target)
            case ast.Subscript(value=container):
                return node is container
            case ast.Call():
                return self._call_carries(node, parent)
        return isinstance(parent, _CARRYING)

    def _is_term(self, node: ast.AST) -> bool:
        """True if three items stand where terms of a domain do."""
        outer = self._parents[node]
        return isinstance(outer, ast.List) or (isinstance(outer, ast.Call) and _last(outer.func) in _FILLING)

    def _assign(self, target: ast.expr) -> bool:
        """Note the variables that an assignment fills; False where it is a field that may be any's."""
        match target:
            case ast.Name(id=name):
                self._note(name)
                return True
            case ast.Starred(value=value):
                return self._assign(value)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                return all(map(self._assign, targets))
            case ast.Attribute(attr=name):
                return self._is_field(name)
            case ast.Subscript(value=container, slice=key):
                return self._is_scalar(key) or (not self._has(key) and self._fill(container))
        return False

    def _fill(self, container: ast.expr) -> bool:
        """Note a local variable that the value is put into; False for anything else."""
        if not isinstance(container, ast.Name) or not self._is_made_here(container.id):
            return False
        self._note(container.id)
        return True

    def _is_made_here(self, name: str) -> bool:
        """True if a variable never holds but a list, a dictionary or the like that is its own, and no record."""
        parents = [self._parents[use] for use in self._uses[name] if isinstance(use.ctx, ast.Store)]
        return bool(parents) and name not in arguments(self._node) and all(map(self._makes_container, parents))

    def _makes_container(self, statement: ast.AST) -> bool:
        match statement:
            case ast.Assign(targets=[_], value=value) | ast.AnnAssign(value=value):
                if isinstance(value, ast.Call):
                    return name_of(self._function(value)) in _CONTAINERS
                return isinstance(value, _MAKING)
        return isinstance(statement, ast.AugAssign)

    def _call_ends(self, node: ast.AST, call: ast.Call) -> bool:
        if isinstance(node, ast.keyword) and self._is_plain_keyword(node.arg, _last(call.func)):
            return True
        if node is call.func:
            return False
        known = self._function(call)
        return (
            leaves(known) is Leaves.PLAIN or self._method_ends(node, call) or _is_compared(node, call, name_of(known))
        )

    def _is_plain_keyword(self, name: str | None, function: str) -> bool:
        if name is None:
            return False
        if function in _SEARCHING and name in _NUMBERS:
            return True
        return function in ("dict", "update") and self._is_field(name)

    def _method_ends(self, node: ast.AST, call: ast.Call) -> bool:
        match call.func:
            case ast.Name(id="map" | "filter") if call.args:
                function = call.args[0]
                return node is not function and leaves(self._resolved(function)) is Leaves.PLAIN
            case ast.Attribute(value=receiver, attr="execute") if _last(receiver) in ("cr", "_cr"):
                return node in call.args[1:]  # a value, which psycopg2 quotes
            case ast.Attribute(attr=name):
                return name in _LEAVING_NOTHING
        return False

    def _call_carries(self, node: ast.AST, call: ast.Call) -> bool:
        """True if the result of a call may hold the value, and the call itself is no sink of it."""
        self._note_lambdas(call)
        if node is call.func:
            return True
        known = self._function(call)
        match call.func:
            case ast.Name(id="map" | "filter"):
                function = call.args[0]
                return isinstance(function, ast.Lambda) or leaves(self._resolved(function)) is Leaves.CARRIES
            case ast.Attribute(attr="_", value=ast.Attribute(attr="env")):  # a text, translated
                return True
            case ast.Attribute(value=receiver, attr=name) if known is None:
                return self._method_carries(node, call, receiver, name)
        return leaves(known) is Leaves.CARRIES and not _has_functions(call, node)

    def _note_lambdas(self, call: ast.Call) -> None:
        """Note the parameters of functions that a call gets: who knows with what it calls them."""
        for argument in (*call.args, *(each.value for each in call.keywords)):
            if isinstance(argument, ast.Lambda):
                self._note(*(each.arg for each in ast.walk(argument.args) if isinstance(each, ast.arg)))

    def _method_carries(self, node: ast.AST, call: ast.Call, receiver: ast.expr, name: str) -> bool:
        """True if the result of an object's method carries the value; the object is none of the module's."""
        if name in _OF_VALUES and self._is_constant(receiver):
            return True
        if name in _FILLING and (name != "update" or isinstance(node, ast.keyword)):
            return self._fill(receiver)
        return _is_self(receiver) and self._further(node, call, name)

    def _further(self, node: ast.AST, call: ast.Call, method: str) -> bool:
        """Note a method of the model that gets the value; False where it can't be told which argument it is."""
        if isinstance(node, ast.Starred) or (isinstance(node, ast.keyword) and node.arg is None):
            is_rest = isinstance(node.value, ast.Name) and node.value.id in rest(self._node)
            return is_rest and _is_super(call.func) and method == self._method  # whose definitions are all looked at
        if isinstance(node, ast.keyword):
            further = Call(method, node.arg or "", None)
        else:
            place = call.args.index(node)  # type: ignore[arg-type]
            if any(isinstance(each, ast.Starred) for each in call.args[:place]):
                return False
            further = Call(method, "", place + 1)
        self.calls.append((ast.unparse(call)[:80], further))
        return True

    def _function(self, call: ast.Call) -> Any:
        return self._resolved(call.func)

    def _resolved(self, node: ast.expr | None) -> Any:
        """Resolve an expression by names of the module; None where it depends on more."""
        path: list[str] = []
        while isinstance(node, ast.Attribute):
            path.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in self._local:
            return None
        return resolve([node.id, *path], self._module)

    def _is_constant(self, node: ast.expr) -> bool:
        """True if an expression is plain data that was there before."""
        if isinstance(node, (ast.Constant, ast.JoinedStr)):
            return True
        return isinstance(self._resolved(node), (str, dict, list, tuple, set, frozenset, Mapping))

    def _has(self, node: ast.AST) -> bool:
        names = self._known | self._waiting
        return any(isinstance(each, ast.Name) and each.id in names for each in ast.walk(node))

    def _note(self, *names: str) -> None:
        self._waiting |= set(names) - self._known

    def _functions_around(self, node: ast.AST) -> Iterator[str]:
        while node is not self._node:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name
            node = self._parents[node]

    def _is_scalar(self, key: ast.expr | None) -> bool:
        return isinstance(key, ast.Constant) and isinstance(key.value, str) and self._is_field(key.value)

    def _is_field(self, name: str) -> bool:
        return takes_plain(self._kind, name)


def _last(node: ast.expr) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _is_compared(node: ast.AST, call: ast.Call, function: str) -> bool:
    """True if an argument is a value of SQL, or of a term of a domain."""
    if function == "odoo.tools.sql.SQL":
        return node in call.args[1:]
    if function == "odoo.orm.domains.Domain" and len(call.args) == 3:
        return node is call.args[2] and is_comparison(*call.args[:2])
    return False


def _has_functions(call: ast.Call, node: ast.AST) -> bool:
    """True if a call gets by name a possible function, such as ``key=self.write``; ``node`` aside."""
    return any(not isinstance(each.value, ast.Lambda | ast.Constant) for each in call.keywords if each is not node)


def _is_self(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "self") or _is_super_call(node)


def _is_super(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and _is_super_call(function.value)


def _is_super_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
