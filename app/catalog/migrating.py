"""The migrations of our own tables. Alembic takes 10 MB: the server itself imports nothing of this."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from app.catalog.schema import SCHEMA

_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
#: Key of the advisory lock that lets one process migrate at a time.
_MIGRATION_LOCK = 0x6A7E


def upgrade(engine: Engine) -> None:
    """Bring the schema ``gatehouse`` to the newest version; nothing else in the database is touched."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        command.upgrade(config_of(connection), "head")


def config_of(connection: Connection) -> Config:
    """Return Alembic's configuration for migrations in the transaction of a connection."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
