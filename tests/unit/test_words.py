"""Plain words: a docstring begins with what the thing is, and not with a clause about it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_CLAUSE = re.compile(r"(What|Whether|Who|Whoever|Whose|Where|When|How|Which|Whatever|Why)\b")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _clauses(folder: str) -> Iterator[str]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            text = ast.get_docstring(node) if isinstance(node, _DOCUMENTED) else None
            if text and _CLAUSE.match(text):
                yield f"{file.relative_to(ROOT)}: {text.splitlines()[0]}"


@pytest.mark.parametrize("folder", ["app", "odoo_bridge", "serving", "dev", "bench"])
def test_a_docstring_begins_with_a_noun_or_a_verb(folder: str) -> None:
    assert list(_clauses(folder)) == []
