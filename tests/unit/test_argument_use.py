"""What is read from a method's source about where its arguments go."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from odoo_bridge import argument_use

LIMITS = {"few": 1}


class Base:
    """Stands for a model; the methods are read and never called."""

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

    def creates_each(self, x):
        for one in x:
            self.create(one)

    def creates_many(self, x):
        self.create([x])

    def unpacks(self, x):
        self.write({"name": 1, **x})

    def renames(self, x):
        values = dict(x or {})
        self.write(values)

    def collects(self, x):
        domain = []
        domain.append(x)
        return self.search(domain)

    def adds(self, x):
        domain = [("id", ">", 0)]
        domain += x
        return self.search(domain)

    def names_a_column(self, x):
        return self.search([(x, "=", 1)])

    def names_a_column_in_a_list(self, x):
        return self.search([[x, "=", 1]])

    def orders(self, x):
        return self.search([], order=f"{x} desc")

    def names_a_key(self, x):
        self.write({x: 1})

    def names_a_field(self, x):
        return self[x]

    def names_an_attribute(self, x):
        return getattr(self, x)

    def names_a_model(self, x):
        return self.env[x].browse(1)

    def maps(self, x):
        return self.mapped(x)

    def sets_each(self, x):
        for name, value in x.items():
            setattr(self, name, value)

    def hands_on(self, x):
        self._hidden(1, x)

    def hands_on_by_name(self, x):
        self._hidden(1, changes=x)

    def _hidden(self, number, changes):
        if number:
            self.write(changes)

    def writes_a_value(self, x):
        self.write({"name": x})

    def assigns(self, x):
        self.name = x

    def browses(self, x):
        return self.browse([x])

    def compares(self, x):
        return self.search([("name", "=", x)], limit=x)

    def compares_in_a_list(self, x):
        return self.search([["name", "=", x]])

    def looks_up(self, x):
        return LIMITS[x]

    def hands_on_with_care(self, x):
        return self._careful(x)

    def _careful(self, y):
        return self.write({"name": y})

    def calls_itself(self, x):
        return self.calls_itself(x)

    def shows_the_rest(self, *more, **others):
        return [list(more), others]

    def hands_on_the_rest(self, *more, **others):
        self._hidden(*more, **others)

    def takes_from_the_rest(self, *more, **others):
        return more[0], others.pop("domain")


@pytest.mark.parametrize(
    "method",
    [
        "adds",
        "collects",
        "creates_each",
        "creates_many",
        "hands_on",
        "hands_on_by_name",
        "maps",
        "names_a_column",
        "names_a_column_in_a_list",
        "names_a_field",
        "names_a_key",
        "names_a_model",
        "names_an_attribute",
        "orders",
        "renames",
        "sets_each",
        "unpacks",
        "writes",
    ],
)
def test_what_goes_to_where_any_field_is_taken_is_found(method: str) -> None:
    assert argument_use.handed_on(Model, method, "x")


@pytest.mark.parametrize(
    "method",
    [
        "assigns",
        "browses",
        "calls_itself",
        "compares",
        "compares_in_a_list",
        "hands_on_with_care",
        "looks_up",
        "writes_a_value",
    ],
)
def test_what_is_but_a_value_is_let_be(method: str) -> None:
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
