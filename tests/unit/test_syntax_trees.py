"""Syntax trees that threads build at the same time."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from odoo_bridge import syntax_trees

# The collector runs often, and lets other threads run: that is when one tree is built amid another.
_BESIDE = """
import gc, sys, threading
from app.literals import parse

class Cycle:
    def __init__(self):
        self.me = self
    def __del__(self):
        for _ in range(3):
            pass

def from_depth(depth, work):
    return from_depth(depth - 1, work) if depth else work()

def work():
    for _ in range(150):
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


def test_a_source_is_parsed_again_where_somebody_else_has_disturbed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine, tries = ast.parse, []

    def disturbed(source: str, mode: str) -> ast.AST:
        tries.append(source)
        if len(tries) < 3:
            raise SystemError
        return genuine(source, mode=mode)

    monkeypatch.setattr(ast, "parse", disturbed)
    assert ast.literal_eval(syntax_trees.expression("[1]")) == [1]
    assert tries == ["[1]"] * 3


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(SyntaxError):
        syntax_trees.expression("[1")
