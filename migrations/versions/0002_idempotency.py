"""Answers of calls that carried an Idempotency-Key."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "answers kept for calls with an Idempotency-Key"


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("api_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("result", sa.LargeBinary),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.ForeignKeyConstraint(["api_id"], [f"{SCHEMA}.api.id"], name="fk_idempotency_api_id_api", ondelete="CASCADE"),
        schema=SCHEMA,
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_table("idempotency", schema=SCHEMA)
