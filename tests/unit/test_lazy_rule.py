"""A rule of the url map that compiles its builders late: it matches and builds as any does."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.routing import BuildError, Map, MapAdapter, Rule

from app.web.lazy_rule import LazyRule


def adapter(kind: type[Rule]) -> MapAdapter:
    rules = [kind("/shop/<int:number>/<rule>", endpoint="item"), kind("/shop/", defaults={"page": 1}, endpoint="list")]
    return Map([*rules, kind("/shop/<int:page>", endpoint="list")]).bind("shop.test", "/")


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("item", {"number": 7, "rule": "a b", "more": ["x", "y"]}),
        ("list", {"page": 2}),
        ("list", {"page": 1, "order": "name"}),
    ],
)
def test_it_builds_what_any_rule_builds(endpoint: str, values: dict[str, Any]) -> None:
    for with_more in (True, False):
        built = [adapter(kind).build(endpoint, values, append_unknown=with_more) for kind in (LazyRule, Rule)]
        assert built[0] == built[1]


@pytest.mark.parametrize("values", [{"number": 7}, {"number": "seven", "rule": "a"}])
def test_it_refuses_what_any_rule_refuses(values: dict[str, Any]) -> None:
    for kind in (LazyRule, Rule):
        with pytest.raises((BuildError, ValueError)):
            adapter(kind).build("item", values)


def test_matching_compiles_no_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rule, "_compile_builder", lambda *_: pytest.fail("compiled"))
    assert adapter(LazyRule).match("/shop/7/x") == ("item", {"number": 7, "rule": "x"})
