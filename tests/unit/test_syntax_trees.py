"""Syntax trees that threads build at the same time."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import Any

import pytest

from odoo_bridge import syntax_trees

# The collector runs often, and lets other threads run: that is when one tree is built amid another. Ten rounds nearly
# always find the fault, twenty always.
_BESIDE = """
import gc, sys, threading
from app.literals import parse
from odoo_bridge import syntax_trees

syntax_trees.install()

class Cycle:
    def __init__(self):
        self.me = self
    def __del__(self):
        for _ in range(3):
            pass

def from_depth(depth, work):
    return from_depth(depth - 1, work) if depth else work()

def work():
    for _ in range(20):
        [Cycle() for _ in range(5)]
        if len(parse(DOMAIN, "domain")) != 300:
            wrong.append(1)
    done.append(1)

DOMAIN = "[" + ",".join(f"('a', '=', {number})" for number in range(300)) + "]"
wrong, done = [], []
gc.set_threshold(50)
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=from_depth, args=(depth, work)) for depth in (5, 60)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(len(done) != 2 or bool(wrong))
"""


def test_literals_of_several_threads_do_not_disturb_each_other() -> None:
    assert subprocess.run([sys.executable, "-c", _BESIDE], capture_output=True, check=False).returncode == 0


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``ast.parse`` as it is where the interpreter has the fault; the genuine one again after the test."""
    monkeypatch.setattr(ast, "parse", ast.parse)
    monkeypatch.setattr(syntax_trees, "has_fault", lambda version: True)
    syntax_trees.install()
    return ast.parse


def test_a_source_is_parsed_again_where_somebody_else_has_disturbed_it(
    installed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, tries = syntax_trees._parse, []

    def disturbed(source: str, *arguments: Any, **options: Any) -> ast.AST:
        tries.append(source)
        if len(tries) < 3:
            raise SystemError
        tree: ast.AST = genuine(source, *arguments, **options)
        return tree

    monkeypatch.setattr(syntax_trees, "_parse", disturbed)
    assert ast.literal_eval("[1]") == [1]
    assert tries == ["[1]"] * 3


def test_what_is_no_source_is_refused_as_ever(installed: Any) -> None:
    with pytest.raises(SyntaxError):
        ast.parse("[1")


@pytest.mark.parametrize(
    ("version", "expected"),
    [((3, 10, 14), True), ((3, 11, 7), True), ((3, 11, 8), False), ((3, 12, 1), True), ((3, 12, 2), False)],
)
def test_versions_that_have_the_fault_are_known(version: tuple[int, ...], expected: bool) -> None:
    assert syntax_trees.has_fault(version) is expected
