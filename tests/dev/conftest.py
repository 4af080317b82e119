"""Fixtures for the set-up's own tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from dev.signals import ENDING


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the handlers of the ending signals back after the test."""
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
