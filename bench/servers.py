"""The servers that are compared, on free ports, with two workers each: started, awaited, ended in order."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from bench.database import Database
from bench.processes import Memory
from dev import paths, signals
from dev.errors import SetupError

WORKERS = 2
THREADS = 4
READY_SECONDS = 60.0
_ODOO = Path(__file__).with_name("odoo_server.py")


@dataclass(frozen=True)
class Server:
    """A running server. ``ready_after`` is the seconds from its start to its first good answer."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    ready_after: float

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        found = processes.children(self.process.pid)
        return [pid for pid in found if "gevent" not in processes.command(pid)]

    def cpu_seconds(self) -> float:
        """Return the CPU time of the master and its workers."""
        return sum(processes.cpu_seconds(pid) for pid in (self.process.pid, *self.workers()))

    def memory(self) -> list[Memory]:
        """Return the memory of each worker."""
        return [processes.memory(pid) for pid in self.workers()]


def gatehouse(
    database: Database, name: str = "gatehouse", *, workers: int = WORKERS, **settings: str
) -> contextlib.AbstractContextManager[Server]:
    """Run Gatehouse as in production: gunicorn.conf.py, and the defaults of all settings but ``settings``."""
    port = free_port()
    env = {
        **without_settings(),
        **database.environment,
        "GATEHOUSE_BIND": f"127.0.0.1:{port}",
        "GATEHOUSE_WORKERS": str(workers),
        "GATEHOUSE_THREADS": str(THREADS),
        **settings,
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    return _running(name, port, command, env, "/readyz")


def odoo(
    database: Database,
    name: str = "odoo",
    *,
    workers: int = WORKERS,
    options: Sequence[str] = (),
    packages: Sequence[Path] = (),
) -> contextlib.AbstractContextManager[Server]:
    """Run Odoo's own server: prefork, no cron, no list of databases, no log lines per call."""
    port = free_port()
    command = [sys.executable, str(_ODOO), "-c", str(database.testbed.odoo_conf), "-d", database.name, *options]
    command += [f"--workers={workers}", "--max-cron-threads=0", f"--http-port={port}", "--no-database-list"]
    # /jsonrpc warns at every call that it is deprecated: the peer need not pay for that.
    command += ["--log-level=error", f"--gevent-port={free_port()}"]
    return _running(name, port, command, odoo_environment(database, packages), "/web/health")


def odoo_environment(database: Database, packages: Sequence[Path] = ()) -> dict[str, str]:
    """Return the environment of a process of Odoo's that finds Python packages in further folders too."""
    source = database.testbed.odoo_source
    found = [*([] if source is None else [source]), *packages]
    return {**without_settings(), **({"PYTHONPATH": os.pathsep.join(map(str, found))} if found else {})}


def floor(database: Database) -> contextlib.AbstractContextManager[Server]:
    """Run the same rows by raw SQL: Flask and gunicorn as Gatehouse has them, without Odoo."""
    port = free_port()
    env = {**without_settings(), "FLOOR_DSN": database.testbed.dsn(database.name), "PYTHONPATH": str(paths.ROOT)}
    command = [sys.executable, "-m", "gunicorn", "--preload", "--worker-class=gthread", f"--workers={WORKERS}"]
    command += [f"--threads={THREADS}", "--keep-alive=15", f"--bind=127.0.0.1:{port}", "--no-control-socket"]
    # Not in the project's folder, where gunicorn would find Gatehouse's configuration.
    return _running("floor", port, [*command, "bench.floor:app"], env, "/", cwd=paths.LOCAL)


def without_settings() -> dict[str, str]:
    """Return the environment without settings of Gatehouse, Odoo and PostgreSQL, but for where to work."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GATEHOUSE_", "ODOO_", "PG"))}
    return {**kept, "GATEHOUSE_LOCAL": str(paths.LOCAL)}


def free_port() -> int:
    """Return a port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _running(
    name: str, port: int, command: list[str], env: Mapping[str, str], ready: str, *, cwd: Path = paths.ROOT
) -> Iterator[Server]:
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    log = paths.LOGS / f"bench-{name}.log"
    process = None
    try:
        with log.open("wb") as output, signals.deferred():
            started = time.monotonic()
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                preexec_fn=signals.end_with_parent,
            )
        _wait_ready(name, process, port, ready, started + READY_SECONDS, log)
        yield Server(name, port, process, time.monotonic() - started)
    finally:
        if process is not None:
            with signals.deferred():
                _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(15)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_ready(name: str, process: subprocess.Popen[bytes], port: int, path: str, deadline: float, log: Path) -> None:
    while not _answers(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(errors="replace").splitlines()[-15:]
            raise SetupError("\n".join([f"The server {name} did not start:", *lines]), f"See {log}.")
        time.sleep(0.01)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
