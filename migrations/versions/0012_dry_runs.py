"""Mark of dry runs, in the request log."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "which calls of the request log were dry runs"


def upgrade() -> None:
    column = sa.Column("dry_run", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("request_log", column, schema=SCHEMA)


def downgrade() -> None:
    op.drop_column("request_log", "dry_run", schema=SCHEMA)
