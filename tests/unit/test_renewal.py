"""What a worker asks its arbiter for, and how often the arbiter tries it."""

from __future__ import annotations

import logging
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from serving import renewal


@dataclass
class Arbiter:
    """An arbiter whose reloads all fail."""

    now: float = 0.0
    tries: list[str] = field(default_factory=list)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("arbiter"))

    def murder_workers(self) -> None:
        """What gunicorn does at each round."""

    def after(self, seconds: float, disease: int, circumstances: int) -> int:
        """Let time pass in which a worker asks once a second; return how many tries there have been."""
        before = len(self.tries)
        for _ in range(int(seconds)):
            self.now += 1
            renewal.ask(disease, circumstances)
            self.murder_workers()
        return len(self.tries) - before

    def reload(self, cures: str) -> None:
        """Fail to start a new version."""
        self.tries.append(cures)
        renewal.refused(cures)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory of its own, with no arbiter."""
    monkeypatch.setattr(renewal, "_memory", mmap.mmap(-1, 64))
    monkeypatch.setattr(renewal, "_tried", {})


@pytest.fixture
def arbiter(nobody: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arbiter]:
    """An arbiter that can be asked."""
    made = Arbiter()
    monkeypatch.setattr(renewal.time, "monotonic", lambda: made.now)
    renewal.install(made, made.reload)
    return made


@pytest.mark.usefixtures("nobody")
def test_without_an_arbiter_there_is_no_hope() -> None:
    renewal.ask(1, 1)
    assert not renewal.is_hopeful(1)


def test_a_reload_is_tried_at_once_and_again_after_pauses_that_grow(arbiter: Arbiter) -> None:
    assert renewal.is_hopeful(7)
    assert arbiter.after(1, 7, 1) == 1
    assert arbiter.tries == ["7"]
    assert arbiter.after(9, 7, 1) == 0
    assert arbiter.after(1, 7, 1) == 1
    assert arbiter.after(19, 7, 1) == 0
    assert arbiter.after(1, 7, 1) == 1
    assert arbiter.after(3600, 7, 1) < 20


def test_it_is_tried_at_once_where_the_circumstances_are_others(arbiter: Arbiter) -> None:
    arbiter.after(600, 7, 1)
    assert arbiter.after(2, 7, 2) == 1
    assert arbiter.after(8, 7, 2) == 0


def test_nothing_is_tried_that_nobody_asks_for_any_more(arbiter: Arbiter) -> None:
    arbiter.after(1, 7, 1)
    for _ in range(1000):
        arbiter.now += 1
        arbiter.murder_workers()
    assert arbiter.tries == ["7"]


def test_what_was_tried_in_vain_is_hopeless_and_other_things_are_not(arbiter: Arbiter) -> None:
    arbiter.after(1, 7, 1)
    assert not renewal.is_hopeful(7)
    assert renewal.is_hopeful(8)


def test_where_workers_suffer_from_different_things_no_refusal_hides_another(arbiter: Arbiter) -> None:
    for _ in range(3):
        for disease in (7, 8, 9):
            arbiter.after(1, disease, 1)
            arbiter.now += 600
    assert [disease for disease in (7, 8, 9, 10) if renewal.is_hopeful(disease)] == [10]


def test_many_things_that_were_tried_in_vain_do_not_fill_the_memory(arbiter: Arbiter) -> None:
    for disease in range(1, 20):
        arbiter.after(1, disease, 1)
        arbiter.now += 600
    assert not renewal.is_hopeful(19)
    assert renewal.is_hopeful(1)


def test_an_admins_reload_that_fails_says_nothing_of_what_workers_ask_for(arbiter: Arbiter) -> None:
    renewal.refused("")
    assert renewal.is_hopeful(7)


def test_nothing_is_tried_while_the_server_stops(arbiter: Arbiter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal.draining, "is_draining", lambda: True)
    assert arbiter.after(100, 7, 1) == 0


@pytest.mark.usefixtures("nobody")
def test_a_process_that_stands_alone_is_not_begun_anew_twice_for_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert renewal.asked() == ""
    renewal.ask(1, 5)
    cures = renewal.asked()
    assert (cures, renewal.asked()) == ("1 5", "")  # what nobody suffers from any more is not asked for again
    monkeypatch.setenv(renewal.VARIABLE, cures)
    renewal.ask(1, 5)
    assert renewal.asked() == ""
    renewal.ask(1, 6)
    assert renewal.asked() == "1 6"
    renewal.ask(2, 5)
    assert renewal.asked() == "2 5"
