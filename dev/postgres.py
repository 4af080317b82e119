"""The managed PostgreSQL's life: it runs while somebody uses it, and the last one to leave stops it.

Users are counted by shared locks (flock) on one file. The kernel drops a killed process's lock, so the count is
always right: a server left behind by a killed process is joined by the next user, who stops it on leaving.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import psycopg2.extensions

from dev import cluster, paths
from dev.cluster import Cluster
from dev.errors import SetupError
from dev.signals import deferred


@dataclass(frozen=True)
class PostgresServer:
    """Address of the running server, always on 127.0.0.1."""

    port: int
    user: str
    password: str
    host: str = "127.0.0.1"

    def connect(self, database: str = "postgres") -> psycopg2.extensions.connection:
        """Return a connection in autocommit mode."""
        connection = psycopg2.connect(
            host=self.host, port=self.port, user=self.user, password=self.password, dbname=database
        )
        connection.autocommit = True
        return connection


@contextlib.contextmanager
def running(base: Path | None = None) -> Iterator[PostgresServer]:
    """Keep PostgreSQL running while the block runs; the cluster is made when there is none. Raises SetupError."""
    place = Cluster(base or paths.LOCAL / "postgres")
    place.base.parent.mkdir(parents=True, exist_ok=True)
    gate, users = (place.base.with_name(f"{place.base.name}.{name}") for name in ("gate", "users"))
    # Python opens files close-on-exec: neither the server nor any other program inherits the locks.
    with open(users, "a") as count:
        owner = os.getpid()
        try:
            with deferred(), _alone(gate):
                fcntl.flock(count, fcntl.LOCK_SH)
                server = _join(place)
            yield server
        finally:
            if os.getpid() == owner:  # a forked child is no user of its own
                with deferred(), _alone(gate):
                    if _last(count) and place.running_port() is not None:
                        place.stop()
                    fcntl.flock(count, fcntl.LOCK_UN)


def _join(place: Cluster) -> PostgresServer:
    if not place.complete:
        place.create()
    server = PostgresServer(place.running_port() or place.start(), cluster.ROLE, place.password)
    for _ in range(600):
        try:
            server.connect().close()
        except psycopg2.OperationalError as error:
            # It recovers from a crash, or stops: both take a moment.
            if "starting up" not in str(error) and "not yet accepting" not in str(error):
                raise SetupError(
                    f"PostgreSQL on port {server.port} does not answer: {str(error).strip()}",
                    f"Its log is {place.log}. Deleting {place.base} starts over, with fresh demo data.",
                ) from error
            time.sleep(0.1)
        else:
            return server
    raise SetupError("PostgreSQL recovers from a crash and is not ready after a minute.", "Try again later.")


def _last(count: object) -> bool:
    try:
        fcntl.flock(count, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _alone(gate: Path) -> Iterator[None]:
    """Only one process starts or stops the server at a time."""
    with open(gate, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
