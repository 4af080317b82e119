"""The header Prefer."""

from __future__ import annotations

import pytest

from app.web.preferences import asks_for_dry_run


@pytest.mark.parametrize(
    ("header", "is_dry"),
    [
        ("tx=rollback", True),
        ("TX = rollback", True),
        ('return=minimal, tx="rollback"; x=y', True),
        ("tx=rollback, tx=commit", True),
        ("tx=commit, tx=rollback", False),
        ("tx=commit", False),
        ("tx", False),
        ("txx=rollback", False),
        ('foo="a, tx=rollback"', False),
        ("", False),
        (None, False),
    ],
)
def test_a_rollback_is_asked_for_by_the_first_preference_of_the_name(header: str | None, is_dry: bool) -> None:
    assert asks_for_dry_run(header) is is_dry
