"""A PostgreSQL of its own with a streaming replica, as a test needs them: made from a dump of the template."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import psycopg2.extensions

from dev import cluster, paths
from dev.cluster import Cluster
from dev.testbed import Testbed


@dataclass(frozen=True)
class Pair:
    """A primary with a copy of the template called ``database``, and its replica; ``testbed`` names both to Odoo."""

    database: str
    testbed: Testbed
    standby: Cluster
    standby_port: int

    def on_standby(self) -> psycopg2.extensions.connection:
        """Return a connection to the replica, which sees its own state only in autocommit."""
        testbed = dataclasses.replace(self.testbed, port=self.standby_port)
        connection = psycopg2.connect(testbed.dsn(self.database))
        connection.autocommit = True
        return connection


@contextlib.contextmanager
def replicated(testbed: Testbed, folder: Path) -> Iterator[Pair]:
    """Run a primary and a replica; ``folder`` takes the dump and the configuration of Odoo."""
    base = paths.LOCAL / "test" / f"replication_{os.getpid()}"
    base.mkdir(mode=0o711)
    primary, standby = Cluster(base / "primary"), Cluster(base / "standby")
    try:
        primary.create()
        # It copies, and stops the replay. Commits are synchronous, as they are in production.
        _in_single_user_mode(primary, f"ALTER ROLE {cluster.ROLE} SUPERUSER;\n")
        _in_single_user_mode(primary, f"ALTER ROLE {cluster.ROLE} SET synchronous_commit = on;\n")
        port = primary.start()
        here = dataclasses.replace(testbed, port=port, password=primary.password)
        database = f"gatehouse_replica_{os.getpid()}"
        copy_template(testbed, here, database, folder / "template.dump", primary.binaries())
        standby_port = _make_standby(primary, standby, here)
        conf = folder / "odoo.conf"
        conf.write_text(_conf(testbed, port, primary.password, standby_port))
        yield Pair(database, dataclasses.replace(here, odoo_conf=conf), standby, standby_port)
    finally:
        for each in (standby, primary):
            if each.complete:
                each.stop()
        shutil.rmtree(base)


def _in_single_user_mode(place: Cluster, statement: str) -> None:
    command = place.command("postgres", "--single", "-j", "-D", place.data, "postgres")
    subprocess.run(command, input=statement, text=True, capture_output=True, check=True, cwd="/")


def copy_template(source: Testbed, target: Testbed, database: str, dump: Path, binaries: Path) -> None:
    """Copy the template into a database of another PostgreSQL; ``dump`` is a file that is made on the way."""

    def run(testbed: Testbed, program: str, *arguments: str) -> None:
        address = ["-h", testbed.host, "-p", str(testbed.port), "-U", testbed.user]
        environment = {**os.environ, "PGPASSWORD": testbed.password}
        subprocess.run([binaries / program, *address, *arguments], env=environment, check=True, capture_output=True)

    run(source, "pg_dump", "-Fc", "-Z0", "-f", str(dump), source.template)
    run(target, "createdb", database)
    run(target, "pg_restore", "-j", "2", "-d", database, str(dump))


def _make_standby(primary: Cluster, standby: Cluster, testbed: Testbed) -> int:
    standby.base.mkdir(mode=0o700)
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody")
        os.chown(standby.base, user.pw_uid, user.pw_gid)
    source = f"host={testbed.host} port={testbed.port} user={testbed.user} password={testbed.password}"
    options = ["-R", "-X", "stream", "-c", "fast", "--no-sync"]
    command = primary.command("pg_basebackup", "-D", standby.data, *options, "-d", source)
    subprocess.run(command, check=True, capture_output=True, cwd="/")
    (standby.base / "ready").touch()
    return standby.start()


def _conf(testbed: Testbed, port: int, password: str, replica_port: int) -> str:
    """Return the tests' odoo.conf with another primary, and the replica."""
    ours = {"db_port": port, "db_password": password, "db_replica_host": testbed.host, "db_replica_port": replica_port}
    lines = testbed.odoo_conf.read_text().splitlines()
    kept = [line for line in lines if line.partition(" = ")[0] not in ours]
    return "\n".join([*kept, *(f"{name} = {value}" for name, value in ours.items())]) + "\n"
