"""SIGHUP: new code and new settings, without a request lost.

gunicorn's own reload keeps a preloaded application as it is. Here the arbiter tries in a process of its own whether
the new version starts, and looks after its workers meanwhile; where it does not start, all stays as it was. Then the
arbiter becomes the new version (exec): the process id stays, for whoever supervises it, and so do the listening
sockets, from which the workers of before go on to serve. The new arbiter takes these over as its oldest workers, forks
new ones beside them, and then ends them by gunicorn's own rule, that workers beyond the number of the settings go, the
oldest first.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

from serving import draining, fork_signals, renewal
from serving.process_table import processes
from serving.trial import StartTrial

#: What one arbiter leaves to the next: JSON with the workers' process ids, and folders to remove after them.
_LEGACY = "GATEHOUSE_LEGACY"
_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


@dataclass
class Predecessor:
    """A worker of the version of before, as gunicorn's arbiter looks at its workers.

    ``ends``: when it has to have ended (``time.monotonic``), which it does by itself if it is alive.
    """

    pid: int
    age: int
    folders: list[str]
    ends: float
    aborted: bool = False

    @property
    def tmp(self) -> Predecessor:
        """Sign that tells the arbiter that a worker is alive."""
        return self

    def last_update(self) -> float:
        """Now, in the arbiter's clock, as long as it has time."""
        return min(time.monotonic(), self.ends)

    def close(self) -> None:
        """There is no file to close: it is the old arbiter's, and gone with it."""


class Reloads:
    """Tries new versions, and becomes one that starts."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._trial: StartTrial | None = None
        self._cures = ""
        self._again = False

    def install(self) -> None:
        """Answer SIGHUP in our way, and what workers ask for; the arbiter's loop looks how a trial stands."""
        manage, stop = self._server.manage_workers, self._server.stop

        def manage_workers() -> None:
            manage()
            self.look()

        def stop_all(graceful: bool = True) -> None:
            self.end()
            stop(graceful)

        self._server.manage_workers, self._server.stop = manage_workers, stop_all
        self._server.handle_hup = self.begin
        renewal.install(self._server, self.cure)

    def begin(self) -> None:
        """Try the version that is on the disk now; after a trial that runs already, once more."""
        if self._trial is not None:
            self._again = True
        else:
            self._try({})

    def cure(self, disease: str) -> None:
        """Try the version on the disk as a cure of a worker's disease; the worker asks again if it is none."""
        if self._trial is None:
            self._try({renewal.VARIABLE: disease})
            self._cures = disease

    def _try(self, more: dict[str, str]) -> None:
        if draining.is_draining():
            return
        self._server.log.info("Reloading: trying the new version")
        sockets = [listener.fileno() for listener in self._server.LISTENERS]
        try:
            self._trial, self._cures = StartTrial(self._command, self._environ() | more, sockets), ""
        except OSError as error:
            self._server.log.error("The new version can't be tried, and the one of before serves on: %s", error)

    def look(self) -> None:
        """Become the new version if it has been found to start; else say why not, and serve on."""
        if draining.is_draining():
            self.end()
        if self._trial is None:
            return
        starts = self._trial.outcome()
        if starts is None:
            return
        self._trial = None
        if self._again:
            self._again = False
            self.begin()
        elif starts:
            self._become()
        else:
            self._server.log.error("The new version does not start, as said above: the one of before serves on")
            renewal.refused(self._cures)

    def end(self) -> None:
        """End a trial that nobody waits for any more."""
        if self._trial is not None:
            self._trial.kill()
            self._trial = None

    @property
    def _command(self) -> list[str]:
        return [sys.executable, *sys.orig_argv[1:]]

    def _environ(self) -> dict[str, str]:
        """Return the environment as it was when this process began: without what the environment file has added since.

        Sockets that systemd gave are handed on below, like all others.
        """
        return {name: value for name, value in self._server.cfg.env_orig.items() if not name.startswith("LISTEN_")}

    def _become(self) -> None:
        """Become the new version; returns only where the server is told to stop."""
        server, command = self._server, self._command
        # From here on until the new arbiter has its handlers signals wait: also exec keeps them.
        fork_signals.hold()
        if _told_to_stop(server):
            fork_signals.release()
            return
        folders = {folder for worker in server.WORKERS.values() for folder in getattr(worker, "folders", ())}
        folders.add(os.environ["PROMETHEUS_MULTIPROC_DIR"])
        legacy = {"workers": list(server.WORKERS), "folders": sorted(folders)}
        # The protocol by which gunicorn hands its sockets over (Arbiter.reexec); the pid stays the arbiter's own.
        environ = self._environ() | {
            "GUNICORN_PID": str(os.getpid()),
            "GUNICORN_FD": ",".join(str(listener.fileno()) for listener in server.LISTENERS),
            _LEGACY: json.dumps(legacy),
        }
        if server.pidfile is not None:
            server.pidfile.unlink()
        try:
            os.execve(command[0], command, environ)  # noqa: S606  our own command line
        except OSError as error:
            fork_signals.release()
            if server.pidfile is not None:
                server.pidfile.create(server.pid)
            server.log.error("The new version can't be run, and the one of before serves on: %s", error)


def _told_to_stop(server: Any) -> bool:
    """True if a stop was asked for meanwhile; all that has been asked for stays in the queue."""
    found = []
    with contextlib.suppress(queue.Empty):
        while True:
            found.append(server.SIG_QUEUE.get_nowait())
    for number in found:
        server.SIG_QUEUE.put_nowait(number)
    return any(number in _STOPS for number in found)


def take_over(server: Any) -> None:
    """In the new arbiter, once its signal handlers are in place: bring up workers beside those of before."""
    legacy = json.loads(os.environ.pop(_LEGACY, "null"))
    fork_signals.release()
    if legacy is None:
        return
    ends = time.monotonic() + server.cfg.graceful_timeout
    for age, pid in enumerate(legacy["workers"], start=-len(legacy["workers"])):
        # Our own children: a pid is not used again before we have taken note of the child's end.
        server.WORKERS[pid] = Predecessor(pid, age, legacy["folders"], ends)
        processes.reserve(age)
        processes.enter(age, pid)
    for _ in range(server.cfg.workers):
        server.spawn_worker()
    # gunicorn's loop ends those that are too many now: the predecessors.


def clean_up(server: Any, worker: Any) -> None:
    """After a worker's end: remove the folders that the predecessors used, when the last of them is gone."""
    if isinstance(worker, Predecessor) and not any(isinstance(other, Predecessor) for other in server.WORKERS.values()):
        for folder in worker.folders:
            shutil.rmtree(folder, ignore_errors=True)
