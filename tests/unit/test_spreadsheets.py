"""Text that a spreadsheet would run."""

from __future__ import annotations

import pytest

from app.operations.exports import formats


@pytest.mark.parametrize(
    ("text", "is_formula"),
    [("=1+1", True), (" -1", True), ("\n=1", True), ("\xa0@x", True), ("\uff1d1", True), ("\tx", True), ("x=1", False)],
)
def test_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str, is_formula: bool) -> None:
    assert formats._harmless(text) == (f"'{text}" if is_formula else text)
