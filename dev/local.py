"""The local set-up: Odoo's source, PostgreSQL and the demo database under `.local/`, as environment variables."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dev import cluster, databases, locks, odoo_conf, odoo_source, paths, postgres
from dev.errors import SetupError
from dev.odoo_source import OdooSource
from dev.postgres import PostgresServer

DEMO = "demo"
MODULES = ("base", "web", "contacts", "gatehouse_demo")
# Comments on the demo database: what is done with it so far.
PENDING = "gatehouse: the demo definitions are not imported yet"
COMPLETE = "gatehouse: demo database"
# Networks that webhooks may call beside the internet. Of the demo it is this machine, where its receivers are tried.
NETWORKS = "GATEHOUSE_WEBHOOK_NETWORKS"


@dataclass(frozen=True)
class Local:
    """Parts of a local set-up; `environment` is all that the server and the commands need to know."""

    server: PostgresServer
    source: OdooSource
    conf: Path
    database: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings as environment variables."""
        settings = {
            "GATEHOUSE_ODOO_CONF": str(self.conf),
            "GATEHOUSE_DATABASE": self.database,
            "GATEHOUSE_SECRET_KEY": os.environ.get("GATEHOUSE_SECRET_KEY") or secret_key(),
        }
        if self.source.path is not None:
            settings["GATEHOUSE_ODOO_SOURCE"] = str(self.source.path)
        if self.database == DEMO:
            settings[NETWORKS] = os.environ.get(NETWORKS, "127.0.0.0/8")
        return settings


def data_dir() -> Path:
    """Odoo's data_dir: filestores and sessions."""
    return paths.LOCAL / "data"


def alone() -> contextlib.AbstractContextManager[None]:
    """Let one process at a time prepare; another one waits and finds the work done."""
    return locks.preparing()


@contextlib.contextmanager
def prepared() -> Iterator[Local]:
    """Complete the local set-up, and keep PostgreSQL running while the block runs. Raises SetupError."""
    with alone():
        source = odoo_source.ensure()
    with postgres.running() as server:
        with alone():
            local = _configure(server, source)
            if not databases.exists(server, local.database):
                if local.database != DEMO:
                    raise SetupError(
                        f"GATEHOUSE_DATABASE={local.database}: the project's own PostgreSQL has no such database.",
                        f"Leave it unset for the demo database, or create {local.database} first.",
                    )
                databases.create(
                    server,
                    source,
                    local.conf,
                    DEMO,
                    modules=MODULES,
                    data_dir=data_dir(),
                    note=PENDING,
                    title="Creating the demo database",
                )
        yield local


@contextlib.contextmanager
def joined() -> Iterator[Local]:
    """Use the local set-up as it is, PostgreSQL running while the block runs. Raises SetupError when there is none."""
    source = odoo_source.present()
    if source is None or not cluster.Cluster(paths.LOCAL / "postgres").complete:
        raise SetupError(
            "There is no local set-up yet, and GATEHOUSE_ODOO_CONF is not set.",
            "Run `make serve` once, or set GATEHOUSE_ODOO_CONF to the odoo.conf of an Odoo that is already there.",
        )
    with postgres.running() as server:
        local = _configure(server, source)
        if not databases.exists(server, local.database):
            raise SetupError(
                f"There is no database {local.database} in the local set-up.",
                "Run `make serve`, which makes the demo database, or correct GATEHOUSE_DATABASE.",
            )
        yield local


def _configure(server: PostgresServer, source: OdooSource) -> Local:
    database = os.environ.get("GATEHOUSE_DATABASE") or DEMO
    conf = paths.LOCAL / "odoo.conf"
    odoo_conf.write(conf, server, source, data_dir=data_dir(), database=database)
    return Local(server, source, conf, database)


def secret_key() -> str:
    """Return the local set-up's own secret key, made at first."""
    path = paths.LOCAL / "secret_key"
    if not path.exists():
        cluster.write_private(path, secrets.token_urlsafe(48))
    return path.read_text()
