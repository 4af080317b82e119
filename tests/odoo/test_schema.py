"""The migrations make what the models say, go back and forth, and touch nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.catalog import migrating
from app.catalog.schema_version import KNOWN
from app.web.routing import Gatehouse
from migrations.tables import agents as agents_schema
from migrations.tables import analytics as analytics_schema
from migrations.tables import capture as capture_schema
from migrations.tables import webhooks as webhooks_schema
from migrations.tables.catalog import SCHEMA, Base


def test_migrations_and_models_agree(app: Gatehouse) -> None:
    with migrating.engine_of(app.services.database).connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                # Of the changes' types SQLAlchemy knows nothing.
                "include_name": lambda name, kind, parents: (
                    name == SCHEMA if kind == "schema" else not str(name).startswith("changes")
                ),
                # The log's partitions are made as days come.
                "include_object": lambda thing, name, *more: not str(name).startswith("request_log_2"),
                "compare_type": True,
                "version_table_schema": SCHEMA,
            },
        )
        differences = compare_metadata(context, Base.metadata)
    assert agents_schema.Approval.metadata is Base.metadata
    assert analytics_schema.Audit.metadata is Base.metadata
    assert capture_schema.Captured.metadata is Base.metadata
    assert webhooks_schema.Webhook.metadata is Base.metadata
    assert [difference for difference in differences if "alembic_version" not in repr(difference)] == []


def test_an_upgrade_that_is_done_does_nothing(app: Gatehouse, sql: Callable[..., list[tuple[Any, ...]]]) -> None:
    before = sql("SELECT version_num FROM gatehouse.alembic_version")
    migrating.upgrade(app.services.database)
    assert sql("SELECT version_num FROM gatehouse.alembic_version") == before


#: What is put into the tables as each revision has made them.
SAMPLES = {
    "0001": [
        """INSERT INTO gatehouse.api (document) VALUES ('{"name": "A", "route": "/api/a", "published": true}')""",
        "INSERT INTO gatehouse.setting VALUES ('log_retention_days', '30')",
    ],
    "0002": [
        "INSERT INTO gatehouse.idempotency (api_id, caller, key, request, result) "
        "SELECT id, 'user 2', 'key', 'request', 'result' FROM gatehouse.api",
    ],
    "0003": [
        "INSERT INTO gatehouse.client (name, public_id, scopes) VALUES ('Shop', 'public', '{read}')",
        "INSERT INTO gatehouse.client_secret (lookup, hash, client_id) SELECT 'one', 'hash', id FROM gatehouse.client",
        "INSERT INTO gatehouse.token (lookup, hash, kind, client_id, scopes, expires_at) "
        "SELECT 'two', 'hash', 'access', id, '{read}', now() FROM gatehouse.client",
        "INSERT INTO gatehouse.authorization_code (lookup, hash, client_id, uid, scopes, redirect_uri, "
        "redirect_uri_given, challenge, family, expires_at) "
        "SELECT 'three', 'hash', id, 2, '{read}', 'https://a.example', true, 'c', 'f', now() FROM gatehouse.client",
        "INSERT INTO gatehouse.consent (client_id, uid, scopes) SELECT id, 2, '{read}' FROM gatehouse.client",
    ],
    "0004": [
        "INSERT INTO gatehouse.audit (request_id, api_id, api, action, model, record_ids, fields, caller, uid, address)"
        " VALUES ('r', 1, 'A', 'update', 'res.partner', '{7}', '{name}', 'user 2', 2, '10.0.0.1')",
        "CREATE TABLE gatehouse.request_log_20200101 PARTITION OF gatehouse.request_log "
        "FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-01-02 00:00:00+00')",
        "INSERT INTO gatehouse.request_log (at, request_id, api_id, endpoint, path, status, address, milliseconds) "
        "VALUES ('2020-01-01 12:00:00+00', 'r', 1, 'GET /api/a', '/api/a', 200, '10.0.0.1', 1.5)",
        *(
            f"INSERT INTO gatehouse.rollup_{period} VALUES ('api', '2020-01-01', 1, '', false, 3, 5, 7.5)"
            for period in ("minute", "hour", "day")
        ),
        "INSERT INTO gatehouse.history (actor, kind, name, after) VALUES ('admin', 'api', 'A', '{}')",
    ],
    "0005": [
        "UPDATE gatehouse.token SET last_used_at = now()",
        "UPDATE gatehouse.request_log SET request_body = 'body', response_body = 'body'",
    ],
    "0006": [
        "UPDATE gatehouse.audit SET call_id = 'call'",
        "UPDATE gatehouse.request_log SET call_id = 'call'",
    ],
    "0008": [
        "UPDATE gatehouse.request_log SET query = '{}', query_note = 'Cut', reason = 'KeyError'",
    ],
    "0011": [
        "INSERT INTO gatehouse.claim (model, scope, digest) VALUES ('res.partner', 'ref', 'a')",
    ],
    "0012": [
        "UPDATE gatehouse.request_log SET dry_run = true",
    ],
    "0014": [
        "INSERT INTO gatehouse.changes (at, relation, op, key) VALUES ('2020-01-01', 1, 'I', 1)",
        "INSERT INTO gatehouse.mark VALUES ('2020-01-01', 1)",
        "INSERT INTO gatehouse.captured (name, key, kept, watched, since) VALUES ('a', '{id}', '{}', '{}', 1)",
    ],
    "0015": [
        "INSERT INTO gatehouse.webhook (id, client_id, api_id, model, url, events, secret) "
        "SELECT 'hook', c.id, a.id, 'res.partner', 'https://a.example', '{created}', 'sealed' "
        "FROM gatehouse.client c, gatehouse.api a",
        "INSERT INTO gatehouse.delivery (id, webhook_id, event) VALUES ('msg', 'hook', 'created')",
    ],
    "0016": [
        "INSERT INTO gatehouse.approval "
        "(lookup, hash, caller, tool, api_id, revision, arguments, condition, way, text, expires_at) "
        "SELECT 'a', 'h', 'user:2', 'a_create', id, 1, 'd', '{}', 'argument', '', now() FROM gatehouse.api",
        "INSERT INTO gatehouse.stranger (url, client_id, name, redirect_uris, expires_at) "
        "SELECT 'https://a.example/a', id, 'A', '{}', now() FROM gatehouse.client",
        "UPDATE gatehouse.audit SET tool = 'a_create', approved_by = 2",
        "UPDATE gatehouse.request_log SET tool = 'a_create'",
    ],
}
_COLUMNS = text(
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'gatehouse' "
    "AND table_name NOT IN ('alembic_version', 'catalog_version', 'credential_version') "
    "AND table_name !~ '^(request_log|changes)_2' ORDER BY table_name, column_name"
)


def _contents(connection: Connection) -> dict[str, Any]:
    """Return the columns and the rows of all tables; but for the versions, which any statement raises."""
    columns = connection.execute(_COLUMNS).all()
    rows = {
        name: connection.scalars(text(f"SELECT to_jsonb(t)::text FROM gatehouse.{name} t ORDER BY 1")).all()
        for name in sorted({name for name, _ in columns})
    }
    return {"columns": columns, "rows": rows}


def _fill(connection: Connection, revision: str) -> None:
    for statement in SAMPLES.get(revision, []):
        connection.exec_driver_sql(statement)


def test_each_migration_goes_back_and_forth_and_the_older_tables_keep_their_rows(app: Gatehouse) -> None:
    with migrating.engine_of(app.services.database).connect() as connection, connection.begin() as transaction:
        config = migrating.config_of(connection)
        command.downgrade(config, migrating.NOTHING)
        assert _contents(connection)["columns"] == []
        for last, revision in zip((migrating.NOTHING, *KNOWN), KNOWN, strict=False):
            before = _contents(connection)
            command.upgrade(config, revision)
            made = _contents(connection)
            _fill(connection, revision)
            command.downgrade(config, last)
            assert _contents(connection) == before, revision
            command.upgrade(config, revision)
            assert _contents(connection)["columns"] == made["columns"], revision
            _fill(connection, revision)
        rows = _contents(connection)["rows"]
        assert [name for name, found in rows.items() if not found] == []
        transaction.rollback()


def test_the_code_knows_its_revisions_without_alembic() -> None:
    scripts = ScriptDirectory(str(Path(migrating.__file__).parents[2] / "migrations"))
    found = list(scripts.walk_revisions())[::-1]
    assert [script.revision for script in found] == list(KNOWN)
    for script in found:
        assert len(script.module.loses) > 10, f"{script.revision}: say what is lost by going back"


def test_definitions_of_before_get_the_new_keys_and_no_line_in_the_history(app: Gatehouse) -> None:
    with migrating.engine_of(app.services.database).connect() as connection, connection.begin() as transaction:
        config = migrating.config_of(connection)
        command.downgrade(config, "0004")
        old = {"name": "Old", "route": "/api/old", "published": False, "masked_fields": ["kept"]}
        insert = text("INSERT INTO gatehouse.api (document) VALUES (CAST(:document AS jsonb))")
        connection.execute(insert, {"document": json.dumps(old)})
        count = text("SELECT count(*) FROM gatehouse.history")
        before = connection.scalar(count)
        command.upgrade(config, "head")
        document = connection.scalar(text("SELECT document FROM gatehouse.api WHERE name = 'Old'"))
        assert document == {**old, "log_bodies": False, "webhooks": False, "mcp": False, "mcp_approval": "ask"}
        assert connection.scalar(count) == before
        transaction.rollback()


def test_odoos_own_schema_holds_nothing_of_ours(sql: Callable[..., list[tuple[Any, ...]]], app: Gatehouse) -> None:
    ours = [*(table.name for table in Base.metadata.sorted_tables), "alembic_version"]
    found = sql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)", ours)
    assert found == []
