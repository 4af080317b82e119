"""Whether another version starts, as its exit code says."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import psutil
import pytest

from serving import trial
from serving.trial import StartTrial
from tests.server.conftest import wait_until


def outcome(of: StartTrial) -> bool:
    """Wait for how a trial ends."""
    found: list[bool] = []

    def is_over() -> bool:
        starts = of.outcome()
        if starts is not None:
            found.append(starts)
        return starts is not None

    wait_until(is_over, 30)
    return found[0]


@pytest.mark.parametrize(("program", "starts"), [("true", True), ("false", False)])
def test_a_version_starts_if_it_says_so_also_when_somebody_else_waits_for_it(program: str, starts: bool) -> None:
    tried = StartTrial([program], os.environ)
    os.waitpid(tried._pid, 0)  # as gunicorn's arbiter does
    assert outcome(tried) is starts


def test_a_version_that_takes_too_long_does_not_start_and_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(trial, "PATIENCE", 0.3)
    noted = tmp_path / "pid"
    began = time.monotonic()
    tried = StartTrial(["sh", "-c", f"echo $$ > {noted}; sleep 60"], os.environ)
    assert outcome(tried) is False
    assert time.monotonic() - began < 30
    os.waitpid(tried._pid, 0)
    if noted.exists() and noted.read_text().strip():
        wait_until(lambda: not _runs(int(noted.read_text())), 30)


def _runs(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
