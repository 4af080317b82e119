"""Calls of AI agents: their approvals, their marks in the request log and the audit, and new keys of definitions."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
#: What a client can be given.
_OF_STRANGERS = ("token", "authorization_code", "consent")
loses = "which calls and changes were those of AI agents, and the approvals that wait"


def upgrade() -> None:
    for table in ("request_log", "audit"):
        op.add_column(table, sa.Column("tool", sa.Text), schema=SCHEMA)
    op.add_column("audit", sa.Column("approved_by", sa.Integer), schema=SCHEMA)
    op.create_table(
        "approval",
        sa.Column("lookup", sa.Text, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        # All that it is good for.
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column(
            "api_id", sa.Integer, sa.ForeignKey(f"{SCHEMA}.api.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("arguments", sa.LargeBinary, nullable=False),
        sa.Column("condition", JSONB, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="pending"),
        sa.Column("uid", sa.Integer),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("decided_by", sa.Integer),
        sa.CheckConstraint("way IN ('form', 'argument', 'person')", name="ck_approval_way"),
        sa.CheckConstraint("status IN ('pending', 'approved', 'refused', 'used')", name="ck_approval_status"),
        schema=SCHEMA,
    )
    # For which resource a token is good (RFC 8707), and whether it has to name one.
    for table in ("token", "authorization_code"):
        op.add_column(table, sa.Column("resource", sa.Text), schema=SCHEMA)
    optional = sa.Column("resource_optional", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("client", optional, schema=SCHEMA)
    # Clients that describe themselves, each as the client app that lets those of its host ask.
    hosts: sa.Column[list[str]] = sa.Column("metadata_hosts", ARRAY(sa.Text), nullable=False, server_default="{}")
    op.add_column("client", hosts, schema=SCHEMA)
    op.create_table(
        "stranger",
        sa.Column("url", sa.Text, primary_key=True),
        sa.Column(
            "client_id",
            sa.Integer,
            sa.ForeignKey(f"{SCHEMA}.client.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("redirect_uris", ARRAY(sa.Text), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        schema=SCHEMA,
    )
    for table in _OF_STRANGERS:
        op.add_column(table, sa.Column("client_url", sa.Text, nullable=False, server_default=""), schema=SCHEMA)
    # What a person has allowed for the tools, they have not allowed for all else.
    op.add_column("consent", sa.Column("resource", sa.Text, nullable=False, server_default=""), schema=SCHEMA)
    _identify_consents("client_id", "uid", "client_url", "resource")
    _watch_client(", resource_optional, metadata_hosts")
    # So that an import of the same file changes nothing.
    _without_history(f'UPDATE {SCHEMA}.api SET document = \'{{"mcp": false, "mcp_approval": "ask"}}\' || document')


def _identify_consents(*columns: str) -> None:
    """Give consents another primary key."""
    op.drop_constraint("pk_consent", "consent", schema=SCHEMA)
    op.create_primary_key("pk_consent", "consent", list(columns), schema=SCHEMA)


def _watch_client(more: str) -> None:
    """Have changes of a client app raise the version by which workers forget it (migration 0009)."""
    op.execute(f"DROP TRIGGER raise_credential_version ON {SCHEMA}.client")
    op.execute(
        f"CREATE TRIGGER raise_credential_version AFTER UPDATE OF id, name, active, scopes, uid{more} OR DELETE OR "
        f"TRUNCATE ON {SCHEMA}.client FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.raise_credential_version()"
    )


def _without_history(statement: Any) -> None:
    """Change definitions in a way that nobody has to know of."""
    op.execute(f"ALTER TABLE {SCHEMA}.api DISABLE TRIGGER note_history")
    op.execute(statement)
    op.execute(f"ALTER TABLE {SCHEMA}.api ENABLE TRIGGER note_history")


def downgrade() -> None:
    _without_history(f"UPDATE {SCHEMA}.api SET document = document - 'mcp' - 'mcp_approval'")
    _watch_client("")
    # What one that described itself was given must not become the app's.
    for table in _OF_STRANGERS:
        op.execute(f"DELETE FROM {SCHEMA}.{table} WHERE client_url <> ''")
    op.execute(f"DELETE FROM {SCHEMA}.consent WHERE resource <> ''")
    _identify_consents("client_id", "uid")
    op.drop_column("consent", "resource", schema=SCHEMA)
    for table in _OF_STRANGERS:
        op.drop_column(table, "client_url", schema=SCHEMA)
    op.drop_table("stranger", schema=SCHEMA)
    op.drop_column("client", "metadata_hosts", schema=SCHEMA)
    op.drop_column("client", "resource_optional", schema=SCHEMA)
    # What was good for one resource alone must not become good for all.
    for table in ("token", "authorization_code"):
        op.execute(f"DELETE FROM {SCHEMA}.{table} WHERE resource IS NOT NULL")
        op.drop_column(table, "resource", schema=SCHEMA)
    op.drop_table("approval", schema=SCHEMA)
    op.drop_column("audit", "approved_by", schema=SCHEMA)
    for table in ("request_log", "audit"):
        op.drop_column(table, "tool", schema=SCHEMA)
