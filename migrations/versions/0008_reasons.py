"""The reason of a failure and the query of a call in the request log."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "the reasons of failures and the queries in the request log"
COLUMNS = ("query", "query_note", "reason")


def upgrade() -> None:
    # Without defaults: no row of any day is rewritten, and code of before goes on writing beside it.
    for name in COLUMNS:
        op.add_column("request_log", sa.Column(name, sa.Text), schema=SCHEMA)


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("request_log", name, schema=SCHEMA)
