"""Threads that lead in turn: who leads, and when another one does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from serving import crew
from serving.crew import Crew

#: Seconds that nobody is waited for in a test, and that a wrong outcome is waited for.
NEVER, SOON = 3600.0, 30.0


def crew_of(size: int, lead: Callable[[Crew], bool], patience: float) -> Crew:
    """Make a crew whose leaders are given it."""
    made: Crew = Crew("test", size, lambda: lead(made), lambda: patience)
    return made


def test_a_leader_that_comes_back_in_time_leads_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "LOOK_SECONDS", NEVER)
    found: list[bool] = []

    def lead(crew: Crew) -> bool:
        for _ in range(1000):
            crew.leave()
            found.append(crew.come_back())
        return True

    crew_of(2, lead, NEVER).run()
    assert found == [True] * 1000


def test_another_thread_leads_while_the_leader_is_away_for_long() -> None:
    assert len(leaders_of_one_who_is_away(0.001)) == 2


def leaders_of_one_who_is_away(patience: float) -> set[int]:
    """Return who has led where the first leader is away until another one leads, and is none any more then."""
    may_return, returned = threading.Event(), SimpleQueue[bool]()
    leaders: list[int] = []

    def lead(made: Crew) -> bool:
        leaders.append(threading.get_ident())
        if len(leaders) > 1:
            may_return.set()
            assert not returned.get(timeout=SOON)
            return True
        made.leave()
        assert may_return.wait(SOON)
        is_leader = made.come_back()
        returned.put(is_leader)
        return is_leader

    crew_of(2, lead, patience).run()
    return set(leaders)


def test_another_thread_leads_where_the_leader_only_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew.time, "process_time", lambda: 0.0)
    assert len(leaders_of_one_who_is_away(NEVER)) == 2


def test_a_leader_that_computes_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, found = SimpleQueue[None](), []

    def look() -> float:
        looks.put(None)
        return time.monotonic()

    def lead(made: Crew) -> bool:
        made.leave()
        for _ in range(5):
            looks.get(timeout=SOON)
        found.append(made.come_back())
        return True

    monkeypatch.setattr(crew.time, "process_time", look)
    crew_of(2, lead, NEVER).run()
    assert found == [True]


def test_another_thread_leads_at_once_where_nobody_is_waited_for() -> None:
    leaders: list[int] = []

    def lead(crew: Crew) -> bool:
        leaders.append(threading.get_ident())
        if len(leaders) == 4:
            return True
        crew.leave()
        return crew.come_back()

    crew_of(2, lead, 0.0).run()
    assert len(leaders) == 4


def test_one_who_has_been_away_leads_again_when_its_time_comes() -> None:
    leaders: list[int] = []

    def lead(crew: Crew) -> bool:
        leaders.append(threading.get_ident())
        while len(leaders) < 20:
            crew.leave()
            threading.Event().wait(0.003)
            if not crew.come_back():
                return False
        return True

    crew_of(2, lead, 0.001).run()
    assert len(set(leaders)) == 2
    assert len(leaders) == 20


def test_what_a_leader_raises_is_raised_by_the_main_thread() -> None:
    def lead(crew: Crew) -> bool:
        raise OSError("The poller is gone.")

    with pytest.raises(OSError, match="The poller is gone"):
        crew_of(1, lead, NEVER).run()
