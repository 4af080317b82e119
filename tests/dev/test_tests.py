"""Which tests the targets run, and what a change has to pass."""

from __future__ import annotations

import re

import pytest

from dev import everything, paths, targets

FOUND = {path.parent.name for path in (paths.ROOT / "tests").glob("*/test_*.py")}
MAKEFILE = (paths.ROOT / "Makefile").read_text()


def test_each_folder_of_tests_belongs_to_one_target() -> None:
    named = [folder for target in (*targets.CI, *targets.LONG) for folder in target.folders]
    assert sorted(named) == sorted(FOUND)


@pytest.mark.parametrize("target", [*targets.CI, *targets.LONG], ids=lambda target: target.name)
def test_each_target_is_in_the_makefile_and_runs_its_folders(target: targets.Target) -> None:
    recipe = re.search(rf"^{target.name}: ## (.*\n(?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe is not None
    assert target.processes <= everything.ROOM
    if target.name != "test":  # which knows its folders from the table
        assert re.findall(r"-m dev test tests/(\w+)", recipe[1])[:1] == list(target.folders)


def test_a_change_has_to_pass_what_the_table_says() -> None:
    assert re.findall(r"^make (\w+)$", (paths.ROOT / ".ci" / "run").read_text(), re.MULTILINE) == ["ci"]


def test_tests_are_counted_by_what_pytest_says_at_its_end() -> None:
    output = """
..... [100%]
=========== 1 failed, 36 passed, 2 deselected in 187.35s (0:03:07) ===========
================= 1 passed, 36 deselected, 1 error in 11.99s =================
"""
    assert everything.counted(output) == 39
