"""Tests for the metric of readiness."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from app.observe.readiness import Readiness


def _defect() -> bool:
    raise ZeroDivisionError


@pytest.mark.parametrize(("is_ready", "expected"), [(lambda: True, 1), (lambda: False, 0), (_defect, 0)])
def test_what_is_not_ready_or_breaks_is_0(is_ready, expected: int) -> None:  # type: ignore[no-untyped-def]
    registry = CollectorRegistry()
    registry.register(Readiness(is_ready))
    assert registry.get_sample_value("gatehouse_ready") == expected
