"""Which tests `make test` runs."""

from __future__ import annotations

from dev import paths, tests


def test_root_runs_the_tests_of_all_folders() -> None:
    found = {f"tests/{path.parent.name}" for path in (paths.ROOT / "tests").glob("*/test_*.py")}
    assert {*tests.folders(root=True), *tests.APART} == found


def test_others_leave_out_those_that_make_a_user_and_no_others() -> None:
    assert set(tests.folders(root=True)) - set(tests.folders(root=False)) == {"tests/deploy"}
