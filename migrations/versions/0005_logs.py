"""Last uses of tokens, settings that hold for all APIs, and bodies in the request log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = (
    "bodies in the request log, the last use of tokens, settings that were made in the panel, and log_bodies and "
    "masked_fields of all definitions"
)
COLUMNS = ("request_body", "request_note", "response_body", "response_note")

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
    for name in COLUMNS:
        op.add_column("request_log", sa.Column(name, sa.Text), schema=SCHEMA)
    # The new keys of definitions, so that an import of the same file changes nothing.
    op.execute(f"ALTER TABLE {SCHEMA}.api DISABLE TRIGGER note_history")
    op.execute(
        f"UPDATE {SCHEMA}.api SET document = "
        "jsonb_build_object('log_bodies', false, 'masked_fields', jsonb_build_array()) || document"
    )
    op.execute(f"ALTER TABLE {SCHEMA}.api ENABLE TRIGGER note_history")


def downgrade() -> None:
    for table in ("api", "setting"):
        op.execute(f"ALTER TABLE {SCHEMA}.{table} DISABLE TRIGGER note_history")
    op.execute(f"UPDATE {SCHEMA}.api SET document = document - 'log_bodies' - 'masked_fields'")
    for name in COLUMNS:
        op.drop_column("request_log", name, schema=SCHEMA)
    keys = ", ".join(f"'{key}'" for key in SETTINGS if key != "log_retention_days")
    op.execute(f"DELETE FROM {SCHEMA}.setting WHERE key IN ({keys})")
    for table in ("api", "setting"):
        op.execute(f"ALTER TABLE {SCHEMA}.{table} ENABLE TRIGGER note_history")
    op.drop_column("token", "last_used_at", schema=SCHEMA)
