"""Tests for the addresses in Link headers."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from app.blueprints.rest import _quoted


@pytest.mark.parametrize("text", ["", "limit", "80", "a b+c", '["name", "email"]', "é", "٣", "x\r\ny", "-._~", "%41"])
def test_a_text_is_quoted_as_the_standard_library_does(text: str) -> None:
    assert f"{_quoted(text)}={_quoted(text)}" == urlencode({text: text})
