"""Webhooks and their deliveries, and the tables of the engine that has them sent, in a schema of its own."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SCHEMA, JOBS = "gatehouse", "gatehouse_jobs"
loses = "webhooks with their secrets, and the events that were not delivered yet"
RETENTION = "delivery_retention_days"


def _moment(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=sa.func.now() if now else None)


def _of(table: str) -> sa.Column[Any]:
    key = sa.ForeignKey(f"{SCHEMA}.{table}.id", ondelete="CASCADE")
    return sa.Column(f"{table}_id", sa.Integer, key, nullable=False, index=True)


def _text(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable, server_default=default)


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Text, primary_key=True),
        _of("client"),
        _of("api"),
        _text("model"),
        _text("url"),
        sa.Column("events", ARRAY(sa.Text), nullable=False),
        sa.Column("fields", ARRAY(sa.Text)),
        sa.Column("domain", JSONB, nullable=False, server_default="[]"),
        sa.Column("thin", sa.Boolean, nullable=False, server_default=sa.false()),
        # Sealed: messages are signed with them, so that a hash would not do.
        _text("secret"),
        _text("old_secret", nullable=True),
        _moment("old_secret_until"),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
        _text("reason", ""),
        _moment("off_at"),
        # The delta's token up to which the events are among the deliveries, and the tables whose changes lead on.
        _text("token", nullable=True),
        sa.Column("tables", ARRAY(sa.Text), nullable=False, server_default="{}"),
        # Failures since the last success, and until when it is left alone for them.
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        _moment("held_until"),
        # Who sends at the moment: whoever was taken for dead, and is not, finds another one here.
        _text("run", nullable=True),
        _moment("created_at", nullable=False, now=True),
        schema=SCHEMA,
    )
    op.create_table(
        "delivery",
        sa.Column("seq", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("webhook_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.webhook.id", ondelete="CASCADE"), nullable=False),
        _text("event"),
        sa.Column("record_id", sa.BigInteger),
        _text("status", "pending"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        _moment("created_at", nullable=False, now=True),
        _moment("first_at"),
        _moment("next_at", nullable=False, now=True),
        _moment("last_at"),
        sa.Column("milliseconds", sa.Integer),
        sa.Column("answer_status", sa.Integer),
        _text("answer", ""),
        _text("error", ""),
        sa.CheckConstraint("status IN ('pending', 'delivered', 'failed', 'superseded')", name="ck_delivery_status"),
        schema=SCHEMA,
    )
    pending = sa.text("status = 'pending'")
    due = ["webhook_id", "next_at"]
    op.create_index("ix_delivery_webhook_id_next_at", "delivery", due, schema=SCHEMA, postgresql_where=pending)
    for columns in (["seq"], ["status", "seq"], ["record_id", "seq"]):
        op.create_index(
            f"ix_delivery_{'_'.join(['webhook_id', *columns])}", "delivery", ["webhook_id", *columns], schema=SCHEMA
        )
    op.create_index("ix_delivery_created_at", "delivery", ["created_at"], schema=SCHEMA)
    _create_jobs()
    setting = sa.table("setting", sa.column("key", sa.Text), sa.column("value", JSONB), schema=SCHEMA)
    _without_history(
        postgresql.insert(setting).values(key=RETENTION, value=14).on_conflict_do_nothing(),
        # The new key of definitions, so that an import of the same file changes nothing.
        f"UPDATE {SCHEMA}.api SET document = '{{\"webhooks\": false}}' || document",
    )


def _create_jobs() -> None:
    """Have the engine make its tables, as the version of it does that is installed.

    A later version of it comes with statements for those that are there (``SchemaManager.get_migrations_path``): a
    migration of ours runs them, and finds by the schema's comment whether these tables are newer already.
    """
    from importlib.metadata import version  # noqa: PLC0415  a migration has no use for what it does not run

    from procrastinate.schema import SchemaManager  # noqa: PLC0415

    op.execute(f"CREATE SCHEMA {JOBS}")
    op.execute(f"COMMENT ON SCHEMA {JOBS} IS 'procrastinate {version('procrastinate')}'")
    op.execute(f"SET LOCAL search_path = {JOBS}")
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    op.execute("SET LOCAL search_path TO DEFAULT")


def _without_history(*statements: Any) -> None:
    """Change settings and definitions in ways that nobody has to know of."""
    for table in ("api", "setting"):
        op.execute(f"ALTER TABLE {SCHEMA}.{table} DISABLE TRIGGER note_history")
    for statement in statements:
        op.execute(statement)
    for table in ("api", "setting"):
        op.execute(f"ALTER TABLE {SCHEMA}.{table} ENABLE TRIGGER note_history")


def downgrade() -> None:
    _without_history(
        f"DELETE FROM {SCHEMA}.setting WHERE key = '{RETENTION}'",
        f"UPDATE {SCHEMA}.api SET document = document - 'webhooks'",
    )
    op.execute(f"DROP SCHEMA {JOBS} CASCADE")
    op.drop_table("delivery", schema=SCHEMA)
    op.drop_table("webhook", schema=SCHEMA)
