"""The relay: who leads, and when the lead goes to another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

import pytest

from serving.relay import LEASE, Relay

Work = Callable[[], None]


class Crew:
    """A relay whose leader does what it is given, and a thread that watches it."""

    def __init__(self, threads: int) -> None:
        self.work: SimpleQueue[tuple[Work, bool]] = SimpleQueue()
        self.led: list[bool] = []
        self.relay = Relay(threads, self._lead)
        self.watcher = threading.Thread(target=self._watch)

    def _lead(self) -> None:
        while not self.relay.is_over:
            if not self.relay.has_room:
                time.sleep(0.001)
                continue
            try:
                work, long = self.work.get(timeout=0.05)
            except Empty:
                continue
            self.led.append(self.relay.run(work, long=long))
            if not self.led[-1]:
                return

    def _watch(self) -> None:
        while not self.relay.is_over:
            self.relay.watch()

    def do(self, work: Work, *, long: bool = False) -> None:
        self.work.put((work, long))


@pytest.fixture
def crew() -> Iterator[Crew]:
    """Two threads may be at long works."""
    crew = Crew(2)
    crew.relay.start()
    crew.watcher.start()
    yield crew
    crew.relay.stop()
    crew.watcher.join(5)
    assert not crew.watcher.is_alive()


def here(seen: SimpleQueue[str]) -> Work:
    return lambda: seen.put(threading.current_thread().name)


def test_short_works_are_done_by_one_thread(crew: Crew) -> None:
    seen: SimpleQueue[str] = SimpleQueue()
    for _ in range(50):
        crew.do(here(seen))
    assert len({seen.get(timeout=5) for _ in range(50)}) == 1
    assert all(crew.led)


@pytest.mark.parametrize("quiet", [0.0, 0.3], ids=["at once", "while the watcher naps"])
def test_a_work_that_waits_holds_others_up_no_longer_than_a_moment(crew: Crew, quiet: float) -> None:
    seen: SimpleQueue[str] = SimpleQueue()
    wait = threading.Event()
    crew.do(here(seen))
    first = seen.get(timeout=5)
    time.sleep(quiet)
    began = time.monotonic()
    crew.do(lambda: wait.wait(10) and None)
    crew.do(here(seen))
    assert seen.get(timeout=5) != first
    assert LEASE <= time.monotonic() - began < 0.5
    wait.set()


def test_a_work_that_is_known_to_be_long_holds_nobody_up() -> None:
    crew = Crew(2)  # nobody watches
    seen: SimpleQueue[str] = SimpleQueue()
    wait = threading.Event()
    crew.relay.start()
    crew.do(lambda: wait.wait(10) and None, long=True)
    crew.do(here(seen))
    seen.get(timeout=5)
    wait.set()
    crew.relay.stop()


def test_works_beyond_the_number_of_threads_wait_for_the_first_that_ends(crew: Crew) -> None:
    seen: SimpleQueue[str] = SimpleQueue()
    waits = [threading.Event() for _ in range(2)]
    for wait in waits:
        crew.do(lambda wait=wait: wait.wait(10) and None, long=True)  # type: ignore[misc]
    crew.do(here(seen))
    with pytest.raises(Empty):
        seen.get(timeout=0.2)
    assert not crew.relay.has_room
    waits[0].set()
    seen.get(timeout=5)
    waits[1].set()


def test_an_error_of_the_leader_is_not_silent() -> None:
    def lead() -> None:
        raise RuntimeError("broken")

    relay = Relay(1, lead)
    relay.start()
    while not relay.is_over:
        relay.watch()
    assert str(relay.error) == "broken"
