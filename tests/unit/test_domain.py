"""A client's filter: what passes comes out as Odoo takes it, and what is not exposed is refused at every step."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import BadRequest
from app.policy import domain, operands
from tests.unit.models import PLAIN, field, node

COUNTRY = node(field("name"), field("code"), model="res.country")
PERSON = node(
    field("name"),
    field("age", "integer"),
    field("score", "float"),
    field("active", "boolean"),
    field("birthday", "date"),
    field("seen", "datetime"),
    field("photo", "binary"),
    field("kind", "selection", selection=(("a", "A"), ("b", "B"))),
    field("country_id", "many2one", "res.country"),
    field("parent_id", "many2one", "test.model"),
    field("target", "reference", selection=(("res.country", "Country"),)),
    field("computed", searchable=False),
    related={"country_id": COUNTRY},
    parent_field="parent_id",
)

TAKEN: list[tuple[Any, Any]] = [
    ([], []),
    ("", []),
    ('[["name", "=", "x"]]', [("name", "=", "x")]),
    ("[('name', '==', 'x')]", [("name", "=", "x")]),
    ([["name", "<>", "x"]], [("name", "!=", "x")]),
    (["|", ["name", "ilike", "x"], ["age", ">", 3]], ["|", ("name", "ilike", "x"), ("age", ">", 3)]),
    (["!", ["active", "=", True]], ["!", ("active", "=", True)]),
    ([["name", "in", ["a", None]]], [("name", "in", ["a", False])]),
    ([["name", "=", None]], [("name", "=", False)]),
    ([["name", "=?", ""]], [("name", "=?", False)]),
    ([["name", "=?", "x"]], [("name", "=", "x")]),
    ([["id", ">", 0]], [("id", ">", 0)]),
    ([["id", "in", ["3", 4]]], [("id", "in", [3, 4])]),
    ([["country_id", "=", "7"]], [("country_id", "=", 7)]),
    ([["country_id.code", "=", "BE"]], [("country_id.code", "=", "BE")]),
    ([["country_id", "any", [["code", "=", "BE"]]]], [("country_id", "any", [("code", "=", "BE")])]),
    ([["id", "child_of", "5"]], [("id", "child_of", [5])]),
    ([["birthday", ">=", "2026-01-31"]], [("birthday", ">=", "2026-01-31")]),
    ([["birthday.month_number", "=", 2]], [("birthday.month_number", "=", 2)]),
    ([["seen", "<", "2026-01-31T10:00:00+02:00"]], [("seen", "<", "2026-01-31 08:00:00")]),
    ([["photo", "!=", False]], [("photo", "!=", False)]),
    ([["target", "=", "res.country,3"]], [("target", "=", "res.country,3")]),
    ([[1, "=", 1]], [(1, "=", 1)]),
]

REFUSED: list[tuple[Any, str, str]] = [
    ("[", "invalid_domain", "neither JSON"),
    ({"name": "x"}, "invalid_domain", "must be a list"),
    ([["name", "="]], "invalid_domain", "A condition is"),
    ([["secret", "=", "x"]], "unknown_field", "'secret'"),
    ([["country_id.secret", "=", "x"]], "unknown_field", "'country_id.secret'"),
    ([["country_id", "any", [["secret", "=", "x"]]]], "unknown_field", "'secret'"),
    ([["parent_id.name", "=", "x"]], "unknown_field", "'parent_id.name'"),
    ([["name.code", "=", "x"]], "unknown_field", "'name.code'"),
    ([["id.name", "=", "x"]], "unknown_field", "'id.name'"),
    ([["birthday.hour_number", "=", 2]], "unknown_field", "'birthday.hour_number'"),
    ([["computed", "=", "x"]], "invalid_domain", "can't filter"),
    ([["name", "~", "x"]], "unknown_operator", "unknown operator"),
    ([["age", "like", "1"]], "unknown_operator", "doesn't fit"),
    ([["photo", "like", "x"]], "unknown_operator", "doesn't fit"),
    ([["name", "in", "abc"]], "invalid_domain", "takes a list"),
    ([["name", "=", ["a"]]], "invalid_domain", "takes one value"),
    ([["name", "=", 3]], "invalid_domain", "text is expected"),
    ([["name", "=", "\x00"]], "invalid_domain", "text is expected"),
    ([["age", "=", True]], "invalid_domain", "a whole number"),
    ([["age", "=", 2**64]], "invalid_domain", "a whole number"),
    ([["score", "=", float("inf")]], "invalid_domain", "a number"),
    ([["birthday", "=", "31.01.2026"]], "invalid_domain", "a date"),
    ([["country_id", "=", "Belgium"]], "invalid_domain", "an id of res.country"),
    ([["country_id", "child_of", "5"]], "invalid_domain", "parent field"),
    ([["target", "=", "res.partner,3"]], "invalid_domain", "model,id"),
    (["|", ["name", "=", "x"]], "invalid_domain", "needs 2 conditions"),
    ([True], "invalid_domain", "A condition is"),
    ([[True, "=", 1]], "invalid_domain", "name of a field"),
]


@pytest.mark.parametrize(("source", "expected"), TAKEN, ids=repr)
def test_what_is_exposed_passes_in_the_form_of_odoo(source: Any, expected: Any) -> None:
    assert domain.check(source, PERSON, PLAIN) == expected


@pytest.mark.parametrize(("source", "name", "words"), REFUSED, ids=repr)
def test_all_else_is_refused_and_said_why(source: Any, name: str, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        domain.check(source, PERSON, PLAIN)
    assert caught.value.name == name
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([["name", "=", "x"]] * (domain.MAX_TERMS + 1), "terms"),
        ([["age", "in", [1] * (operands.MAX_VALUES + 1)]], "values"),
    ],
    ids=["terms", "values"],
)
def test_what_would_be_costly_is_refused(source: Any, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        domain.check(source, PERSON, PLAIN)


def test_sub_domains_go_only_so_deep() -> None:
    source: list[Any] = [["name", "=", "x"]]
    for _ in range(domain.MAX_DEPTH):
        source = [["id", "any", source]]
    domain.check(source, PERSON, PLAIN)
    with pytest.raises(BadRequest, match="levels deep"):
        domain.check([["id", "any", source]], PERSON, PLAIN)


def test_a_search_by_display_name_needs_all_that_odoo_looks_at() -> None:
    shown = node(field("name"), field("display_name", sortable=False), name_search_fields=("name", "code"))
    with pytest.raises(BadRequest, match="not exposed"):
        domain.check([["display_name", "ilike", "x"]], shown, PLAIN)
    shown = node(field("name"), field("display_name", sortable=False))
    assert domain.check([["display_name", "ilike", "x"]], shown, PLAIN) == [("display_name", "ilike", "x")]
