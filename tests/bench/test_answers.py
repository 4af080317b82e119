"""When two servers have done the same job."""

from __future__ import annotations

from typing import Any

import pytest

from bench.answers import alike, canonical

ADA = {"name": "Ada", "email": "ada@example.com"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"id": "g8PX8", "email": ""}, {"id": 7, "email": False}),
        ({"country_id": ["x1", "Italy"]}, {"country_id": [109, "Italy"]}),
        ({"parent_id": ["x1", {"id": "x1", "name": "Azure"}]}, {"parent_id": {"id": 9, "name": "Azure"}}),
        ({"parent_id": []}, {"parent_id": False}),
        ({"create_date": "2026-01-31T08:00:00Z"}, {"create_date": "2026-01-31 08:00:00.123"}),
        ({"is_company": False}, {"is_company": False}),
    ],
)
def test_one_form_for_what_servers_write_differently(ours: Any, theirs: Any) -> None:
    assert canonical(ours) == canonical(theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"records": [ADA], "length": None, "has_more": True}, [ADA]),
        ({"records": [ADA], "length": None, "has_more": True}, {"length": 80, "records": [ADA]}),
        ({"records": [ADA], "length": 80}, {"length": 80, "records": [ADA]}),
        (ADA, [ADA]),
        (ADA, [42]),
        (ADA, True),
        ([{}, {}], [1, 2]),
    ],
)
def test_answers_that_are_alike(ours: Any, theirs: Any) -> None:
    assert alike(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"records": [ADA], "length": None, "has_more": True}, []),
        ({"records": [ADA], "length": 80}, {"length": 81, "records": [ADA]}),
        ([{}, {}], [1]),
        (ADA, [ADA, ADA]),
        (ADA, {"name": "Ada"}),
        (ADA, None),
    ],
)
def test_answers_that_are_not_alike(ours: Any, theirs: Any) -> None:
    assert not alike(ours, theirs)
