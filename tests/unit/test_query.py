"""The parameters of searches and reads: nothing is cut off or dropped in silence."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import BadRequest
from app.policy import query
from tests.unit.models import definition, exposure, field, node

PERSON = node(field("name"), field("email"))
EXPOSED = exposure(PERSON, domain=(("active", "=", True),))
API = definition(page_size=20, max_page_size=50, max_bulk=3)


def test_a_search_without_parameters_is_the_first_page_of_all() -> None:
    found = query.search({}, API, EXPOSED)
    assert (found.limit, found.offset, found.count, found.order) == (20, 0, "exact", "name, id")
    assert found.domain == [("active", "=", True)]
    assert found.node is PERSON


def test_what_is_asked_again_is_made_once_and_never_for_another_definition() -> None:
    asked = {"fields": "email", "order": "name desc"}
    first, again = (query.search(asked, API, EXPOSED).node for _ in range(2))
    assert first is again
    assert first.selection() is again.selection()
    alike = exposure(node(field("name"), field("email")))
    assert query.search(asked, API, alike).node is not first
    with pytest.raises(BadRequest):
        query.search(asked, API, exposure(node(field("name"))))


@pytest.mark.parametrize("times", [1, 40, 400])
def test_a_list_of_fields_may_be_of_any_length(times: int) -> None:
    assert list(query.narrow(PERSON, ",".join(["email"] * times)).fields) == ["email"]


def test_a_clients_domain_comes_behind_the_apis_own() -> None:
    found = query.search({"domain": '[["name", "=", "x"]]'}, API, EXPOSED)
    assert found.domain == [("active", "=", True), ("name", "=", "x")]


def test_parameters_of_a_query_string_are_text() -> None:
    found = query.search({"limit": "50", "offset": "10", "count": "none", "fields": "email"}, API, EXPOSED)
    assert (found.limit, found.offset, found.count, list(found.node.fields)) == (50, 10, "none", ["email"])


@pytest.mark.parametrize("count", ["exact", "estimate", "none"])
def test_a_search_counts_in_three_ways(count: str) -> None:
    assert query.search({"count": count}, API, EXPOSED).count == count


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"limit": "51"}, "invalid_limit"),
        ({"limit": "-1"}, "invalid_limit"),
        ({"limit": "ten"}, "invalid_limit"),
        ({"limit": True}, "invalid_limit"),
        ({"limit": 1.5}, "invalid_limit"),
        ({"offset": "99999999999"}, "invalid_offset"),
        ({"count": "yes"}, "invalid_count"),
        ({"count": ["exact"]}, "invalid_count"),
        ({"limits": "5"}, "unknown_parameter"),
        ({"fields": "name,secret"}, "unknown_field"),
        ({"fields": {"name": 1}}, "invalid_fields"),
        ({"fields": "[1]"}, "invalid_fields"),
        ({"domain": "nonsense"}, "invalid_domain"),
    ],
    ids=repr,
)
def test_what_does_not_fit_is_refused_by_name(parameters: dict[str, Any], name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        query.search(parameters, API, EXPOSED)
    assert caught.value.name == name


@pytest.mark.parametrize("wanted", ["name", "name,id", ["name"], "['name']", '["name", "id"]', " name "])
def test_fields_come_as_text_or_as_a_list(wanted: object) -> None:
    assert list(query.narrow(PERSON, wanted).fields) == ["name"]


@pytest.mark.parametrize("value", ["a,b", ["a", "b"], '["a", "b"]', " a , b "])
def test_ids_come_as_text_or_as_a_list(value: object) -> None:
    assert query.public_ids(value, 2) == ["a", "b"]


@pytest.mark.parametrize(("value", "name"), [("a,b,c", "too_many"), ({"a": 1}, "invalid_ids"), (3, "invalid_ids")])
def test_ids_that_are_none_or_too_many_are_refused(value: object, name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        query.public_ids(value, 2)
    assert caught.value.name == name


def test_no_ids_are_an_empty_list() -> None:
    assert query.public_ids("", 2) == []
