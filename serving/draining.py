"""SIGTERM: ``/readyz`` turns 503 first, and the server stops when load balancers had the time to see it.

The flag is a byte of memory that the arbiter shares with all workers that it forks: no signal, no file.
"""

from __future__ import annotations

import mmap
import signal
from typing import Any

_flag = mmap.mmap(-1, 1)


def is_draining() -> bool:
    """True if this server is about to stop."""
    return _flag[0] == 1


def install(server: Any, seconds: float) -> None:
    """Let gunicorn's arbiter serve on for some seconds after its first SIGTERM; a second one stops it at once."""
    stop = server.handle_term

    def drain() -> None:
        if is_draining() or not seconds:
            _flag[0] = 1
            stop()  # raises StopIteration, which ends the arbiter's loop
        _flag[0] = 1
        server.log.info("Not ready any more; stopping in %g s", seconds)
        # A timer, as the arbiter has to look after its workers meanwhile. Forked workers do not inherit it.
        signal.signal(signal.SIGALRM, lambda number, frame: server.SIG_QUEUE.put_nowait(signal.SIGTERM))
        signal.setitimer(signal.ITIMER_REAL, seconds)

    server.handle_term = drain
