"""The tests' Odoo: a template database in the managed PostgreSQL, and cheap copies of it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dev import databases, local, odoo_conf, odoo_source, paths, postgres
from dev.postgres import PostgresServer

TEMPLATE = "gatehouse_template"
MODULES = ("base", "web", "contacts", "gatehouse_demo", "product", "auth_totp")
TEST_MODULE = "gatehouse_test"
#: A second template, for the tests that walk through the models of Odoo's own applications.
APPLICATIONS = "gatehouse_applications"
APPLICATION_MODULES = ("sale", "project", "crm", "hr", "account", "stock")
#: A third one, for the tests through live servers.
SERVED = "gatehouse_served"
CLONE = "gatehouse: copy made by process "


@dataclass(frozen=True)
class Testbed:
    """A running PostgreSQL with the template database, and what a process needs to use Odoo on a copy of it.

    `odoo_conf` names no database. `odoo_source` is the folder for sys.path, None where `odoo` is importable.
    """

    __test__ = False  # not a class of tests, whatever its name says to pytest

    odoo_conf: Path
    odoo_source: Path | None
    template: str
    data_dir: Path
    host: str
    port: int
    user: str
    password: str

    @property
    def server(self) -> PostgresServer:
        """The PostgreSQL server."""
        return PostgresServer(self.port, self.user, self.password, self.host)

    def dsn(self, database: str) -> str:
        """Return the connection string for a database."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def environment(self, database: str) -> dict[str, str]:
        """Return the environment variables with which the app and Odoo use `database`."""
        settings = {"GATEHOUSE_ODOO_CONF": str(self.odoo_conf), "GATEHOUSE_DATABASE": database}
        if self.odoo_source is not None:
            settings["GATEHOUSE_ODOO_SOURCE"] = str(self.odoo_source)
        if "GATEHOUSE_FAST" in os.environ:  # `make slow`
            settings["GATEHOUSE_FAST"] = os.environ["GATEHOUSE_FAST"]
        return settings

    def applications(self) -> str:
        """Return the template with Odoo's applications; it is made when it is first asked for. Raises SetupError."""
        note = f"{databases.comment(self.server, self.template)} with {', '.join(APPLICATION_MODULES)}"
        with local.alone():
            source = odoo_source.ensure()
            if databases.comment(self.server, APPLICATIONS) != note:
                databases.drop(self.server, APPLICATIONS, self.data_dir)
                databases.create(
                    self.server,
                    source,
                    self.odoo_conf,
                    APPLICATIONS,
                    modules=APPLICATION_MODULES,
                    data_dir=self.data_dir,
                    note=note,
                    title="Creating the template database with Odoo's applications",
                    takes="several minutes",
                    template=self.template,
                )
        return APPLICATIONS

    def served(self, make: Callable[[str], None]) -> str:
        """Return the template that Gatehouse has been set up in, with the demo's definitions.

        ``make`` does so in a copy of the other one, when it is first asked for and whenever the code has changed.
        """
        texts = (databases.comment(self.server, self.template), paths.DEMO_DEFINITIONS.read_text())
        note = fingerprint(texts, [paths.ROOT / name for name in ("app", "migrations", "odoo_bridge")])
        with local.alone():
            if databases.comment(self.server, SERVED) != note:
                self.drop(SERVED)
                self.clone(SERVED)
                make(SERVED)
                databases.set_comment(self.server, SERVED, note)
        return SERVED

    def clone(self, name: str, *, template: str | None = None) -> None:
        """Make the database `name`, with its filestore, from the template (or from another copy)."""
        databases.clone(self.server, template or self.template, name, self.data_dir, f"{CLONE}{os.getpid()}")

    def drop(self, name: str) -> None:
        """Drop a copy and its filestore; sessions on it are cut off, and it need not exist."""
        databases.drop(self.server, name, self.data_dir)


@functools.cache
def prepare() -> Testbed:
    """Start PostgreSQL until the process ends, make the template unless it is up to date, and describe both.

    Fast when all is there. Raises dev.errors.SetupError.
    """
    stack = contextlib.ExitStack()
    # A forked child that runs this too leaves the server alone: see postgres.running.
    atexit.register(stack.close)
    with local.alone():
        source = odoo_source.ensure()
    server = stack.enter_context(postgres.running())
    data_dir = paths.LOCAL / "test" / "data"
    conf = paths.LOCAL / "test" / "odoo.conf"
    with local.alone():
        odoo_conf.write(conf, server, source, data_dir=data_dir, database=None)
        sweep(server, data_dir)
        modules = MODULES + ((TEST_MODULE,) if (paths.TEST_ADDONS / TEST_MODULE / "__manifest__.py").is_file() else ())
        note = fingerprint((source.version, *modules), (paths.DEV_ADDONS, paths.TEST_ADDONS))
        if databases.comment(server, TEMPLATE) != note:
            databases.drop(server, TEMPLATE, data_dir)
            databases.create(
                server,
                source,
                conf,
                TEMPLATE,
                modules=modules,
                data_dir=data_dir,
                note=note,
                title="Creating the tests' template database",
            )
    return Testbed(conf, source.path, TEMPLATE, data_dir, server.host, server.port, server.user, server.password)


def sweep(server: PostgresServer, data_dir: Path) -> None:
    """Drop the copies whose processes are gone: killed test runs could not do it themselves."""
    for name, note in databases.comments(server).items():
        pid = note.removeprefix(CLONE)
        if note.startswith(CLONE) and not Path(f"/proc/{pid}").exists():
            databases.drop(server, name, data_dir)


def fingerprint(texts: Iterable[str], folders: Iterable[Path]) -> str:
    """Return a text that changes when a template has to be made anew, for what its texts and files are then."""
    digest = hashlib.sha256("\n".join(texts).encode())
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"\n{file.relative_to(folder)}\n".encode())
                digest.update(file.read_bytes())
    return f"gatehouse: template {digest.hexdigest()}"
