"""SIGHUP: new code and new settings, without a request lost.

gunicorn's own reload keeps a preloaded application as it is. Here the arbiter tries in a process of its own whether
the new version starts; where it does not, all stays as it was. Then the arbiter becomes the new version (exec): the
process id stays, for whoever supervises it, and so do the listening sockets, from which the workers of before go on
to serve. The new arbiter takes these over as its oldest workers, forks new ones beside them, and then ends them by
gunicorn's own rule, that workers beyond the number of the settings go, the oldest first.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from serving import draining, fork_signals

#: What one arbiter leaves to the next: JSON with the workers' process ids, and a folder to remove after them.
_LEGACY = "GATEHOUSE_LEGACY"
#: Seconds that the new version may take to start.
_PATIENCE = 300
_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


@dataclass
class Predecessor:
    """A worker of the version of before, as gunicorn's arbiter looks at its workers."""

    pid: int
    age: int
    folder: str
    aborted: bool = False

    @property
    def tmp(self) -> Predecessor:
        """What tells the arbiter that a worker is alive; a predecessor ends by itself, by graceful_timeout."""
        return self

    def last_update(self) -> float:
        """Now, in the arbiter's clock."""
        return time.monotonic()

    def close(self) -> None:
        """There is no file to close: it is the old arbiter's, and gone with it."""


def install(server: Any) -> None:
    """Answer SIGHUP in our way."""
    server.handle_hup = partial(reload, server)


def reload(server: Any) -> None:
    """Become the new version if it starts; else say why not, and serve on. Does not return in the first case."""
    if draining.is_draining():
        return
    # As it was when this process began: without what the environment file has added since. Sockets that systemd gave
    # are handed on below, like all others.
    environ = {name: value for name, value in server.cfg.env_orig.items() if not name.startswith("LISTEN_")}
    command = [sys.executable, *sys.orig_argv[1:]]
    server.log.info("Reloading: trying the new version")
    if not _starts(server, command, environ):
        server.log.error("The new version does not start, as said above: the one of before serves on")
        return
    # From here on until the new arbiter has its handlers signals wait: also exec keeps them.
    fork_signals.hold()
    if _told_to_stop(server):
        fork_signals.release()
        return
    legacy = {"workers": list(server.WORKERS), "folder": os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")}
    # The protocol by which gunicorn hands its sockets over (Arbiter.reexec); the pid stays the arbiter's own.
    environ |= {
        "GUNICORN_PID": str(os.getpid()),
        "GUNICORN_FD": ",".join(str(listener.fileno()) for listener in server.LISTENERS),
        _LEGACY: json.dumps(legacy),
    }
    if server.pidfile is not None:
        server.pidfile.unlink()
    os.execve(command[0], command, environ)  # noqa: S606  our own command line


def _starts(server: Any, command: list[str], environ: dict[str, str]) -> bool:
    """Whether the new version loads: its settings, Odoo's registry, the definitions. A stop does not wait for it.

    Nobody may wait for children in general meanwhile: that would take the trial's exit code away.
    """
    deadline = time.monotonic() + _PATIENCE
    with subprocess.Popen([*command, "--check-config"], env=environ) as trial:  # noqa: S603  our own command line
        while trial.poll() is None:
            if time.monotonic() > deadline or _told_to_stop(server):
                trial.kill()
            time.sleep(0.1)
    return trial.returncode == 0


def _told_to_stop(server: Any) -> bool:
    """Whether a stop was asked for meanwhile; all that has been asked for stays in the queue."""
    found = []
    while True:
        try:
            found.append(server.SIG_QUEUE.get_nowait())
        except queue.Empty:
            break
    for number in found:
        server.SIG_QUEUE.put_nowait(number)
    return any(number in _STOPS for number in found)


def take_over(server: Any) -> None:
    """In the new arbiter, once its signal handlers are in place: bring up workers beside those of before."""
    legacy = json.loads(os.environ.pop(_LEGACY, "null"))
    fork_signals.release()
    if legacy is None:
        return
    for age, pid in enumerate(legacy["workers"], start=-len(legacy["workers"])):
        # Our own children: a pid is not used again before we have taken note of the child's end.
        server.WORKERS[pid] = Predecessor(pid, age, legacy["folder"])
    for _ in range(server.cfg.workers):
        server.spawn_worker()
    # gunicorn's loop ends those that are too many now: the predecessors.


def clean_up(server: Any, worker: Any) -> None:
    """After a worker's end: remove the folder that the predecessors shared, when the last of them is gone."""
    if isinstance(worker, Predecessor) and not any(isinstance(other, Predecessor) for other in server.WORKERS.values()):
        shutil.rmtree(worker.folder, ignore_errors=True)
