"""The version that tells workers that a token or a client app is no longer what they remember of it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "nothing that anybody has entered: how workers learn of revocations"
ROWS = 64
#: Events that raise it, by table. New rows don't, since nobody remembers a token before it is there, nor does what
#: follows from use: when a token was used last, or that a refresh token is spent.
EVENTS = {
    "client": ("UPDATE OF id, name, active, scopes, uid", "DELETE", "TRUNCATE"),
    "token": ("UPDATE OF lookup, hash, kind, client_id, uid, scopes, expires_at", "TRUNCATE"),
}


def _trigger(name: str, event: str, table: str, function: str, more: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {name} AFTER {event} ON {SCHEMA}.{table} {more} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.{function}()"
    )


def upgrade() -> None:
    # Rows, and no sequence: others would see that raised before the commit, find the old state, and keep it for ever.
    # Several, of which each change takes any one: who revokes tokens all the time keeps nobody else from it.
    version = op.create_table(
        "credential_version",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.bulk_insert(version, [{"id": number, "version": 1} for number in range(ROWS)])
    op.execute(
        f"""
        CREATE FUNCTION {SCHEMA}.raise_credential_version() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            chosen integer := floor(random() * {ROWS});
        BEGIN
            UPDATE {SCHEMA}.credential_version SET version = version + 1 WHERE id = chosen;
            RETURN NULL;
        END $$
        """
    )
    # Expired tokens are cleared away all the time, and refresh tokens open nothing.
    op.execute(
        f"""
        CREATE FUNCTION {SCHEMA}.raise_credential_version_for_good_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            chosen integer := floor(random() * {ROWS});
        BEGIN
            IF EXISTS (SELECT 1 FROM gone WHERE kind = 'access' AND expires_at > now()) THEN
                UPDATE {SCHEMA}.credential_version SET version = version + 1 WHERE id = chosen;
            END IF;
            RETURN NULL;
        END $$
        """
    )
    for table, events in EVENTS.items():
        _trigger("raise_credential_version", " OR ".join(events), table, "raise_credential_version")
    _trigger(
        "raise_credential_version_for_good_tokens",
        "DELETE",
        "token",
        "raise_credential_version_for_good_tokens",
        "REFERENCING OLD TABLE AS gone",
    )


def downgrade() -> None:
    op.execute(f"DROP TRIGGER raise_credential_version_for_good_tokens ON {SCHEMA}.token")
    for table in EVENTS:
        op.execute(f"DROP TRIGGER raise_credential_version ON {SCHEMA}.{table}")
    op.execute(f"DROP FUNCTION {SCHEMA}.raise_credential_version_for_good_tokens()")
    op.execute(f"DROP FUNCTION {SCHEMA}.raise_credential_version()")
    op.drop_table("credential_version", schema=SCHEMA)
