"""What follows from a node is remembered in it: within bounds, and no longer than the node is there."""

from __future__ import annotations

import itertools
import weakref
from types import MappingProxyType
from typing import Any

import pytest

from app.definitions.definition import Node
from app.definitions.remembered import LONGEST, MOST, remembered
from app.errors import BadRequest
from app.policy import order, query
from tests.unit.models import field, node

NAMES = ("name", "email", "phone", "city", "zip", "street")


class WatchedNode(Node):
    """A node that tells when it is gone."""

    __slots__ = ("__weakref__",)


@pytest.fixture
def person() -> Node:
    return node(*map(field, NAMES))


def ask(node: Node, fields: str = "name,email", sort: str = "name desc") -> tuple[Any, ...]:
    """Ask for all that is remembered of a node."""
    found = query.narrow(node, fields), order.check(sort, node), node.only(["name"]), node.selection()
    return *found, found[0].selection()


def test_what_is_asked_again_is_the_same(person: Node) -> None:
    first, again = ask(person), ask(person)
    assert all(one is other for one, other in zip(first, again, strict=True))


def test_nothing_keeps_a_node_that_is_used_no_more(person: Node) -> None:
    watched = WatchedNode(person.model, person.fields, MappingProxyType({"name": person}))
    ask(watched)
    gone = weakref.ref(watched)
    del watched
    assert gone() is None


def test_no_client_has_more_remembered_than_the_most(person: Node) -> None:
    lists = [",".join(names) for length in (1, 2, 3) for names in itertools.permutations(NAMES, length)]
    assert len(lists) > 4 * MOST
    for text in lists:
        ask(person, text, text)
        assert 0 < len(person.remembered) <= MOST


def test_who_asks_for_ever_new_things_takes_nothing_from_another_api(person: Node) -> None:
    other = node(field("name"), field("email"))
    before = ask(other)
    for number in range(4 * MOST):
        ask(person, "name," * number + "name")
    assert all(one is again for one, again in zip(before, ask(other), strict=True))


@pytest.mark.parametrize("times", [LONGEST, 40 * LONGEST])
def test_nothing_is_remembered_by_a_long_text(person: Node, times: int) -> None:
    query.narrow(person, "name," * times + "name")
    query.narrow(person, ["name"] * times)
    with pytest.raises(BadRequest):
        order.check("name," * times + "name", person)
    assert person.remembered == {}


def test_an_error_is_not_remembered(person: Node) -> None:
    for ask in (lambda: query.narrow(person, "secret"), lambda: order.check("secret", person)):
        for _ in range(2):
            with pytest.raises(BadRequest):
                ask()
    assert person.remembered == {}


def test_results_are_apart_by_function_and_argument(person: Node) -> None:
    @remembered
    def twice(node: Node, number: int) -> int:
        return 2 * number

    @remembered
    def thrice(node: Node, number: int) -> int:
        return 3 * number

    for _ in range(2):
        assert [twice(person, 1), twice(person, 2), thrice(person, 1)] == [2, 4, 3]
