"""gunicorn: one registry, loaded once and shared by forked workers; each worker serves with threads."""

import atexit
import logging
import os
import shutil
import sys
import tempfile
from typing import Any

from serving import draining, environment_file, fork_signals, memory, open_files, rolling

environment_file.load()

# Each worker counts in files of its own, in memory where the machine has such a place; before anything measures.
_MEMORY = "/dev/shm"  # noqa: S108  mkdtemp makes a folder of our own there
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(
    prefix="gatehouse-metrics-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None
)

from gunicorn.glogging import Logger
from prometheus_client.multiprocess import mark_process_dead

from app.auth.addresses import place_of
from app.config import ConfigError, from_environment
from app.observe import meters
from app.observe.logs import init_logging
from app.web.observation import request_ids
from odoo_bridge import boot, distance
from serving.options import BRIEF, FAR, Options
from serving.process_table import processes
from serving.worker import Worker

try:
    settings = from_environment(os.environ)
except ConfigError as error:
    sys.exit(f"Gatehouse cannot start: {error}")

memory.limit_arenas()
bind = settings.bind
workers = settings.workers
threads = settings.threads
worker_class = "serving.worker.Worker"
worker_connections = 2000  # of each worker; each has up to 64 KiB of a body in memory, and 256 KiB of its answer
Worker.options = Options(
    max_body=settings.max_body_size,
    max_stream=settings.max_import_size,
    max_in_files=max(8 * settings.max_body_size, 256 * 1024 * 1024),
    proxies=settings.trusted_proxies,
    at_once=settings.at_once,
    place_of=place_of,
    on_refusal=lambda status: meters.requests("serving", status).inc(),
    # While one waits for a database that is far away, another one computes.
    brief=lambda: BRIEF if settings.fast == "on" and distance.measured.seconds < FAR else 0.0,
    plain=settings.fast == "on",
)
preload_app = True
# In-flight requests get the time that a call may take at most, and a little more.
graceful_timeout = int(max(settings.statement_timeout, settings.call_timeout)) + 5
# A worker says twice a second that it lives, whatever its calls do; one that does not is replaced.
timeout = 15
keepalive = 15
control_socket_disable = True
# By default gunicorn lets every client on this machine say by header where an application is mounted (SCRIPT_NAME), and
# so get past what a proxy looks at paths for. Which proxies are believed is GATEHOUSE_TRUSTED_PROXIES' to say.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}


class OneLog(Logger):
    """gunicorn's own lines go the way of all others, in their format."""

    def setup(self, cfg: Any) -> None:
        """Set up gunicorn's loggers, then ours over them; done again whenever gunicorn reads its configuration."""
        super().setup(cfg)
        init_logging(settings, request_ids)
        logging.captureWarnings(True)


logger_class = OneLog


def _leave_nothing(owner: int = os.getpid()) -> None:
    """Leave nothing in memory; also after a start that failed, and not when a worker ends."""
    if os.getpid() == owner:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


atexit.register(_leave_nothing)


def when_ready(server: Any) -> None:
    """The arbiter is there, and has no workers yet."""
    open_files.allow()
    draining.install(server, settings.drain_seconds)
    rolling.Reloads(server).install()
    rolling.take_over(server)


def nworkers_changed(server: Any, wanted: int, before: int | None) -> None:
    """At the start, and at SIGTTIN and SIGTTOU."""
    processes.want(wanted)


def pre_fork(server: Any, worker: Any) -> None:
    """No child may inherit an open connection (odoo#91253), and none may miss a signal.

    What has been loaded so far stays shared between the workers.
    """
    boot.before_fork()
    memory.settle()
    processes.reserve(worker.age)
    fork_signals.hold()


def post_fork(server: Any, worker: Any) -> None:
    """Each worker opens connections of its own."""
    boot.after_fork_in_child()
    meters.WORKER_DEATHS.inc(0)  # opens this process's files, for which a call may find no room
    processes.enter(worker.age, worker.pid)


def post_worker_init(worker: Any) -> None:
    """The worker's own handlers are in place now."""
    fork_signals.release()


def worker_exit(server: Any, worker: Any) -> None:
    """Calls in flight are done by now, or out of time: write what the log still has queued."""
    if hasattr(worker, "wsgi"):  # not where it ended before it had begun
        worker.wsgi.services.recorder.stop()


def child_exit(server: Any, worker: Any) -> None:
    """What a worker had in flight is gone with it; what it counted stays."""
    mark_process_dead(worker.pid)
    processes.leave(worker.age)
    if len(server.WORKERS) < server.num_workers:  # it was not one too many, as at SIGTTOU and after a reload
        meters.WORKER_DEATHS.inc()
    if isinstance(worker, Worker):  # one of before a reload may have been of another class
        worker.leave()
    rolling.clean_up(server, worker)
