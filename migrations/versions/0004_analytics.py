"""The audit of changes, the request log in a partition per day, rollups, and the history of definitions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "the audit, the request log, the statistics, and the history of definitions"
ROLLUPS = ("rollup_minute", "rollup_hour", "rollup_day")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now(), index=True),
        sa.Column("request_id", sa.Text, nullable=False, index=True),
        sa.Column("api_id", sa.Integer, nullable=False),
        sa.Column("api", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("record_ids", ARRAY(sa.Integer), nullable=False),
        sa.Column("fields", ARRAY(sa.Text), nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("uid", sa.Integer, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("ix_audit_model_record_ids", "audit", ["record_ids"], schema=SCHEMA, postgresql_using="gin")
    op.create_table(
        "request_log",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("api_id", sa.Integer, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("caller", sa.Text),
        sa.Column("client", sa.Text),
        sa.Column("uid", sa.Integer),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("milliseconds", sa.Float, nullable=False),
        schema=SCHEMA,
        postgresql_partition_by="RANGE (at)",
    )
    for columns in (["at"], ["api_id", "at"], ["request_id"]):
        op.create_index(f"ix_request_log_{'_'.join(columns)}", "request_log", columns, schema=SCHEMA)
    for table in ROLLUPS:
        op.create_table(
            table,
            # The dimension comes first: a query asks for one, over a period.
            sa.Column("dimension", sa.Text, primary_key=True),
            sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
            sa.Column("api_id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("key", sa.Text, primary_key=True),
            sa.Column("failed", sa.Boolean, primary_key=True),
            sa.Column("bucket", sa.SmallInteger, primary_key=True, autoincrement=False),
            sa.Column("calls", sa.BigInteger, nullable=False),
            sa.Column("milliseconds", sa.Float, nullable=False),
            schema=SCHEMA,
        )
    op.create_table(
        "history",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now(), index=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("before", JSONB),
        sa.Column("after", JSONB),
        schema=SCHEMA,
    )
    # By trigger, so that no way of changing a definition goes past it. Secrets are not among what these tables hold,
    # but for two settings, whose values stay out.
    op.execute(
        f"""
        CREATE FUNCTION {SCHEMA}.note_history() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
            after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
            actor text := coalesce(nullif(current_setting('gatehouse.actor', true), ''), 'command line');
        BEGIN
            IF TG_TABLE_NAME = 'api' THEN
                before := before->'document';
                after := after->'document';
            END IF;
            IF TG_TABLE_NAME = 'setting' AND coalesce(after->>'key', before->>'key') IN ('secret_key', 'hashids_salt')
            THEN
                before := before - 'value';
                after := after - 'value';
            END IF;
            IF before IS DISTINCT FROM after THEN
                INSERT INTO {SCHEMA}.history (actor, kind, name, before, after)
                VALUES (actor, TG_TABLE_NAME,
                        coalesce(after->>'name', before->>'name', after->>'key', before->>'key'), before, after);
            END IF;
            RETURN NULL;
        END $$
        """
    )
    for table in ("api", "setting", "client"):
        op.execute(
            f"CREATE TRIGGER note_history AFTER INSERT OR UPDATE OR DELETE ON {SCHEMA}.{table} "
            f"FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.note_history()"
        )


def downgrade() -> None:
    for table in ("api", "setting", "client"):
        op.execute(f"DROP TRIGGER note_history ON {SCHEMA}.{table}")
    op.execute(f"DROP FUNCTION {SCHEMA}.note_history()")
    for table in ("audit", "request_log", *ROLLUPS, "history"):
        op.drop_table(table, schema=SCHEMA)
