"""An id of each call in the log and the audit, whatever request id its client has chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "the call ids of the request log and the audit"
TABLES = ("audit", "request_log")


def upgrade() -> None:
    # Without a default and without an index: rows are found by their request id, and this changes none of them.
    for table in TABLES:
        op.add_column(table, sa.Column("call_id", sa.Text), schema=SCHEMA)


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "call_id", schema=SCHEMA)
