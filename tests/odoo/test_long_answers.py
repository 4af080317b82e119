"""The end of a long answer, whatever fails there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from app.operations.long_answers import Ended, LongAnswer
from app.operations.openings import Opened
from odoo_bridge.snapshots import Snapshot


def test_what_fails_at_its_end_takes_nothing_from_the_client(caplog: pytest.LogCaptureFixture) -> None:
    def failing(ended: Ended) -> None:
        raise RuntimeError(ended.size)

    opened: Opened[None] = Opened(cast(Snapshot, _Steps()), None, 1.0, testing=False)
    answer = LongAnswer(opened, iter([b"all"]), 60.0, lambda: None, lambda: False)
    answer.on_end(failing)
    assert list(answer) == [b"all"]
    assert "Unexpected error at the end of an answer" in caplog.text


class _Steps:
    """A snapshot of nothing."""

    def step(self, work: Callable[[Any], Any], seconds: float, *, testing: bool) -> Any:
        return work(None)

    def close(self) -> None:
        """There is nothing to close."""
