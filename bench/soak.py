"""Mixed load for ten minutes, and what the workers' memory does meanwhile: ``make soak`` (``DURATION=600``).

A live server of two workers on a copy of the tests' database gets reads, writes, bulk calls, tokens, RPC and errors on
purpose from eight clients. Fails where a worker's resident memory grows by 5 % or more after the first minute, or an
answer is not the expected one.
"""

from __future__ import annotations

import collections
import itertools
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.soak_calls import Calls, Unexpected
from dev import testbed as dev_testbed

CLIENTS = 8
#: Seconds between two looks at the memory, and before the first one that counts.
INTERVAL = 5.0
WARM_UP = 60.0
#: Most growth of a worker's resident memory after the warm-up.
LIMIT = 0.05


@dataclass
class Memory:
    """Resident memory of each worker over time: pairs of seconds and bytes."""

    began: float = field(default_factory=time.monotonic)
    seen: dict[int, list[tuple[float, int]]] = field(default_factory=lambda: collections.defaultdict(list))

    def look(self, pids: list[int]) -> None:
        """Sample the memory of each worker."""
        for pid in pids:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            self.seen[pid].append((time.monotonic() - self.began, pages * os.sysconf("SC_PAGE_SIZE")))

    def growth(self, pid: int, seconds: float) -> float:
        """Return the growth of a worker's memory since the warm-up, as a part of it.

        Medians are compared, of the first and of the last tenth of the time after it: one large call is no growth.
        """
        start = min(WARM_UP, seconds / 5)
        width = max((seconds - start) / 10, 2.5 * INTERVAL)
        first = [size for at, size in self.seen[pid] if start <= at < start + width]
        last = [size for at, size in self.seen[pid] if at >= seconds - width]
        return statistics.median(last) / statistics.median(first) - 1


def main() -> None:
    """Run the load, show its progress, and exit with 1 where something is not as it should be."""
    seconds = float(os.environ.get("DURATION") or 600)
    testbed = dev_testbed.prepare()
    # The tests' own way to start a server; it imports nothing of Odoo in this process.
    from tests.server.conftest import serving  # noqa: PLC0415

    database = f"gatehouse_soak_{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder, serving(testbed, database, Path(folder) / "log") as server:
        time.sleep(1)  # the second worker
        pids = server.worker_pids()
        calls = Calls(server)
        memory, failures = Memory(), list[str]()
        counts: collections.Counter[str] = collections.Counter()
        over = threading.Event()

        def client(number: int) -> None:
            choice = random.Random(number)  # noqa: S311  not a secret
            while not over.is_set():
                name, call = choice.choice(calls.all)
                try:
                    call(choice)
                except (Unexpected, OSError) as error:
                    failures.append(f"{name}: {error!r}")
                counts[name] += 1

        threads = [threading.Thread(target=client, args=[number]) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for _ in itertools.takewhile(lambda _: time.monotonic() - memory.began < seconds, itertools.count()):
            memory.look(pids)
            _progress(memory, counts, failures, seconds)
            time.sleep(INTERVAL)
        over.set()
        for thread in threads:
            thread.join()
        same = server.worker_pids() == pids
        sys.exit(_report(memory, counts, failures, seconds, same))


def _progress(memory: Memory, counts: collections.Counter[str], failures: list[str], seconds: float) -> None:
    sizes = "  ".join(f"{seen[-1][1] / 1e6:.1f} MB" for seen in memory.seen.values())
    passed = time.monotonic() - memory.began
    print(f"{passed:5.0f} of {seconds:.0f} s  {counts.total():8,} calls  {len(failures)} failed  {sizes}", flush=True)


def _report(memory: Memory, counts: collections.Counter[str], failures: list[str], seconds: float, same: bool) -> int:
    print(f"\n{counts.total():,} calls, {counts.total() / seconds:.0f} a second:")
    for name, count in counts.most_common():
        print(f"  {name:28} {count:8,}")
    good = not failures and same
    for number, (pid, seen) in enumerate(memory.seen.items(), start=1):
        growth = memory.growth(pid, seconds)
        good = good and growth < LIMIT
        print(f"worker {number}: {seen[-1][1] / 1e6:.1f} MB, {growth:+.1%} since the first minute (limit {LIMIT:.0%})")
        print(f"  {_curve([size for _, size in seen])}")
    for failure in failures[:10]:
        print(f"failed: {failure}")
    if not same:
        print("A worker died.")
    print("passed" if good else "FAILED")
    return 0 if good else 1


def _curve(sizes: list[int], width: int = 60) -> str:
    """Return the memory over time as a line of blocks, from its least to its most."""
    picked = [sizes[index * len(sizes) // width] for index in range(width)] if len(sizes) > width else sizes
    least, most = min(picked), max(picked)
    blocks = "▁▂▃▄▅▆▇█"
    line = "".join(blocks[(size - least) * 7 // max(1, most - least)] for size in picked)
    return f"{least / 1e6:.1f} MB {line} {most / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
