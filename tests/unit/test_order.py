"""A client's sort order: no hidden field shows in the order of records, and pages neither overlap nor leave gaps."""

from __future__ import annotations

import pytest

from app.definitions.definition import Node
from app.errors import BadRequest
from app.policy import order
from tests.unit.models import field, node

COUNTRY = node(field("name"), model="res.country")
CITY = node(field("code"), model="res.city")
PERSON = node(
    field("name"),
    field("computed", sortable=False),
    field("country_id", "many2one", "res.country"),
    field("city_id", "many2one", "res.city"),
    field("tag_ids", "many2many", "res.tag"),
    related={"country_id": COUNTRY, "city_id": CITY},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "name, id"),
        ("", "name, id"),
        ("name desc", "name desc, id"),
        ("name desc, id", "name desc, id"),
        ("id", "id"),
        (" NAME  DESC  nulls   last ".replace("NAME", "name"), "name desc nulls last, id"),
        ("country_id", "country_id, id"),
        ("city_id.id desc", "city_id.id desc, id"),
    ],
)
def test_what_is_exposed_passes_with_the_id_last(text: str | None, expected: str) -> None:
    assert order.check(text, PERSON) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (3, "invalid_order"),
        ("name; DROP TABLE x", "invalid_order"),
        ("name sideways", "invalid_order"),
        ("name,", "invalid_order"),
        (", ".join(["name"] * (order.MAX_TERMS + 1)), "invalid_order"),
        ("computed", "invalid_order"),
        ("secret", "unknown_field"),
        ("country_id.name", "unknown_field"),
        ("tag_ids.id", "unknown_field"),
        ("city_id", "invalid_order"),
    ],
)
def test_all_else_is_refused(text: object, name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        order.check(text, PERSON)
    assert caught.value.name == name


def test_a_relation_sorts_by_what_its_model_sorts_by_only_where_that_is_shown() -> None:
    with pytest.raises(BadRequest, match=r"city_id\.id sorts by its id"):
        order.check("city_id", PERSON)


def test_a_relation_within_the_order_of_another_model_is_followed_as_far_as_odoo_does() -> None:
    company = node(field("name"), model="res.company", order="sequence, name")
    shown = node(field("name"), model="res.company")
    through = [field("name"), field("company_id", "many2one", "res.company")]

    def team(**related: Node) -> Node:
        behind = node(*through, model="crm.team", order="company_id, name", related=related)
        return node(field("team_id", "many2one", "crm.team"), related={"team_id": behind})

    for hidden in (team(), team(company_id=company)):
        with pytest.raises(BadRequest, match=r"team_id\.id sorts by its id"):
            order.check("team_id", hidden)
    assert order.check("team_id", team(company_id=shown)) == "team_id, id"
