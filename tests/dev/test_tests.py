"""Which tests `make test` runs."""

from __future__ import annotations

import re

from dev import paths, tests


def test_all_folders_are_run_but_those_of_other_targets() -> None:
    found = {f"tests/{path.parent.name}" for path in (paths.ROOT / "tests").glob("*/test_*.py")}
    assert {*tests.folders(), *tests.APART} == found
    assert not tests.APART & set(tests.folders())


def test_each_folder_apart_has_a_target() -> None:
    named = re.findall(r"-m dev test (tests/\w+)", (paths.ROOT / "Makefile").read_text())
    assert set(named) >= tests.APART


def test_a_change_has_to_pass_all_but_the_image() -> None:
    makes = re.findall(r"^make (\w+)", (paths.ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert makes == ["check", "test", "browser", "drills", "addon", "applications", "clients", "upgrades", "operations"]
