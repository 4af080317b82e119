"""Client apps, their secrets, tokens, authorization codes and consents."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "client apps with their secrets, tokens, codes and consents"
TABLES = ("client", "client_secret", "token", "authorization_code", "consent")


def _moment(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=sa.func.now() if now else None)


def _client() -> sa.Column[Any]:
    return sa.Column(
        "client_id", sa.Integer, sa.ForeignKey(f"{SCHEMA}.client.id", ondelete="CASCADE"), nullable=False, index=True
    )


def upgrade() -> None:
    op.create_table(
        "client",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("public_id", sa.Text, nullable=False, unique=True),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("lifetime", sa.Integer, nullable=False, server_default="1800"),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("uid", sa.Integer),
        sa.Column("redirect_uris", ARRAY(sa.Text), nullable=False, server_default="{}"),
        _moment("created_at", now=True),
        schema=SCHEMA,
    )
    op.create_table(
        "client_secret",
        sa.Column("lookup", sa.Text, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        _client(),
        _moment("created_at", now=True),
        _moment("expires_at", nullable=True),
        schema=SCHEMA,
    )
    op.create_table(
        "token",
        sa.Column("lookup", sa.Text, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        _client(),
        sa.Column("uid", sa.Integer, index=True),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("family", sa.Text, index=True),
        sa.Column("replaced", sa.Boolean, nullable=False, server_default=sa.false()),
        _moment("created_at", now=True),
        _moment("expires_at"),
        sa.CheckConstraint("kind IN ('access', 'refresh')", name="ck_token_kind"),
        schema=SCHEMA,
    )
    op.create_index("ix_token_expires_at", "token", ["expires_at"], schema=SCHEMA)
    op.create_table(
        "authorization_code",
        sa.Column("lookup", sa.Text, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        _client(),
        sa.Column("uid", sa.Integer, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("redirect_uri_given", sa.Boolean, nullable=False),
        sa.Column("challenge", sa.Text, nullable=False),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("used", sa.Boolean, nullable=False, server_default=sa.false()),
        _moment("expires_at"),
        schema=SCHEMA,
    )
    op.create_table(
        "consent",
        sa.Column("client_id", sa.Integer, sa.ForeignKey(f"{SCHEMA}.client.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("uid", sa.Integer, primary_key=True),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        _moment("granted_at", now=True),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema=SCHEMA)
