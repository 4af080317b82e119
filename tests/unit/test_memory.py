"""What the server keeps out of its memory, and what it gives back."""

from __future__ import annotations

import os
import subprocess
import sys

_COUNT_ARENAS = """
import ctypes, os, sys, threading
from serving import memory
if sys.argv[1] == "limited":
    memory.limit_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(6)
def allocate():
    together.wait()
    for _ in range(1000):
        libc.malloc(2000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.fdopen.restype = ctypes.c_void_p
out = libc.fdopen(1, b"w")
libc.malloc_info(0, ctypes.c_void_p(out))
libc.fflush(ctypes.c_void_p(out))
"""
_LEAVE_SLACK = """
import ctypes
from serving import memory
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
slack = memory.Slack()
assert not slack.give_back()
blocks = [ctypes.c_void_p(libc.malloc(4000)) for _ in range(10000)]
for block in blocks:
    ctypes.memset(block, 1, 4000)
for block in blocks[:-1]: libc.free(block)
before = memory._resident()
assert slack.give_back()
assert not slack.give_back()
print(before - memory._resident())
"""
_SETTLE = """
import gc, weakref
from serving import memory
class Ring:
    def __init__(self):
        self.me = self
gc.disable()
gone = weakref.ref(Ring())
before = gc.get_freeze_count()
memory.settle()
print(gone(), gc.get_freeze_count() > before)
"""


def run(program: str, *arguments: str) -> str:
    """Return what a program prints in a process that has loaded nothing yet."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=60).stdout


def test_threads_share_their_memory() -> None:
    assert run(_COUNT_ARENAS, "limited").count("<heap nr=") <= 2 < run(_COUNT_ARENAS, "as it is").count("<heap nr=")


def test_a_process_that_has_grown_gives_back_what_is_free() -> None:
    assert int(run(_LEAVE_SLACK)) > 30_000_000


def test_what_nobody_holds_any_more_is_collected_and_the_rest_left_in_peace() -> None:
    assert run(_SETTLE).split() == ["None", "True"]
