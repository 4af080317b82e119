"""When tokens were last used, and the settings that hold for all APIs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"

#: What was in force before there were rows: with them, the history of the first change knows its before.
SETTINGS = {
    "log_retention_days": 90,
    "max_body_size": None,
    "login_tries_per_minute": 10,
    "login_tries_per_hour": 50,
    "address_tries_per_minute": 30,
    "address_tries_per_hour": 300,
    "account_tries_per_hour": 60,
    "log_body_size": 16_384,
}


def upgrade() -> None:
    op.add_column("token", sa.Column("last_used_at", sa.DateTime(timezone=True)), schema=SCHEMA)
    setting = sa.table("setting", sa.column("key", sa.Text), sa.column("value", JSONB), schema=SCHEMA)
    op.execute(f"ALTER TABLE {SCHEMA}.setting DISABLE TRIGGER note_history")
    for key, value in SETTINGS.items():
        op.execute(postgresql.insert(setting).values(key=key, value=value).on_conflict_do_nothing())
    op.execute(f"ALTER TABLE {SCHEMA}.setting ENABLE TRIGGER note_history")


def downgrade() -> None:
    keys = ", ".join(f"'{key}'" for key in SETTINGS if key != "log_retention_days")
    op.execute(f"DELETE FROM {SCHEMA}.setting WHERE key IN ({keys})")
    op.drop_column("token", "last_used_at", schema=SCHEMA)
