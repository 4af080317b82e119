"""Changes of records, as triggers on Odoo's tables note them, and the tables that have such triggers."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SCHEMA = "gatehouse"
loses = "the changes that clients have not fetched yet: all begin with a new pass"
RETENTION = "changes_retention_days"
#: Functions of triggers, by what makes PostgreSQL call them.
FUNCTIONS = ("note_insert", "note_update", "note_delete", "note_truncate")
_HEAD = "RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
#: The types of Odoo's columns, all of which PostgreSQL can compare. What else an addon may have is compared as text.
_COMPARED = (
    "ARRAY['bool', 'bytea', 'date', 'float8', 'int4', 'int8', 'jsonb', 'numeric', 'text', 'timestamp', 'varchar']"
    "::regtype[]"
)
#: The columns that are there, of those that the trigger was given: one that an upgrade has dropped is none, nor is one
#: without a value of its own, or a key that is no number.
_THERE = (
    "FROM pg_attribute WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped AND attgenerated <> 'v' "
    "AND attname = ANY (key || kept || watched) "
    "AND (attname <> ALL (key) OR atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype))"
)
# A trigger is given names of columns as its arguments, each a list with commas: the key (``id``, or both columns of a
# relation table), those whose old values are kept, and those that are watched besides. No function names a column:
# where one has gone, what is left is noted, and the write goes on. Whatever else fails, it is noted that something was
# missed, and the write goes on too. That needs a subtransaction, of which an insert has none, as nothing of it can
# fail; and an update of one row, which most are, is looked at in a block that writes nothing, and takes no number.
_DECLARED = """key text[] := string_to_array(TG_ARGV[0], ',');
    kept text[] := string_to_array(TG_ARGV[1], ',');
    watched text[] := string_to_array(TG_ARGV[2], ',');"""
_MISSED = f"""EXCEPTION WHEN OTHERS THEN
    INSERT INTO {SCHEMA}.changes (at, relation, op) VALUES (clock_timestamp(), TG_RELID, 'T');
    RETURN NULL;"""
#: An expression for the kept columns of a row as an object: a call with a pair for each would take 50 at most.
_IMAGE = """coalesce(
        '(SELECT to_jsonb(image) FROM (SELECT '
        || string_agg(format('o.%1$I', attname), ', ') FILTER (WHERE attname = ANY (kept)) || ') AS image)',
        quote_literal('{}') || '::jsonb'
    )"""
_NOTE_INSERT = f"""
CREATE FUNCTION {SCHEMA}.note_insert() {_HEAD} AS $$
DECLARE
    {_DECLARED}
    found bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) OR to_regclass('{SCHEMA}.changes') IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT count(*) FILTER (WHERE attname = ANY (key)) INTO found {_THERE};
    IF found = cardinality(key) THEN
        EXECUTE format(
            'INSERT INTO {SCHEMA}.changes (at, relation, op, key, key2) '
            'SELECT clock_timestamp(), %s, ''I'', n.%I, %s FROM new_rows n',
            TG_RELID, key[1], coalesce('n.' || quote_ident(key[2]), 'NULL')
        );
    END IF;
    RETURN NULL;
END $$
"""
_NOTE_DELETE = f"""
CREATE FUNCTION {SCHEMA}.note_delete() {_HEAD} AS $$
DECLARE
    {_DECLARED}
    image text;
    found bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM old_rows) OR to_regclass('{SCHEMA}.changes') IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT {_IMAGE}, count(*) FILTER (WHERE attname = ANY (key)) INTO image, found {_THERE};
    IF found = cardinality(key) THEN
        EXECUTE format(
            'INSERT INTO {SCHEMA}.changes (at, relation, op, key, key2, old) '
            'SELECT clock_timestamp(), %s, ''D'', o.%I, %s, %s FROM old_rows o',
            TG_RELID, key[1], coalesce('o.' || quote_ident(key[2]), 'NULL'), image
        );
    END IF;
    RETURN NULL;
{_MISSED}
END $$
"""
# A row whose key is changed is one that has gone and another that has come. Most writes are of one row: for that a
# plan that is kept is three times as fast as the statement that compares many, unless the table may hold large values.
_NOTE_UPDATE = f"""
CREATE FUNCTION {SCHEMA}.note_update() {_HEAD} AS $$
DECLARE
    {_DECLARED}
    before jsonb;
    after jsonb;
    changed text[];
    compared text;
    image text;
    same text;
    found bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) OR to_regclass('{SCHEMA}.changes') IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_ARGV[3] = 'narrow' AND (SELECT count(*) FROM (SELECT FROM new_rows LIMIT 2) AS first_two) = 1 THEN
        BEGIN
            SELECT to_jsonb(o) INTO before FROM old_rows o;
            SELECT to_jsonb(n) INTO after FROM new_rows n;
            changed := ARRAY(
                SELECT name FROM unnest(kept || watched) AS name WHERE before->name IS DISTINCT FROM after->name
            );
        EXCEPTION WHEN OTHERS THEN
            before := NULL;
        END;
        IF jsonb_typeof(before->key[1]) = 'number' AND before->key[1] = after->key[1] THEN
            IF changed <> '{{}}' THEN
                INSERT INTO {SCHEMA}.changes (at, relation, op, key, fields, old)
                SELECT clock_timestamp(), TG_RELID, 'U', (before->>key[1])::bigint, changed,
                       (SELECT jsonb_object_agg(name, before->name) FROM unnest(kept) AS name WHERE before ? name);
            END IF;
            RETURN NULL;
        END IF;
    END IF;
    BEGIN
        SELECT string_agg(
                   CASE WHEN atttypid = ANY ({_COMPARED}) THEN format(
                       'CASE WHEN o.%1$I IS DISTINCT FROM n.%1$I THEN %1$L END', attname)
                   ELSE format('CASE WHEN o.%1$I::text IS DISTINCT FROM n.%1$I::text THEN %1$L END', attname) END, ', '
               ) FILTER (WHERE attname <> ALL (key)),
               {_IMAGE},
               string_agg(format('o.%1$I = n.%1$I', attname), ' AND ') FILTER (WHERE attname = ANY (key)),
               count(*) FILTER (WHERE attname = ANY (key))
          INTO compared, image, same, found {_THERE};
        IF found = cardinality(key) THEN
            EXECUTE format(
                'INSERT INTO {SCHEMA}.changes (at, relation, op, key, key2, fields, old) '
                'SELECT clock_timestamp(), %1$s, op, %2$s, %3$s, CASE op WHEN ''U'' THEN fields END, '
                'CASE WHEN op <> ''I'' THEN %4$s END '
                'FROM old_rows o FULL JOIN new_rows n ON %5$s '
                'CROSS JOIN LATERAL (SELECT CASE WHEN n.%6$I IS NULL THEN ''D'' WHEN o.%6$I IS NULL THEN ''I'' '
                'ELSE ''U'' END::"char" AS op, array_remove(ARRAY[%7$s]::text[], NULL) AS fields) AS compared '
                'WHERE op <> ''U'' OR fields <> ''{{}}''',
                TG_RELID,
                format('coalesce(o.%1$I, n.%1$I)', key[1]),
                coalesce(replace('coalesce(o.?, n.?)', '?', quote_ident(key[2])), 'NULL'),
                image, same, key[1], compared
            );
        END IF;
    {_MISSED}
    END;
    RETURN NULL;
END $$
"""
_NOTE_TRUNCATE = f"""
CREATE FUNCTION {SCHEMA}.note_truncate() {_HEAD} AS $$
BEGIN
    IF to_regclass('{SCHEMA}.changes') IS NOT NULL THEN
        INSERT INTO {SCHEMA}.changes (at, relation, op) VALUES (clock_timestamp(), TG_RELID, 'T');
    END IF;
    RETURN NULL;
END $$
"""
# A table that is another one, or written anew, columns that are others, and triggers that were switched off for a time,
# even if they are on again: each makes another text of it.
_IDENTITY = f"""
CREATE FUNCTION {SCHEMA}.capture_identity(relation regclass, columns text[]) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(
        ' ', relation::oid, pg_relation_filenode(relation),
        (SELECT string_agg(format('%s/%s/%s', oid, xmin, tgenabled), ' ' ORDER BY tgname)
         FROM pg_trigger WHERE tgrelid = relation AND tgname LIKE 'gatehouse\\_%'),
        (SELECT string_agg(format('%s/%s/%s', attnum, atttypid, md5(attmissingval::text)), ' ' ORDER BY attnum)
         FROM pg_attribute WHERE attrelid = relation AND attname = ANY (columns) AND NOT attisdropped)
    )
$$
"""


def upgrade() -> None:
    op.execute(f"CREATE SEQUENCE {SCHEMA}.changes_seq")
    # In SQL: SQLAlchemy has no words for some of these types. ``seq`` is the order of the changes of one row, each of
    # which has its number while it holds the row's lock.
    op.execute(
        f"""
        CREATE TABLE {SCHEMA}.changes (
            at timestamptz NOT NULL,
            seq bigint NOT NULL DEFAULT nextval('{SCHEMA}.changes_seq'),
            xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
            relation oid NOT NULL,
            op "char" NOT NULL,
            key bigint,
            key2 bigint,
            fields text[],
            old jsonb
        ) PARTITION BY RANGE (at)
        """
    )
    op.execute(f"CREATE TABLE {SCHEMA}.changes_default PARTITION OF {SCHEMA}.changes DEFAULT")
    op.create_index("ix_changes_relation_xid_key", "changes", ["relation", "xid", "key"], schema=SCHEMA)
    # All transactions from ``ahead`` on began to write after ``at``.
    op.create_table(
        "mark",
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("ahead", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "captured",
        sa.Column("name", sa.Text, primary_key=True),
        # None of a table that has yet to be captured: somebody follows it whom no definition tells of.
        sa.Column("relation", sa.BigInteger),
        sa.Column("identity", sa.Text),
        sa.Column("key", ARRAY(sa.Text), nullable=False),
        # Names of columns, each with the transaction from which on all is noted.
        sa.Column("kept", JSONB, nullable=False),
        sa.Column("watched", JSONB, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        # What somebody needs who follows it, beyond all definitions: names of columns, by whether they are kept.
        sa.Column("asked", JSONB, nullable=False, server_default="{}"),
        sa.Column("asked_at", sa.DateTime(timezone=True)),
        schema=SCHEMA,
    )
    for statement in (_NOTE_INSERT, _NOTE_UPDATE, _NOTE_DELETE, _NOTE_TRUNCATE, _IDENTITY):
        op.execute(statement)
    setting = sa.table("setting", sa.column("key", sa.Text), sa.column("value", JSONB), schema=SCHEMA)
    _without_history(
        postgresql.insert(setting).values(key=RETENTION, value=30).on_conflict_do_nothing(),
        # The new key of definitions, so that an import of the same file changes nothing.
        f"UPDATE {SCHEMA}.api SET document = jsonb_set(document, '{{endpoints,delta}}', 'false') "
        "WHERE document ? 'endpoints'",
    )
    for name in FUNCTIONS:
        op.execute(f"REVOKE EXECUTE ON FUNCTION {SCHEMA}.{name}() FROM PUBLIC")


def _without_history(*statements: Any) -> None:
    """Change settings and definitions in ways that nobody has to know of."""
    for table in ("api", "setting"):
        op.execute(f"ALTER TABLE {SCHEMA}.{table} DISABLE TRIGGER note_history")
    for statement in statements:
        op.execute(statement)
    for table in ("api", "setting"):
        op.execute(f"ALTER TABLE {SCHEMA}.{table} ENABLE TRIGGER note_history")


def downgrade() -> None:
    _without_history(
        f"DELETE FROM {SCHEMA}.setting WHERE key IN ('{RETENTION}', 'capture')",
        f"UPDATE {SCHEMA}.api SET document = document #- '{{endpoints,delta}}'",
    )
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {SCHEMA}.{name}() CASCADE")  # with the triggers on Odoo's tables
    op.execute(f"DROP FUNCTION {SCHEMA}.capture_identity(regclass, text[])")
    op.drop_table("captured", schema=SCHEMA)
    op.drop_table("changes", schema=SCHEMA)
    op.drop_table("mark", schema=SCHEMA)
    op.execute(f"DROP SEQUENCE {SCHEMA}.changes_seq")
