"""Bring Odoo up inside this process: configuration, registry, and what a fork needs."""

from __future__ import annotations

import getpass
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from odoo import sql_db
from odoo.modules.db import is_initialized
from odoo.modules.registry import Registry
from odoo.tools import config

from . import addon_imports, caches, compat, connections, fast, filestore, images, relies_on, syntax_trees
from .errors import BootError
from .fast import fetches, writes

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Instance:
    """One Odoo database, served by this process.

    ``data_dir`` holds Odoo's filestore and sessions; ``dsn`` are psycopg2's connection keywords.
    """

    database: str
    data_dir: Path
    dsn: dict[str, Any]


def start(conf: Path, database: str | None = None, *, is_fast: bool = True) -> Instance:
    """Read Odoo's configuration file, load the registry, and return the instance.

    ``database`` overrides the file's ``db_name``; ``is_fast`` says whether the pieces of ``fast`` are used. Raises
    BootError with what to change.
    """
    syntax_trees.install()
    fast.switch(on=is_fast)
    if not conf.is_file():
        raise BootError(f"{conf} does not exist: set GATEHOUSE_ODOO_CONF to Odoo's configuration file.")
    # PGAPPNAME-like names help an operator to tell the two servers apart in pg_stat_activity.
    arguments = ["--config", str(conf)] + (["--database", database] if database else [])
    config.parse_config(arguments, setup_logging=False)
    config["db_app_name"] = "gatehouse-{pid}"
    compat.limit_connecting()
    compat.check_version()
    changed = relies_on.changed()  # before any of it is replaced by ours, and again when addons had their chance
    connections.install()
    caches.install()
    writes.install()
    fetches.install()
    addon_imports.install()
    _check_user(config["db_user"] or getpass.getuser())
    name = database or _single_database()
    instance = Instance(name, Path(config["data_dir"]), sql_db.connection_info_for(name)[1])
    load(instance)
    relies_on.act_on({*changed, *relies_on.changed()})
    filestore.install()
    images.bound()
    return instance


def load(instance: Instance) -> None:
    """Load the registry of the instance; raises BootError where there is none to load."""
    try:
        with sql_db.db_connect(instance.database).cursor() as cr:
            initialized = is_initialized(cr)
    except psycopg2.OperationalError as error:
        raise BootError(
            f"Database {instance.database!r} cannot be opened: {str(error).strip()} "
            "Check db_host, db_port, db_user and db_password in GATEHOUSE_ODOO_CONF, and GATEHOUSE_DATABASE."
        ) from error
    if not initialized:
        raise BootError(f"Database {instance.database!r} is not an Odoo database: initialise it with Odoo first.")
    try:
        Registry(instance.database)
    except Exception as error:
        reason = str(error) if isinstance(error, addon_imports.ImportFailed) else addon_imports.describe(error)
        raise BootError(
            f"The registry of database {instance.database!r} cannot be loaded. {reason}. Install what is missing "
            "into the Python that runs Gatehouse, mend the addon, or uninstall it in Odoo."
        ) from error


def before_fork() -> None:
    """Close all pooled connections, so that no child shares a socket with another process (odoo#91253)."""
    sql_db.close_all()


def after_fork_in_child() -> None:
    """Forget inherited connections without closing their sockets: they belong to the parent.

    psycopg2 leaves a connection alone that another process opened, so dropping the reference is enough. The
    pools are emptied in place, because the registry holds on to them.
    """
    for pool in (sql_db._Pool, sql_db._Pool_readonly):
        if pool is not None:
            pool._lock = threading.Lock()  # another thread of the parent may have held it
            pool._connections.clear()
    caches.after_fork_in_child()


# For servers that fork without telling us; gunicorn.conf.py closes the parent's pools as well.
os.register_at_fork(after_in_child=after_fork_in_child)


def _check_user(name: str) -> None:
    """PostgreSQL's search_path starts with "$user": Odoo would look for its tables in our schema of that name."""
    if name == "gatehouse":
        raise BootError(
            "Odoo's database user (db_user) must not be called gatehouse, because PostgreSQL would then look for "
            "Odoo's tables in the schema gatehouse. Please rename the user."
        )


def _single_database() -> str:
    names = compat.configured_databases()
    if len(names) != 1:
        found = ", ".join(names) or "none"
        raise BootError(f"Set GATEHOUSE_DATABASE: GATEHOUSE_ODOO_CONF names {found} as db_name.")
    return names[0]
