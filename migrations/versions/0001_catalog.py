"""The catalog: API definitions, settings, and the version that tells workers of changes."""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "all API definitions, the settings, and the keys that ids and secrets are made with"


def upgrade() -> None:
    op.create_table(
        "api",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("name", sa.Text, sa.Computed("document->>'name'", persisted=True), nullable=False),
        sa.Column("route", sa.Text, sa.Computed("document->>'route'", persisted=True), nullable=False),
        sa.Column(
            "published", sa.Boolean, sa.Computed("(document->>'published')::boolean", persisted=True), nullable=False
        ),
        sa.UniqueConstraint("name", name="uq_api_name"),
        sa.UniqueConstraint("route", name="uq_api_route"),
        schema=SCHEMA,
    )
    setting = op.create_table(
        "setting",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", JSONB, nullable=False),
        schema=SCHEMA,
    )
    version = op.create_table(
        "catalog_version",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    # Secrets belong to the database: a backup holds them, and every host that serves it shares them.
    op.bulk_insert(
        setting,
        [
            {"key": "hashids_salt", "value": secrets.token_urlsafe(32)},
            {"key": "secret_key", "value": secrets.token_urlsafe(48)},
        ],
    )
    op.bulk_insert(version, [{"id": 1, "version": 1}])
    op.execute(
        f"""
        CREATE FUNCTION {SCHEMA}.raise_catalog_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE {SCHEMA}.catalog_version SET version = version + 1 WHERE id = 1;
            RETURN NULL;
        END $$
        """
    )
    for table in ("api", "setting"):
        op.execute(
            f"CREATE TRIGGER raise_catalog_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {SCHEMA}.{table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.raise_catalog_version()"
        )


def downgrade() -> None:
    for table in ("api", "setting", "catalog_version"):
        op.drop_table(table, schema=SCHEMA)
    op.execute(f"DROP FUNCTION {SCHEMA}.raise_catalog_version()")
