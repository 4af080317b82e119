"""What is read from a method's source about where its arguments go."""

from __future__ import annotations

import functools
import linecache
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from odoo_bridge import argument_use

LIMITS = {"few": 1}
request: Any = None


def write_elsewhere(record: Any, values: Any) -> None:
    record.write(values)


def _field(kind: str, store: bool = True) -> SimpleNamespace:
    return SimpleNamespace(type=kind, store=store)


class Base:
    """Stands for a model; the methods are read and never called."""

    _fields: ClassVar[dict[str, SimpleNamespace]] = {
        "name": _field("char"),
        "partner_id": _field("many2one"),
        "child_ids": _field("one2many"),
        "display_name": _field("char", store=False),
        "reference": _field("reference"),
        "properties": _field("properties"),
    }
    env: Any
    search: Any
    write: Any
    create: Any
    mapped: Any
    browse: Any
    name: Any

    def overridden(self, given):
        self.write(given)

    def overridden_with_care(self, given):
        return bool(given)


class Model(Base):
    def overridden(self, given):
        return super().overridden(given)

    def overridden_with_care(self, given):
        return super().overridden_with_care(given)

    def writes(self, x):
        self.write(x)

    def _hidden(self, number, changes):
        if number:
            self.write(changes)

    def hands_on_with_care(self, x):
        return self._careful(x)

    def _careful(self, y):
        return self.write({"name": y})

    @staticmethod
    def still(x):
        request.env["res.partner"].write(x)

    def calls_itself(self, x):
        return self.calls_itself(x)

    def shows_the_rest(self, *more, **others):
        return [list(more), others]

    def hands_on_the_rest(self, *more, **others):
        self._hidden(*more, **others)

    def takes_from_the_rest(self, *more, **others):
        return more[0], others.pop("domain")


_HANDED_ON = {
    "it adds": "domain = [('id', '>', 0)]\n    domain += x\n    return self.search(domain)",
    "it collects": "domain = []\n    domain.append(x)\n    return self.search(domain)",
    "it creates each": "for one in x:\n        self.create(one)",
    "it creates many": "self.create([x])",
    "it hands on": "self._hidden(1, x)",
    "it hands on by name": "self._hidden(1, changes=x)",
    "it maps": "return self.mapped(x)",
    "it names a column": "return self.search([(x, '=', 1)])",
    "it names a column in a list": "return self.search([[x, '=', 1]])",
    "it names a field": "return self[x]",
    "it names a key": "self.write({x: 1})",
    "it names a model": "return self.env[x].browse(1)",
    "it names an attribute": "return getattr(self, x)",
    "it orders": "return self.search([], order=f'{x} desc')",
    "it renames": "values = dict(x or {})\n    self.write(values)",
    "it sets each": "for name, value in x.items():\n        setattr(self, name, value)",
    "it unpacks": "self.write({'name': 1, **x})",
    "it writes": "self.write(x)",
    "an item": "self.write(x['vals'])",
    "an item that is got": "self.write(x.get('vals'))",
    "an attribute": "self.write(x.vals)",
    "a comprehension": "self.write({k: v for k, v in x.items()})",
    "a generator": "self.create(list(v for v in x))",
    "one of several targets": "vals, n = x, 1; self.write(vals)",
    "a nested target": "(a, (vals, *b)), n = x, 1; self.write(vals)",
    "an annotated target": "vals: dict = x; self.write(vals)",
    "an augmented target": "vals = {}; vals |= x; self.write(vals)",
    "a target of a loop": "[self.write(vals) for n, vals in enumerate(x)]",
    "a walrus": "self.write(vals) if (vals := x) else None",
    "a condition": "self.write(x if self.name else {})",
    "an alternative": "self.write(self.name or x)",
    "an item put into a dictionary": "vals = {}; vals['child_ids'] = x; self.write(vals)",
    "an item by default": "vals = {}; vals.setdefault('child_ids', x); self.write(vals)",
    "an update": "vals = {}; vals.update(x); self.write(vals)",
    "a dictionary in a list": "vals = []; vals.append({'child_ids': x}); self.create(vals)",
    "a lambda": "f = lambda: x; self.write(f())",
    "what a lambda gets": "sorted(x, key=lambda v: self.write(v))",
    "a function inside": "def inner():\n        return x\n    self.write(inner())",
    "a function inside that does it": "def inner():\n        self.write(x)\n    inner()",
    "a function inside that gets it": "def inner(y):\n        self.write(y)\n    inner(x)",
    "a default inside": "def inner(y=x):\n        self.write(y)\n    inner()",
    "with": "with open_it(x) as vals: self.write(vals)",
    "a match": "match x:\n        case {'vals': vals}: self.write(vals)",
    "all variables": "self.write(locals())",
    "a method that is mapped": "map(self.create, x)",
    "a method with another name": "f = self.write; f(x)",
    "a method that is a key": "sorted(x, key=self.write)",
    "a field of commands": "self.write({'child_ids': x})",
    "a field of commands by assignment": "self.child_ids = x",
    "a field of commands by item": "self['child_ids'] = x",
    "a field of commands of a variable": "record = self.browse(1); record['child_ids'] = x",
    "a field of commands of a record in a list": "records = [self]; records[0]['child_ids'] = x",
    "a dictionary with two names": "vals = other = {}; other['child_ids'] = x; self.write(vals)",
    "three items": "a, b, vals = 'name', '=', x; self.write(vals)",
    "commands": "self.write({'child_ids': [(0, 0, x)]})",
    "a reference": "self.write({'reference': x})",
    "properties": "self.properties = x",
    "a field that is not stored": "self.write({'display_name': x})",
    "no field": "self.write({'nothing': x})",
    "a domain of another model": "self.search([('partner_id', 'any', x)])",
    "an operator": "self.search([('partner_id', x, 1)])",
    "a term": "self.search([x])",
    "an order": "self.search([], order=x.strip())",
    "SQL": "self.env.cr.execute(x)",
    "SQL that is made of it": "self.env.cr.execute('SELECT %s' % x)",
    "SQL in a text": "self.env.cr.execute(f'SELECT {x}')",
    "SQL by name": "self.env.cr.execute(query=x)",
    "an expression": "safe_eval(x)",
    "Python": "eval(x)",
    "a name of an attribute": "getattr(self.partner_id, x)",
    "a name of an attribute to set": "setattr(self.partner_id, x, 1)",
    "a model of the request": "request.env['res.partner'].write(x)",
    "a model that is chosen": "self.env[x].write({'name': 1})",
    "a model that is got": "self.env.get(x)",
    "another model": "self.env['res.partner'].apply(x)",
    "another record": "self.partner_id.apply(x)",
    "a function": "write_elsewhere(self, x)",
    "a context": "self.with_context(default_child_ids=x)",
    "a number of a name": "self.env['res.partner'].apply(limits=x)",
    "the rest of a call": "self.hands_on_with_care(*x)",
    "a static method": "self.still(x)",
}
_VALUES = {
    "it assigns": "self.name = x",
    "it browses": "return self.browse([x])",
    "it compares": "return self.search([('name', '=', x)], limit=x)",
    "it compares in a list": "return self.search([['name', '=', x]])",
    "it looks up": "return LIMITS[x]",
    "it writes a value": "self.write({'name': x})",
    "a length": "self.write({'child_ids': len(x)})",
    "a number": "self.search([], order='id' if int(x) else 'name')",
    "a test": "self.search([('id', '>', 1)] if x else [])",
    "a comparison": "self.mapped(lambda r: r.name == x)",
    "a type": "isinstance(x, str) and self.write({'name': 1})",
    "a field by assignment": "self.partner_id = x['partner']",
    "a field of a list": "self.create([{'name': name} for name in x])",
    "a field in a variable": "vals = {}; vals['name'] = x; self.write(vals)",
    "a field by keyword": "self.write(dict(name=x))",
    "a text": "self.write({'name': f'{x.strip()} {1}'})",
    "numbers": "self.browse(list(map(int, x)))",
    "a value of SQL": "self.env.cr.execute('SELECT %s', (x,))",
    "an error": "raise ValueError(f'Not {x}.')",
    "a part of a list": "self.search([])[:x]",
    "what records are made of": "self.browse(x).write({'name': 1})",
}


def _made(statements: str, name: str, monkeypatch: pytest.MonkeyPatch) -> type:
    """Return a model of a method that does this, with a source that can be read."""
    source = f"def method(self, x):\n    {statements}\n"
    file = f"<{name}>"
    monkeypatch.setitem(linecache.cache, file, (len(source), None, source.splitlines(True), file))
    found = {**globals()}
    exec(compile(source, file, "exec"), found)
    return type("Made", (Model,), {"method": found["method"]})


@pytest.mark.parametrize("name", _HANDED_ON)
def test_what_is_not_certainly_harmless_is_handed_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert argument_use.handed_on(_made(_HANDED_ON[name], name, monkeypatch), "method", "x")


@pytest.mark.parametrize("name", _VALUES)
def test_what_leaves_but_a_plain_value_is_let_be(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert argument_use.handed_on(_made(_VALUES[name], name, monkeypatch), "method", "x") is None


@pytest.mark.parametrize("method", ["calls_itself", "hands_on_with_care"])
def test_what_is_but_a_value_further_on_is_let_be(method: str) -> None:
    assert argument_use.handed_on(Model, method, "x") is None


def test_all_definitions_of_a_method_are_looked_at() -> None:
    assert argument_use.handed_on(Model, "overridden", "given") == "self.write(given)"
    assert argument_use.handed_on(Model, "overridden_with_care", "given") is None


def test_what_cannot_be_read_is_told() -> None:
    made: dict[str, Any] = {}
    exec("def method(self, x, **others): pass", made)
    kind = type("Made", (), {"method": made["method"]})
    assert argument_use.handed_on(kind, "method", "x") == argument_use.UNREADABLE
    assert argument_use.rest_handed_on(kind, "method", "others") == argument_use.UNREADABLE
    kind = type("Partial", (), {"method": functools.partialmethod(Model.writes, 1)})
    assert argument_use.handed_on(kind, "method", "x") == argument_use.UNREADABLE
    assert argument_use.rest_handed_on(kind, "method", "others") == argument_use.UNREADABLE


@pytest.mark.parametrize(
    ("method", "found"), [("shows_the_rest", False), ("hands_on_the_rest", True), ("takes_from_the_rest", True)]
)
def test_the_rest_of_the_arguments_may_only_be_shown(method: str, found: bool) -> None:
    for name in ("more", "others"):
        assert bool(argument_use.rest_handed_on(Model, method, name)) is found
