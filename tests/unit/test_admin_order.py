"""Order of models and fields in the panel: what people look for comes first."""

from __future__ import annotations

import pytest

from app.editing.field_order import by_importance
from app.editing.model_order import by_use, is_business, matching
from odoo_bridge.types import Count, ModelSummary
from tests.unit.models import field

CONTACT = ModelSummary("res.partner", "Contact", "base", 2)
TAG = ModelSummary("res.partner.category", "Contact Tags", "base", 3)
COUNTRY = ModelSummary("res.country", "Country", "base", 4)
LEAD = ModelSummary("crm.lead", "Lead", "crm", 2)
MESSAGE = ModelSummary("mail.message", "Message", "mail", 4)
LINE = ModelSummary("sale.order.line", "Order line", "sale", None)
BLOCKED = ModelSummary("my.contact", "A contact that is blocked", "my", None)
EVERY = (BLOCKED, COUNTRY, LEAD, LINE, MESSAGE, TAG, CONTACT)
COUNTS = {"res.partner": Count(40, True), "res.country": Count(250, True), "res.partner.category": Count(7, True)}


def test_models_with_records_come_first_then_by_their_place_in_the_menus() -> None:
    assert by_use(EVERY, COUNTS) == [CONTACT, TAG, COUNTRY, LEAD, MESSAGE, BLOCKED, LINE]


@pytest.mark.parametrize("model", [MESSAGE, LINE, ModelSummary("res.groups", "Access Groups", "base", 3)])
def test_models_of_odoo_itself_and_those_in_no_menu_are_not_for_people(model: ModelSummary) -> None:
    assert not is_business(model)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Contact", [CONTACT, TAG, BLOCKED]),
        ("res.partner", [CONTACT, TAG]),
        ("tags", [TAG]),
        ("CRM", [LEAD]),
        ("line", [LINE]),
        ("", list(EVERY)),
        ("nothing", []),
    ],
)
def test_the_best_match_comes_first(text: str, found: list[ModelSummary]) -> None:
    assert matching(EVERY, text) == found


def test_fields_that_tell_most_come_first_and_odoos_own_last() -> None:
    names = ("message_is_follower", "zodiac", "create_date", "phone", "aaa_computed", "name", "avatar", "email")
    fields = [field(name, stored=name != "aaa_computed") for name in names]
    ordered = [each.name for each in by_importance(fields, ("name", "avatar", "email"))]
    assert ordered == [
        "name",
        "email",
        "avatar",
        "phone",
        "zodiac",
        "aaa_computed",
        "create_date",
        "message_is_follower",
    ]
