"""Odoo databases in the managed cluster: make one whole or not at all, copy, drop. Filestores go along."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg2.extensions
from psycopg2 import OperationalError, errors, sql

from dev import paths
from dev.errors import SetupError, diagnose
from dev.odoo_source import OdooSource
from dev.postgres import PostgresServer
from dev.steps import run, step

#: Seconds in which autovacuum is done with a database of the tests.
AUTOVACUUM_SECONDS = 60.0
TODO = "Run the same command again: what is half-finished is removed first."


def exists(server: PostgresServer, name: str) -> bool:
    """True if there is a database of that name."""
    return bool(_fetch(server, "SELECT 1 FROM pg_database WHERE datname = %s", (name,)))


def comment(server: PostgresServer, name: str) -> str:
    """Return the comment on a database, '' where there is none; the set-up's notes about a database are kept there."""
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    rows = _fetch(server, query, (name,))
    return str(rows[0][0] or "") if rows else ""


def comments(server: PostgresServer) -> dict[str, str]:
    """Return all databases that carry a comment, with it."""
    query = "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database"
    return {str(name): str(text) for name, text in _fetch(server, query) if text}


def set_comment(server: PostgresServer, name: str, text: str) -> None:
    """Set the comment on a database."""
    _execute(server, sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(text)))


def drop(server: PostgresServer, name: str, data_dir: Path) -> None:
    """Drop a database, if it is there, and its filestore; sessions on it are cut off."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    deadline = time.monotonic() + AUTOVACUUM_SECONDS
    while True:
        try:
            _execute(server, statement)
            break
        except errors.InsufficientPrivilege:  # autovacuum is at work there, which only a superuser may cut off
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    shutil.rmtree(filestore(data_dir, name), ignore_errors=True)


def clone(server: PostgresServer, template: str, name: str, data_dir: Path, note: str = "") -> None:
    """Copy a database and its filestore; nobody may be connected to `template`. The copy has a uuid of its own."""
    # WAL_LOG copies page by page without the two checkpoints of FILE_COPY: faster for databases of this size.
    query = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY WAL_LOG")
    _execute(server, query.format(sql.Identifier(name), sql.Identifier(template)))
    # As Odoo's own *Duplicate* does it: limits are counted by it.
    uuid = sql.SQL("UPDATE ir_config_parameter SET value = gen_random_uuid() WHERE key = 'database.uuid'")
    _execute(server, uuid, database=name)
    if note:
        set_comment(server, name, note)
    target = filestore(data_dir, name)
    shutil.rmtree(target, ignore_errors=True)
    if filestore(data_dir, template).is_dir():
        # Odoo writes and removes files of a filestore, but never changes one: hard links are copies enough.
        shutil.copytree(filestore(data_dir, template), target, copy_function=os.link)


def create(
    server: PostgresServer,
    source: OdooSource,
    conf: Path,
    name: str,
    *,
    modules: Sequence[str],
    data_dir: Path,
    note: str,
    title: str,
    takes: str = "about half a minute",
    template: str | None = None,
) -> None:
    """Make an Odoo database with demo data. It gets its name when it is whole, with `note` as its comment.

    It begins as a copy of `template`, if one is named, to which the modules are added. Raises SetupError.
    """
    draft = f"{name}_new"
    with step(f"{title} ({', '.join(modules)}; {takes})"):
        drop(server, draft, data_dir)
        if template is not None:
            clone(server, template, draft, data_dir)
        command: list[str | Path] = [sys.executable, "-m", "odoo", "-c", conf, "-d", draft, "-i", ",".join(modules)]
        command += ["--with-demo", "--stop-after-init", "--no-http", "--max-cron-threads=0"]
        log = paths.LOGS / f"{name}.log"
        run(command, log=log, what=title, todo=TODO, env=environment(source), cwd=paths.LOCAL)
        check(server, draft, modules, log)
        set_comment(server, draft, note)
        # Only leftovers can be there: a database of that name does not exist.
        shutil.rmtree(filestore(data_dir, name), ignore_errors=True)
        if filestore(data_dir, draft).is_dir():
            filestore(data_dir, draft).rename(filestore(data_dir, name))
        query = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        _execute(server, query.format(sql.Identifier(draft), sql.Identifier(name)))


def check(server: PostgresServer, name: str, modules: Sequence[str], log: Path) -> None:
    """Raise SetupError unless all modules are installed: Odoo's exit code is 0 for a module that it cannot find."""
    query = "SELECT name FROM ir_module_module WHERE state = 'installed'"
    try:
        installed = {str(row[0]) for row in _fetch(server, query, database=name)}
    except errors.UndefinedTable:
        installed = set()
    if missing := sorted(set(modules) - installed):
        raise SetupError(f"Odoo did not install: {', '.join(missing)}.", f"Its output is in {log}. {TODO}")


def version(server: PostgresServer, name: str, module: str) -> str | None:
    """Return the version of a module that is installed in a database, None where it is not."""
    query = "SELECT latest_version FROM ir_module_module WHERE name = %s AND state = 'installed'"
    rows = _fetch(server, query, (module,), database=name)
    return str(rows[0][0]) if rows else None


def set_parameter(server: PostgresServer, name: str, key: str, value: str) -> None:
    """Set a system parameter of an Odoo that does not run: one that does has it in its caches."""
    query = sql.SQL(
        "INSERT INTO ir_config_parameter (key, value) VALUES ({}, {}) ON CONFLICT (key) DO UPDATE SET value = {}"
    )
    _execute(server, query.format(sql.Literal(key), sql.Literal(value), sql.Literal(value)), database=name)


def environment(source: OdooSource) -> dict[str, str]:
    """Return the environment for a process that imports Odoo."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "ODOO_"))}
    if source.path is not None:
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(source.path), env.get("PYTHONPATH"))))
    return env


def filestore(data_dir: Path, name: str) -> Path:
    """Return the folder of a database's attachments."""
    return data_dir / "filestore" / name


def _fetch(
    server: PostgresServer, query: str, arguments: tuple[object, ...] = (), *, database: str = "postgres"
) -> list[tuple[object, ...]]:
    with _cursor(server, database) as cursor:
        cursor.execute(query, arguments)
        return cursor.fetchall()


def _execute(server: PostgresServer, statement: sql.Composable, *, database: str = "postgres") -> None:
    with _cursor(server, database) as cursor:
        cursor.execute(statement)


@contextlib.contextmanager
def _cursor(server: PostgresServer, database: str) -> Iterator[psycopg2.extensions.cursor]:
    try:
        with contextlib.closing(server.connect(database)) as connection, connection.cursor() as found:
            yield found
    except OperationalError as error:
        # Where the disk is full, or the server is gone: nothing that a caller could handle.
        raise SetupError(f"PostgreSQL: {str(error).strip()}", diagnose(str(error)) or TODO) from error
