"""The oldest code that may work on the schema, so that a version of before tolerates a schema newer than it knows."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "which older versions may work on the schema"


def upgrade() -> None:
    table = op.create_table(
        "compatibility",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("oldest_code", sa.Text, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_compatibility_one_row"),
        schema=SCHEMA,
    )
    # This table is all that is new since then.
    op.bulk_insert(table, [{"id": 1, "oldest_code": "0006"}])


def downgrade() -> None:
    op.drop_table("compatibility", schema=SCHEMA)
