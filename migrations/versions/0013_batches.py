"""Idempotency-Keys of batches, which belong to no API."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "answers kept for batches with an Idempotency-Key"
KEY = "fk_idempotency_api_id_api"


def upgrade() -> None:
    op.drop_constraint(KEY, "idempotency", schema=SCHEMA)


def downgrade() -> None:
    op.execute(f"DELETE FROM {SCHEMA}.idempotency WHERE api_id NOT IN (SELECT id FROM {SCHEMA}.api)")
    op.create_foreign_key(
        KEY, "idempotency", "api", ["api_id"], ["id"], source_schema=SCHEMA, referent_schema=SCHEMA, ondelete="CASCADE"
    )
