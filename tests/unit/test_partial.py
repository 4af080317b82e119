"""Definitions of which something is wrong: the rest of them is read all the same."""

from __future__ import annotations

from typing import Any

import pytest

from app.definitions.problems import Key, Problem
from app.editing.partial import readable

GOOD: dict[str, Any] = {
    "name": "A",
    "route": "/api/a",
    "models": [{"model": "res.partner", "fields": ["name"]}, {"model": "res.country", "fields": ["code"]}],
}


@pytest.mark.parametrize(
    ("wrong", "left_out"),
    [
        ({}, ()),
        ({"page_size": 5000}, ()),  # each key is fine by itself
        ({"name": ""}, (("name",),)),
        ({"rate_limit": "often", "page_size": "x"}, (("page_size",), ("rate_limit",))),
        ({"nothing": 1}, (("nothing",),)),
        ({"models": "text"}, (("models",),)),
        ({"models": [{"model": "res.partner", "fields": [7]}, {"felds": 1}]}, (("models", 0, "fields"), ("models", 1))),
    ],
)
def test_what_cannot_be_read_is_left_out(wrong: dict[str, Any], left_out: tuple[Key, ...]) -> None:
    part = readable({**GOOD, **wrong})
    assert part is not None
    assert sorted(part.left_out, key=str) == sorted(left_out, key=str)
    for key in left_out:
        assert not part.is_about(Problem(key, "x"))
    assert part.is_about(Problem(("run_as",), "x"))


def test_nothing_is_read_of_an_api_of_no_type() -> None:
    assert readable({**GOOD, "type": "soap"}) is None


def test_the_values_that_were_given_stay_as_they_are() -> None:
    values = {**GOOD, "models": [{"model": "res.partner", "fields": [7]}]}
    readable(values)
    assert values["models"] == [{"model": "res.partner", "fields": [7]}]
