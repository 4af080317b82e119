"""Claims of keys, so that one record is made of those that several calls make by one key at once."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "nothing that is kept for longer than calls take"


def upgrade() -> None:
    op.create_table(
        "claim",
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )
    op.create_index("ix_claim_claimed_at", "claim", ["claimed_at"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_table("claim", schema=SCHEMA)
