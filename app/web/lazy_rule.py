"""A rule of the url map whose builder of addresses is compiled when it is first asked for one, which few ever are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LazyRule(Rule):
    """A rule that matches as any does. Compiling its builders takes ten times as long as the rest of it."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        """Return a builder that puts the compiled one in its own place, where `Rule.compile` has put it."""
        return _build_with_more if append_unknown else _build


def _build(rule: Any, /, **values: Any) -> tuple[str, str]:
    rule._build = Rule._compile_builder(rule, False).__get__(rule)
    return rule._build(**values)  # type: ignore[no-any-return]


def _build_with_more(rule: Any, /, **values: Any) -> tuple[str, str]:
    rule._build_unknown = Rule._compile_builder(rule, True).__get__(rule)
    return rule._build_unknown(**values)  # type: ignore[no-any-return]
