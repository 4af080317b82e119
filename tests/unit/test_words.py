"""Plain words: a docstring begins with what the thing is, and not with a clause about it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.pages import ROOT

_WORDS = "what|whether|who|whom|whoever|whose|where|when|how|which|whatever|why"
#: A clause at the very beginning, or behind a verb alone: "Return what a token stands for".
_CLAUSE = re.compile(rf"(That|({_WORDS})|\w+ ({_WORDS}))\b", re.IGNORECASE)
#: Where there may be one: files without need not be parsed.
_MAYBE = re.compile(rf"[\"']\s*{_CLAUSE.pattern}", re.IGNORECASE)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _clauses(folder: str) -> Iterator[str]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        source = file.read_text()
        for node in ast.walk(ast.parse(source)) if _MAYBE.search(source) else ():
            text = ast.get_docstring(node) if isinstance(node, _DOCUMENTED) else None
            if text and _CLAUSE.match(text):
                yield f"{file.relative_to(ROOT)}: {text.splitlines()[0]}"


@pytest.mark.parametrize("folder", ["app", "odoo_bridge", "serving", "dev", "bench", "migrations"])
def test_a_docstring_begins_with_a_noun_or_a_verb(folder: str) -> None:
    assert list(_clauses(folder)) == []
