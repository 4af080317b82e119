"""The migrations of our own tables. Alembic takes 10 MB: the server itself imports nothing of this."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg2
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg2 import errors as pg
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

import migrations
from app.catalog import schema_version
from app.catalog.schema_version import KNOWN, SchemaError, SchemaVersion
from app.database import Database
from migrations.tables.catalog import SCHEMA

T = TypeVar("T")
#: Key of the advisory lock that lets one process migrate at a time.
_MIGRATION_LOCK = 0x6A7E
#: Seconds that a migration waits for a table, and with it the calls that come behind it; that it then leaves these
#: alone; and after which it gives up.
_LOCK_TIMEOUT, _PAUSE, PATIENCE = 1.0, 0.5, 120.0
#: The target of a downgrade that leaves nothing.
NOTHING = "base"


class MigrationError(SchemaError):
    """The schema can't be migrated as asked, and nothing has been changed; the text says why."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """Schema version before and after a migration."""

    before: SchemaVersion
    after: SchemaVersion


def upgrade(database: Database) -> Migrated:
    """Bring the schema ``gatehouse`` to the newest revision that this code knows.

    One that is newer and that this code works on stays as it is. Raises SchemaMismatch for one that it does not work
    on, and MigrationError.
    """

    def work(connection: Connection) -> Migrated:
        before = version(connection)
        if before.is_newer():
            problem = before.problem()
            if problem is not None:
                raise problem
            return Migrated(before, before)
        if before.revision == KNOWN[-1]:
            return Migrated(before, before)
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        command.upgrade(config_of(connection), "head")
        return Migrated(before, version(connection))

    return _alone(database, work)


def downgrade(database: Database, target: str) -> Migrated:
    """Take the schema back to an older revision, or to ``NOTHING``. Raises MigrationError."""

    def work(connection: Connection) -> Migrated:
        before = version(connection)
        check_target(before, target)
        command.downgrade(config_of(connection), target)
        return Migrated(before, version(connection))

    return _alone(database, work)


def check_target(found: SchemaVersion, target: str) -> None:
    """Raise MigrationError unless this code can take the schema from where it is to ``target``."""
    if target != NOTHING and target not in KNOWN:
        raise MigrationError(f"There is no revision {target!r}; known are {', '.join(KNOWN)}, and {NOTHING} for none.")
    if found.is_newer():
        raise MigrationError(
            f"The schema gatehouse is at {found.revision}, which this version does not know: take it back with the "
            "version that made it."
        )
    if found.revision is None or (target != NOTHING and target >= found.revision):
        raise MigrationError(f"The schema gatehouse is at {found.revision or NOTHING}: {target} is not older.")


def losses(found: SchemaVersion, target: str) -> list[str]:
    """Return the losses of a downgrade to ``target``, in the words of each migration that is undone."""
    scripts = ScriptDirectory(str(_folder()))
    undone = [revision for revision in KNOWN if target == NOTHING or revision > target]
    return [
        f"{revision}: {scripts.get_revision(revision).module.loses}"
        for revision in reversed(undone)
        if revision <= (found.revision or "")
    ]


def engine_of(database: Database) -> Engine:
    """Return SQLAlchemy's way to the database: Alembic works on its connections, and nothing else here does."""
    return create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(**database.dsn), poolclass=NullPool)


def version(connection: Connection) -> SchemaVersion:
    """Return the version of the schema as a connection sees it."""
    with closing(connection.connection.cursor()) as cr:
        return schema_version.read(cr)


def config_of(connection: Connection) -> Config:
    """Return Alembic's configuration for migrations in the transaction of a connection."""
    config = Config()
    config.set_main_option("script_location", str(_folder()))
    config.attributes["connection"] = connection
    return config


def _folder() -> Path:
    return Path(migrations.__file__).parent


def _alone(database: Database, work: Callable[[Connection], T]) -> T:
    """Do a migration in a transaction of its own, as the only one that migrates, beside servers that serve.

    What changes a table waits for all calls that use it, and all that come later wait behind it: so it waits for a
    moment, and where that was too short leaves everything as it was and begins anew. Raises MigrationError.
    """
    engine = engine_of(database)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with engine.begin() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                connection.execute(text(f"SET LOCAL lock_timeout = {int(_LOCK_TIMEOUT * 1000)}"))
                return work(connection)
        except DBAPIError as error:
            if not isinstance(error.orig, (pg.LockNotAvailable, pg.DeadlockDetected)):
                raise
            if time.monotonic() > deadline:
                raise MigrationError(
                    f"The tables of the schema gatehouse were in use for {PATIENCE:g} s: nothing has been changed. "
                    "Look for transactions that stay open (pg_stat_activity), and try again."
                ) from error
        time.sleep(_PAUSE)
