"""No signal is lost while gunicorn forks a worker.

From ``os.fork()`` until ``Worker.init_signals`` a worker still has the arbiter's handlers: a SIGTERM that reaches it
in between goes into its copy of the arbiter's queue, which nobody reads. The worker then serves on, and the arbiter
waits for it until ``graceful_timeout`` is over. So the arbiter's signals are held back over the fork: in the arbiter
until it has forked, in the worker until its own handlers are in place (gunicorn 27: ``Arbiter.spawn_worker``).
"""

from __future__ import annotations

import os
import signal

#: What the arbiter handles (``Arbiter.SIGNALS``). SIGABRT and SIGKILL, which end a worker that hangs, are not held.
_HELD = (
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)


def hold() -> None:
    """Hold signals back; the last thing that the arbiter does before it forks."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)


def release() -> None:
    """Deliver signals that were held back; harmless where there are none."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)


# Also where the fork fails. The worker inherits the mask, and says itself when it is ready.
os.register_at_fork(after_in_parent=release)
