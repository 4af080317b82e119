"""The faults by hand of `make mutants`: whether their rows are such as can be tried."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from dev import mutants, paths
from dev.errors import SetupError
from dev.mutants import Mutant
from dev.tests import folders

ROWS = mutants.read()
#: Folders of product code.
PRODUCT = ("app/", "odoo_bridge/", "serving/")
MAKEFILE = (paths.ROOT / "Makefile").read_text()


def test_there_are_forty_each_with_a_name_of_its_own() -> None:
    assert len(ROWS) == len({row.name for row in ROWS}) == 40


def test_all_but_four_are_for_make_test_to_find() -> None:
    others = [row.target for row in ROWS if row.target != "test"]
    assert len(others) <= 4
    assert all(f"\n{target}: ##" in MAKEFILE for target in others)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_fault_is_made_once_in_product_code_which_still_is_python(row: Mutant) -> None:
    assert row.file.startswith(PRODUCT)
    sound = (paths.ROOT / row.file).read_text()
    assert row.applied(sound) != sound
    ast.parse(row.applied(sound))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_tests_of_a_fault_are_there_and_run_by_its_target(row: Mutant) -> None:
    assert row.tests
    for test in row.tests:
        file, _, name = test.partition("::")
        assert not name or f"def {name}(" in (paths.ROOT / file).read_text(), test
        folder = Path(file).parent.as_posix()
        assert folder in folders() if row.target == "test" else folder == f"tests/{row.target}", test


def test_a_file_that_has_changed_is_told() -> None:
    row = Mutant("a fault", "app/errors.py", "a", "b", (), "test")
    for source in ("", "a a"):
        with pytest.raises(SetupError, match="a fault"):
            row.applied(source)
    assert row.applied("c a c") == "c b c"
