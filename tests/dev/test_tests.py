"""Which tests `make test` runs."""

from __future__ import annotations

from dev import tests


def test_root_runs_the_tests_of_all_folders() -> None:
    assert {"tests/deploy", "tests/server", "tests/dev"} <= set(tests.one_by_one(root=True))


def test_others_leave_out_those_that_make_a_user_and_no_others() -> None:
    assert set(tests.one_by_one(root=True)) - set(tests.one_by_one(root=False)) == {"tests/deploy"}
