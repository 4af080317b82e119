"""Checks of what a process needs, each in a thread of its own: none that hangs holds up who asks, or another check."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from app.errors import ApiError, Unavailable, from_bridge
from odoo_bridge.errors import BridgeError

_logger = logging.getLogger(__name__)

#: Returns details for ops; raises ApiError or BridgeError where something is wrong.
Probe: TypeAlias = Callable[[], Mapping[str, Any]]
#: Seconds that an answer is waited for, counted from when its check began: who asks later waits for less.
PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be right. ``name`` is stable: who gets no answer is told ``{name}_unavailable``.

    A good result is remembered for ``lasts`` seconds, a bad one never. ``instant`` is for probes that look at memory
    alone: they need no thread. While one is under way its result of before holds for ``grace`` seconds, and without
    one it counts as good: for what may take long and holds up no call for ever. What is not ``required`` to serve is
    told where it is wrong, and no more.
    """

    name: str
    probe: Probe
    lasts: float = 0.0
    instant: bool = False
    grace: float = 0.0
    required: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """Finding of a check: ``problem`` is None where all is well."""

    check: str
    problem: ApiError | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    required: bool = True

    @property
    def is_unready(self) -> bool:
        """True if the process can't serve."""
        return self.problem is not None and self.required

    def to_json(self) -> dict[str, Any]:
        """Return it for ops."""
        if self.problem is None:
            return {"state": "ok", **self.details}
        state = "failed" if self.required else "degraded"
        return {"state": state, "name": self.problem.name, "message": self.problem.message}


class Checks:
    """Checks that belong together, in the order in which their problems are told."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = tuple(checks)
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._told: list[str] = []

    def findings(self) -> list[Finding]:
        """Return all findings, in about the time of the slowest check, and never much more than ``PATIENCE``."""
        with self._lock:
            runs = [self._current(check) for check in self._checks]
        found = [run.result() for run in runs]
        self._tell([finding for finding in found if finding.problem is not None])
        return found

    def is_ready(self) -> bool:
        """True if all that serving requires is well."""
        return not any(finding.is_unready for finding in self.findings())

    def _current(self, check: Check) -> _Run:
        """Return the run under way or the one whose result still holds, else a new one."""
        run = self._runs.get(check.name)
        if run is None or not run.holds():
            run = self._runs[check.name] = _Run(check, run.finding if run else None)
        return run

    def _tell(self, wrong: Sequence[Finding]) -> None:
        """Write a line to the log when something else is wrong than the last time."""
        names = [finding.check for finding in wrong]
        if names == self._told:
            return
        self._told = names
        if not wrong:
            _logger.info("Ready again")
        for finding in wrong:
            said = "Not ready" if finding.required else "Degraded"
            _logger.warning("%s: %s", said, finding.problem.message if finding.problem else "")


class _Run:
    """One run of a check: under way, or over with a finding."""

    def __init__(self, check: Check, before: Finding | None) -> None:
        self.finding = before
        self._check = check
        self._began = time.monotonic()
        self._over = threading.Event()
        if check.instant:
            self._work()
        else:
            # A daemon: one that hangs on a disk can't be ended, and must not keep the process from its own end.
            threading.Thread(target=self._work, name=f"check {check.name}", daemon=True).start()

    def holds(self) -> bool:
        """True if nobody needs to look again."""
        if not self._over.is_set():
            return True
        good = self.finding is not None and self.finding.problem is None
        return good and time.monotonic() - self._began < self._check.lasts

    def result(self) -> Finding:
        """Return the finding; where there is no answer in time, that."""
        if self._over.wait(max(0.0, self._began + PATIENCE - time.monotonic())) and self.finding is not None:
            return self.finding
        name, waited = self._check.name, time.monotonic() - self._began
        if waited < self._check.grace:
            return self.finding or self._found()
        return self._found(Unavailable(f"{name}: no answer for {waited:.0f} s.", name=f"{name}_unavailable"))

    def _found(self, problem: ApiError | None = None, details: Mapping[str, Any] | None = None) -> Finding:
        return Finding(self._check.name, problem, details or {}, self._check.required)

    def _work(self) -> None:
        name = self._check.name
        try:
            self.finding = self._found(details=self._check.probe())
        except ApiError as error:
            self.finding = self._found(error)
        except BridgeError as error:
            self.finding = self._found(from_bridge(error))
        except Exception:
            _logger.exception("The check %s has failed", name)
            self.finding = self._found(Unavailable(f"{name}: the log says more.", name=f"{name}_unavailable"))
        finally:
            self._over.set()
