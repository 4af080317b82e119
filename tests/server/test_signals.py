"""Signals to gunicorn's processes at bad moments."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from dev.testbed import Testbed
from tests.server.conftest import ROOT, Server, gunicorn, wait_until

pytestmark = pytest.mark.live

#: gunicorn.conf.py, and a third worker whose start, up to its signal handlers, takes a second.
_SLOW_FORK = """
import signal
import time
from pathlib import Path
exec(compile(Path({conf!r}).read_text(), {conf!r}, "exec"))
_post_fork = post_fork

def post_fork(server, worker):
    _post_fork(server, worker)
    if worker.age == 3:
        Path({forked!r}).touch()
        time.sleep(1)
"""


def test_a_stop_reaches_a_worker_that_is_just_being_forked(server: Server, testbed: Testbed, tmp_path: Path) -> None:
    forked, conf = tmp_path / "forked", tmp_path / "conf.py"
    conf.write_text(_SLOW_FORK.format(conf=str(ROOT / "gunicorn.conf.py"), forked=str(forked)))
    with gunicorn(testbed, server.database, tmp_path / "log", conf=conf) as other:
        other.process.send_signal(signal.SIGTTIN)  # one worker more
        wait_until(forked.exists, 10)
        began = time.monotonic()
        other.process.send_signal(signal.SIGTERM)
        assert other.process.wait(60) == 0
        # Without care the arbiter waits for the worker until graceful_timeout, 35 s, is over.
        assert time.monotonic() - began < 10
