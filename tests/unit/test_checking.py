"""Checks that hang, fail, take long, and are asked for all the time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.errors import Unavailable
from app.observe import checking
from app.observe.checking import Check, Checks, Finding
from odoo_bridge.errors import StorageFull
from tests.server.conftest import wait_until


class Probe:
    """A probe that counts how often it is asked, and can be made to hang or to fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.error: Exception | None = None

    def __call__(self) -> dict[str, Any]:
        self.asked += 1
        self.go_on.wait(60)
        if self.error is not None:
            raise self.error
        return {"asked": self.asked}


@pytest.fixture
def probe() -> Iterator[Probe]:
    found = Probe()
    yield found
    found.go_on.set()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PATIENCE", 60.0)


def _hang(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    probe.go_on.clear()
    monkeypatch.setattr(checking, "PATIENCE", 0.05)


def _one(checks: Checks) -> Finding:
    (finding,) = checks.findings()
    return finding


def _name(finding: Finding) -> str | None:
    return finding.problem.name if finding.problem else None


def test_a_check_that_hangs_is_told_and_is_not_begun_again(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    def fine() -> dict[str, Any]:
        monkeypatch.setattr(checking, "PATIENCE", 0.05)  # not before: this one may take as long as it likes
        return {"fine": True}

    checks = Checks([Check("other", fine, lasts=3600), Check("disk", probe)])
    probe.go_on.clear()
    for _ in range(5):
        other, disk = checks.findings()
        assert _name(disk) == "disk_unavailable"
        assert other.to_json() == {"state": "ok", "fine": True}
    assert probe.asked == 1
    monkeypatch.setattr(checking, "PATIENCE", 60.0)
    probe.go_on.set()
    assert _name(_one(Checks([Check("disk", probe)]))) is None


def test_a_good_result_is_remembered_and_a_bad_one_never(probe: Probe) -> None:
    checks = Checks([Check("disk", probe, lasts=3600)])
    probe.error = StorageFull("/srv is full.")
    assert [_name(_one(checks)) for _ in range(3)] == ["storage_full"] * 3
    assert probe.asked == 3
    probe.error = None
    assert [_one(checks).details for _ in range(3)] == [{"asked": 4}] * 3


def test_a_check_that_may_take_long_keeps_its_result_meanwhile(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = Checks([Check("registry", probe, grace=3600)])
    probe.error = Unavailable("Odoo cannot be loaded.", name="registry_unavailable")
    assert _name(_one(checks)) == "registry_unavailable"
    _hang(probe, monkeypatch)
    assert _name(_one(checks)) == "registry_unavailable"
    fresh = Checks([Check("registry", probe, grace=3600)])
    assert _name(_one(fresh)) is None


def test_a_check_that_takes_longer_than_it_may_has_no_result_any_more(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = Checks([Check("registry", probe, grace=0.1)])
    assert _name(_one(checks)) is None
    _hang(probe, monkeypatch)
    wait_until(lambda: _name(_one(checks)) == "registry_unavailable", 60)
    asked = probe.asked
    monkeypatch.setattr(checking, "PATIENCE", 60.0)
    probe.go_on.set()
    wait_until(lambda: _name(_one(checks)) is None, 60)
    assert asked == 2


def test_what_is_not_required_is_told_and_does_not_make_unready(probe: Probe, caplog: pytest.LogCaptureFixture) -> None:
    probe.error = Unavailable("Rows wait.", name="request_log_behind")
    finding = _one(Checks([Check("request_log", probe, required=False)]))
    assert not finding.is_unready
    assert finding.to_json() == {"state": "degraded", "name": "request_log_behind", "message": "Rows wait."}
    assert [record.getMessage() for record in caplog.records] == ["Degraded: Rows wait."]
    assert _one(Checks([Check("request_log", probe)])).is_unready


def test_an_instant_check_has_no_thread_of_its_own() -> None:
    here = []
    Checks([Check("memory", lambda: here.append(threading.current_thread()) or {}, instant=True)]).findings()
    assert here == [threading.current_thread()]


def test_an_error_that_nobody_expected_is_a_problem_and_stays_inside(probe: Probe) -> None:
    probe.error = RuntimeError("the inside")
    finding = _one(Checks([Check("disk", probe)]))
    assert _name(finding) == "disk_unavailable"
    assert "inside" not in str(finding.to_json())


def test_the_log_says_what_is_wrong_once(probe: Probe, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "app.observe.checking")
    checks = Checks([Check("disk", probe)])
    checks.findings()
    probe.error = StorageFull("/srv is full.")
    for _ in range(3):
        checks.findings()
    probe.error = None
    for _ in range(3):
        checks.findings()
    assert [record.getMessage() for record in caplog.records] == ["Not ready: /srv is full.", "Ready again"]
