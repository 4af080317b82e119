"""JSON of plain data: dates in the contract's form, and nothing that Odoo can hold is refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from app.json import dumps


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"day": date(2026, 1, 2)}, '{"day":"2026-01-02"}'),
        ({"at": datetime(2026, 1, 2, 3, 4, 5)}, '{"at":"2026-01-02T03:04:05Z"}'),
        ({"lines": [{1: "one", None: 0}]}, '{"lines":[{"1":"one","null":0}]}'),
        ({"of": {2: 2**70}}, '{"of":{"2":1.1805916207174113e+21}}'),
    ],
    ids=["date", "datetime", "keys that are no text", "whole number beyond 64 bits"],
)
def test_plain_data_has_its_form(document: Any, text: str) -> None:
    assert dumps(document).decode() == text
