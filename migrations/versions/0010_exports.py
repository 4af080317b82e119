"""Records and bytes of exports, in the request log."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "how many records and bytes exports gave out"
COLUMNS = ("records", "bytes")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("request_log", sa.Column(name, sa.BigInteger), schema=SCHEMA)


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("request_log", name, schema=SCHEMA)
