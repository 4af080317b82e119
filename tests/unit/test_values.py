"""Values that a client writes: what comes in the form of a read is turned into Odoo's, and all else is refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from app.errors import BadRequest
from app.policy import values
from app.policy.values import Lines
from tests.unit.models import PLAIN, exposure, field, node

LINE = node(field("name"), field("amount", "integer"), model="test.line")
RECORD = node(
    field("name", size=10),
    field("age", "integer"),
    field("score", "float"),
    field("active", "boolean"),
    field("day", "date"),
    field("moment", "datetime"),
    field("kind", "selection", selection=(("a", "A"), ("b", "B"))),
    field("data", "json"),
    field("content", "binary"),
    field("country_id", "many2one", "res.country"),
    field("tag_ids", "many2many", "res.tag"),
    field("line_ids", "one2many", "test.line", owns_lines=True),
    field("other_ids", "one2many", "test.other", owns_lines=True),
    field("target", "reference", selection=(("res.country", "Country"),)),
    field("res_model"),
    field("res_id", "many2one_reference", model_field="res_model"),
    field("props", "properties"),
    field("hidden_from_writing"),
    related={"line_ids": LINE},
)
WRITABLE = tuple(name for name in RECORD.fields if name != "hidden_from_writing")
EXPOSED = exposure(RECORD, writable=WRITABLE)


def _check(source: object, *, creating: bool = False) -> values.Checked:
    return values.check(source, EXPOSED, PLAIN, creating=creating)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", "x", "x"),
        ("name", "", False),
        ("name", None, False),
        ("age", 5.0, 5),
        ("score", 1, 1),
        ("active", False, False),
        ("day", "2026-01-31", date(2026, 1, 31)),
        ("day", "", False),
        ("moment", "2026-01-31T10:00:00.5+02:00", datetime(2026, 1, 31, 8)),
        ("kind", "a", "a"),
        ("data", {"a": [1, None]}, {"a": [1, None]}),
        ("content", "eA==", "eA=="),
        ("country_id", "7", 7),
        ("country_id", [7, "Belgium"], 7),
        ("country_id", [], False),
        ("country_id", False, False),
        ("tag_ids", ["1", {"id": 2}], [(6, 0, [1, 2])]),
        ("tag_ids", [[4, "3"]], [(4, 3, 0)]),
        ("tag_ids", None, [(6, 0, [])]),
        ("target", "res.country,3", "res.country,3"),
    ],
    ids=repr,
)
def test_a_value_is_turned_into_odoos_form(name: str, value: object, expected: object) -> None:
    assert _check({name: value}).values == {name: expected}


@pytest.mark.parametrize(
    ("source", "name", "pointer"),
    [
        ([], "invalid_value", "body"),
        ({"secret": 1}, "unknown_field", "secret"),
        ({"hidden_from_writing": "x"}, "unknown_field", "hidden_from_writing"),
        ({"name": 3}, "invalid_value", "name"),
        ({"name": "longer than ten"}, "invalid_value", "name"),
        ({"name": "nul \x00"}, "invalid_value", "name"),
        ({"age": "5"}, "invalid_value", "age"),
        ({"age": 2**31}, "invalid_value", "age"),
        ({"age": True}, "invalid_value", "age"),
        ({"score": float("nan")}, "invalid_value", "score"),
        ({"active": None}, "invalid_value", "active"),
        ({"day": "31.01.2026"}, "invalid_value", "day"),
        ({"moment": "yesterday"}, "invalid_value", "moment"),
        ({"kind": "c"}, "invalid_value", "kind"),
        ({"content": "not base64!"}, "invalid_value", "content"),
        ({"country_id": "Belgium"}, "invalid_value", "country_id"),
        ({"country_id": [7]}, "invalid_value", "country_id"),
        ({"country_id": 0}, "invalid_value", "country_id"),
        ({"tag_ids": "1"}, "invalid_value", "tag_ids"),
        ({"tag_ids": [[9, 1]]}, "invalid_value", "tag_ids[0]"),
        ({"tag_ids": [[0, 0, {"name": "new"}]]}, "invalid_value", "tag_ids[0]"),
        ({"other_ids": [[5]]}, "invalid_value", "other_ids[0]"),
        ({"line_ids": [[1, 5, {"secret": 1}]]}, "unknown_field", "line_ids[0][2].secret"),
        ({"target": "res.users,1"}, "invalid_value", "target"),
        ({"res_id": 3}, "invalid_value", "res_id"),
    ],
    ids=repr,
)
def test_what_does_not_fit_is_refused_where_it_stands(source: Any, name: str, pointer: str) -> None:
    with pytest.raises(BadRequest) as caught:
        _check(source)
    assert caught.value.name == name
    assert caught.value.data.get("field", "body") == pointer


def test_ids_are_noted_with_their_place_to_be_looked_at() -> None:
    checked = _check({"country_id": 7, "tag_ids": [8], "res_model": "res.users", "res_id": 9})
    assert checked.references == {
        ("res.country", 7): "country_id",
        ("res.tag", 8): "tag_ids[0]",
        ("res.users", 9): "res_id",
    }


def test_lines_that_are_changed_have_to_be_the_records_own() -> None:
    checked = _check({"line_ids": [[1, 5, {"amount": 1}], [0, 0, {"name": "new"}], [2, 6]]})
    assert checked.values == {"line_ids": [(1, 5, {"amount": 1}), (0, 0, {"name": "new"}), (2, 6, 0)]}
    assert [(each.ids, each.record) for each in checked.lines] == [((5,), None), ((6,), None)]


def test_a_line_that_is_linked_may_be_nobodys() -> None:
    (lines,) = _check({"line_ids": [[4, 5]]}).lines
    assert lines == Lines("test.model", None, "line_ids", (5,), "line_ids[0]", or_nobodys=True)


def test_a_record_that_is_created_has_no_lines_to_change() -> None:
    with pytest.raises(BadRequest, match="no lines yet"):
        _check({"line_ids": [[1, 5, {"amount": 1}]]}, creating=True)


def test_properties_wait_for_their_definition() -> None:
    checked = _check({"props": [{"name": "colour", "type": "char", "value": "red"}]})
    assert (checked.values, checked.properties) == ({}, {"props": {"colour": "red"}})
