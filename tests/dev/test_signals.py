"""Ending in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from dev import signals

pytestmark = pytest.mark.usefixtures("handlers")


@pytest.mark.parametrize("number", signals.ENDING)
def test_each_ending_signal_unwinds_as_ctrl_c_does(number: signal.Signals) -> None:
    signals.install()
    with pytest.raises(KeyboardInterrupt) as caught:
        os.kill(os.getpid(), number)
    assert isinstance(caught.value, signals.Stopped)
    assert caught.value.exit_code == 128 + number


def test_an_ignored_signal_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals.install()
    with signals.deferred():
        os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGHUP)


def test_a_deferred_signal_comes_after_the_block() -> None:
    signals.install()
    seen = []

    def work() -> None:
        with signals.deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            seen.append("the block went on")

    with pytest.raises(signals.Stopped) as caught:
        work()
    assert seen == ["the block went on"]
    assert caught.value.exit_code == 128 + signal.SIGTERM


def test_blocks_can_be_nested() -> None:
    signals.install()
    seen = []

    def work() -> None:
        with signals.deferred():
            with signals.deferred():
                os.kill(os.getpid(), signal.SIGTERM)
            seen.append("the outer block went on")

    with pytest.raises(signals.Stopped):
        work()
    assert seen == ["the outer block went on"]


def test_a_forked_child_ends_at_once() -> None:
    signals.install()
    pid = os.fork()
    if pid == 0:  # the child
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGTERM


def test_nothing_is_deferred_outside_of_the_main_thread() -> None:
    before = signal.getsignal(signal.SIGINT)
    ran = []

    def work() -> None:
        with signals.deferred():
            ran.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ran == [before]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's PR_SET_PDEATHSIG")
def test_a_child_ends_with_its_parent() -> None:
    script = """if True:
        import subprocess, sys, time
        from dev import signals
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                                 stdout=subprocess.DEVNULL, preexec_fn=signals.end_with_parent)
        print(child.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(child)


def alive(pid: int) -> bool:
    """Return whether a process runs; one that ended and waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
