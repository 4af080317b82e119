"""The dates of an API's end: in its document, and as headers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.definitions.document import RESERVED, ApiDocument
from app.definitions.problems import shape_problems
from app.web import lifecycle

MINIMAL = {"name": "Test", "route": "/api/test", "models": [{"model": "test.model", "fields": ["name"]}]}


def _document(**keys: Any) -> ApiDocument:
    return ApiDocument.model_validate({**MINIMAL, **keys})


def test_an_api_has_no_end_unless_its_definition_says_so() -> None:
    assert lifecycle.headers(_document()) == {}


def test_each_date_is_the_first_moment_of_its_day() -> None:
    assert lifecycle.headers(_document(deprecated="2023-07-01", sunset="2024-02-29")) == {
        "Deprecation": "@1688169600",
        "Sunset": "Thu, 29 Feb 2024 00:00:00 GMT",
    }


@pytest.mark.parametrize("day", ["2026-12-31", "1970-01-01"])
def test_a_sunset_may_be_on_the_day_of_the_deprecation(day: str) -> None:
    assert _document(deprecated=day, sunset=day).sunset == day


@pytest.mark.parametrize(
    "day", ["", "2026-02-30", "2026-1-1", "20261231", "2026-W01-1", "1969-12-31", "soon", 20261231]
)
@pytest.mark.parametrize("key", ["deprecated", "sunset"])
def test_what_is_no_date_is_refused(key: str, day: object) -> None:
    with pytest.raises(ValidationError) as caught:
        _document(**{key: day})
    assert caught.value.errors()[0]["loc"] == (key,)


def test_a_sunset_before_the_deprecation_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        _document(deprecated="2026-10-02", sunset="2026-10-01")
    assert [problem.key for problem in shape_problems(caught.value)] == [("sunset",)]


@pytest.mark.parametrize("first", [*RESERVED, "batch", "webhooks", "mcp"])
def test_routes_of_gatehouses_own_are_taken(first: str) -> None:
    with pytest.raises(ValidationError, match="Gatehouse's own"):
        _document(route=f"/api/{first}/partners")
