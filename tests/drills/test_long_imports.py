"""An import of twenty thousand lines, or a hundred thousand: what it takes, and what it leaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from dev.testbed import Testbed
from tests.extent import extent
from tests.server.conftest import Server
from tests.server.sender import Sender
from tests.server.workers import serving_apis

LINES = extent(20_000, 100_000)
pytestmark = [pytest.mark.alone, pytest.mark.live, pytest.mark.timeout(120 + LINES // 200)]

_APIS = """
apis:
- {name: Long, route: /api/long, published: true, models: [{model: test.record, fields: [name, count]}]}
"""
MB = 1024 * 1024
_PIECE = 1000


@pytest.fixture(scope="module")
def server(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of one worker."""
    folder = tmp_path_factory.mktemp("long")
    with serving_apis(testbed, "long", folder, _APIS, "/api/long", GATEHOUSE_WORKERS="1") as started:
        yield started


def _send(server: Server, lines: int, broken: int = 0) -> bytes:
    """Send a CSV of so many lines behind its head, and read the answers when all is sent; return them."""
    sender = Sender.to(server, "/api/long", "text/csv")
    try:
        sender.send("name,count\n")
        for first in range(2, lines + 2, _PIECE):
            numbers = range(first, min(first + _PIECE, lines + 2))
            sender.send(
                "".join(f"long {number},{'broken' if number == broken else number % 1000}\n" for number in numbers)
            )
        sender.end()
        return sender.answer.read()
    finally:
        sender.close()


def _peak(server: Server, work: Callable[[], bytes]) -> tuple[bytes, int]:
    """Return what ``work`` returns, and the bytes by which the worker was larger meanwhile than before."""
    processes = [psutil.Process(pid) for pid in server.worker_pids()]
    before = most = sum(process.memory_info().rss for process in processes)
    over = threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.05):
            most = max(most, sum(process.memory_info().rss for process in processes))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        return work(), most - before
    finally:
        over.set()
        watcher.join()


def test_memory_does_not_grow_with_the_lines_and_each_has_its_answer(
    server: Server, live_sql: Callable[..., list[tuple[int]]]
) -> None:
    for _ in range(3):
        _send(server, 5 * _PIECE)  # what the first pieces make stays
    live_sql("DELETE FROM test_record")
    broken, began = LINES // 2 + 1, time.monotonic()
    answer, grown = _peak(server, lambda: _send(server, LINES, broken))
    seconds = time.monotonic() - began
    print(f"{LINES:,} lines: {seconds:.0f} s, {LINES / seconds:,.0f} a second, {grown / MB:.1f} MB more")
    *answers, summary = map(json.loads, answer.splitlines())
    assert [each["line"] for each in answers] == list(range(2, LINES + 2))
    assert [each["line"] for each in answers if each["status"] != 201] == [broken]
    assert summary == {"summary": {"lines": LINES, "created": LINES - 1, "updated": 0, "failed": 1}}
    assert live_sql("SELECT count(*), count(DISTINCT name) FROM test_record") == [(LINES - 1, LINES - 1)]
    assert grown < 30 * MB
