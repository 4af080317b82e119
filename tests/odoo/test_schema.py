"""The migrations make what the models say, go back and forth, and touch nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from app.analytics import schema as analytics_schema
from app.catalog import migrating
from app.catalog.schema import SCHEMA, Base
from app.routing import Gatehouse


def test_migrations_and_models_agree(app: Gatehouse) -> None:
    with app.services.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, parents: kind != "schema" or name == SCHEMA,
                # The log's partitions are made as days come.
                "include_object": lambda thing, name, *more: not str(name).startswith("request_log_2"),
                "compare_type": True,
                "version_table_schema": SCHEMA,
            },
        )
        differences = compare_metadata(context, Base.metadata)
    assert analytics_schema.Audit.metadata is Base.metadata
    assert [difference for difference in differences if "alembic_version" not in repr(difference)] == []


def test_an_upgrade_that_is_done_does_nothing(app: Gatehouse, sql: Callable[..., list[tuple[Any, ...]]]) -> None:
    before = sql("SELECT version_num FROM gatehouse.alembic_version")
    migrating.upgrade(app.services.engine)
    assert sql("SELECT version_num FROM gatehouse.alembic_version") == before


def test_definitions_of_before_get_the_new_keys_and_no_line_in_the_history(app: Gatehouse) -> None:
    with app.services.engine.connect() as connection, connection.begin() as transaction:
        config = migrating.config_of(connection)
        command.downgrade(config, "0004")
        old = {"name": "Old", "route": "/api/old", "published": False, "masked_fields": ["kept"]}
        insert = text("INSERT INTO gatehouse.api (document) VALUES (CAST(:document AS jsonb))")
        connection.execute(insert, {"document": json.dumps(old)})
        count = text("SELECT count(*) FROM gatehouse.history")
        before = connection.scalar(count)
        command.upgrade(config, "head")
        document = connection.scalar(text("SELECT document FROM gatehouse.api WHERE name = 'Old'"))
        assert document == {**old, "log_bodies": False}
        assert connection.scalar(count) == before
        transaction.rollback()


def test_odoos_own_schema_holds_nothing_of_ours(sql: Callable[..., list[tuple[Any, ...]]], app: Gatehouse) -> None:
    ours = [*(table.name for table in Base.metadata.sorted_tables), "alembic_version"]
    found = sql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)", ours)
    assert found == []
