"""gunicorn: one registry, loaded once and shared by forked workers; each worker serves with threads."""

import os
from typing import Any

from app.config import from_environment
from odoo_bridge import boot

settings = from_environment(os.environ)

bind = settings.bind
workers = settings.workers
threads = settings.threads
worker_class = "gthread"
preload_app = True
# In-flight requests get the time that a statement may take at most, and a little more.
graceful_timeout = int(settings.statement_timeout) + 5
timeout = int(settings.statement_timeout) + 30
keepalive = 15
limit_request_line = 8190  # a bulk read of a thousand ids fits
control_socket_disable = True


def pre_fork(server: Any, worker: Any) -> None:
    """No child may inherit an open connection (odoo#91253)."""
    boot.before_fork()


def worker_exit(server: Any, worker: Any) -> None:
    """Calls in flight are done by now: write what the log still has queued."""
    worker.wsgi.services.recorder.stop()


def post_fork(server: Any, worker: Any) -> None:
    """Each worker opens connections of its own."""
    boot.after_fork_in_child()
