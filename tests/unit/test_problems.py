"""Problems of a document: values that know their place in it, and text where they are shown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.definitions.document import ApiDocument
from app.definitions.problems import Key, Problem, shape_problems


@pytest.mark.parametrize(
    ("key", "top", "text"),
    [
        ((), "", "is wrong"),
        (("route",), "route", "route: is wrong"),
        (("models", 0, "fields"), "models", "models[0].fields: is wrong"),
        (("arguments", "a.b[0]"), "arguments", "arguments.a.b[0]: is wrong"),
    ],
)
def test_a_problem_knows_the_key_at_the_top_and_says_the_whole_place(key: Key, top: str, text: str) -> None:
    problem = Problem(key, "is wrong")
    assert (problem.top, str(problem)) == (top, text)


def test_a_problem_of_one_of_several_names_it_first() -> None:
    assert str(Problem(("route",), "is wrong").of("API 'A'")) == "API 'A': route: is wrong"


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"x.y": 1}, ("x.y",)),
        ({"models": [{"model": "res.partner", "fields": [7]}]}, ("models", 0, "fields", 0)),
        ({"models": [{"model": "res.partner", "search_fields": ["name"]}]}, ("models", 0, "search_fields")),
    ],
)
def test_a_finding_of_pydantic_keeps_the_place_of_the_key(keys: dict[str, object], key: Key) -> None:
    with pytest.raises(ValidationError) as raised:
        ApiDocument.model_validate({"name": "A", "route": "/api/a", **keys})
    assert key in [problem.key for problem in shape_problems(raised.value)]
