"""The benchmarks' database: a copy of the tests' template with many partners, made once and kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg2.extensions

from dev import databases
from dev.steps import step
from dev.testbed import Testbed

NAME = "gatehouse_bench"
PARTNERS = 100_000
COMPANIES = 1000
#: What the workloads create is called so, and is taken away by that name.
CREATED = "Bench "

#: Partners as Odoo itself would have stored them. Each `ref` is shared by ten; every second contact has a company.
_ENLARGE = """
INSERT INTO res_partner (
    name, complete_name, is_company, parent_id, commercial_partner_id, commercial_company_name, ref, email,
    email_normalized, phone, phone_sanitized, street, city, zip, country_id, lang, type, active, partner_share, color,
    message_bounce, create_uid, write_uid, create_date, write_date
)
SELECT name, CASE WHEN parent_id IS NULL THEN name ELSE company || ', ' || name END, is_company, parent_id, parent_id,
    company, 'R' || lpad((n / 10)::text, 5, '0'), mail, mail, phone, phone, n || ' High Street', 'City ' || n %% 500,
    lpad((n %% 99999)::text, 5, '0'), country_id, 'en_US', 'contact', true, true, n %% 11, 0, 2, 2, moment, moment
FROM (
    SELECT n, is_company,
        CASE WHEN is_company THEN 'Company ' ELSE 'Person ' END || upper(left(md5(n::text), 6)) AS name,
        CASE WHEN is_company THEN NULL ELSE parent.id END AS parent_id,
        CASE WHEN is_company THEN NULL ELSE parent.name END AS company,
        'p' || n || '@example.com' AS mail, '+1 555-' || lpad(n::text, 6, '0') AS phone,
        (SELECT min(id) FROM res_country) + n %% 200 AS country_id,
        now() AT TIME ZONE 'utc' - n * interval '1 minute' AS moment
    FROM (SELECT n, %(companies)s AS is_company FROM generate_series(%(first)s, %(last)s) n) numbers
    LEFT JOIN (
        SELECT id, name, row_number() OVER (ORDER BY id) - 1 AS position FROM res_partner WHERE name LIKE 'Company %%'
    ) parent ON n %% 2 = 0 AND parent.position = (n / 2) %% 1000
    ORDER BY n
) made
"""
#: What Odoo adds to each new partner. Without it, creates would work on tables that PostgreSQL takes for empty.
_COMPLETE = (
    "UPDATE res_partner SET commercial_partner_id = id WHERE commercial_partner_id IS NULL",
    """
    INSERT INTO mail_message (
        model, res_id, message_type, subtype_id, author_id, create_uid, write_uid, email_from, reply_to, message_id,
        body, is_internal, email_add_signature, date, create_date, write_date
    )
    SELECT 'res.partner', p.id, 'notification', s.id, u.partner_id, 2, 2, 'admin@example.com', 'admin@example.com',
        '<bench-' || p.id || '@localhost>', '', true, false, p.create_date, p.create_date, p.create_date
    FROM res_partner p, res_users u, mail_message_subtype s
    WHERE p.ref IS NOT NULL AND u.id = 2 AND s.name->>'en_US' = 'Note'
    """,
    """
    INSERT INTO mail_followers (res_model, res_id, partner_id)
    SELECT 'res.partner', p.id, u.partner_id FROM res_partner p, res_users u WHERE p.ref IS NOT NULL AND u.id = 2
    """,
    """
    INSERT INTO mail_followers_mail_message_subtype_rel (mail_followers_id, mail_message_subtype_id)
    SELECT f.id, s.id FROM mail_followers f, mail_message_subtype s WHERE s.name->>'en_US' = 'Discussions'
    """,
)
_RESET = (
    "CREATE TEMP TABLE made ON COMMIT DROP AS SELECT id FROM res_partner WHERE name LIKE %(created)s",
    "DELETE FROM mail_message WHERE id > (SELECT max(id) FROM mail_message WHERE message_id LIKE '<bench-%%')",
    "DELETE FROM mail_followers WHERE res_model = 'res.partner' AND res_id IN (SELECT id FROM made)",
    "DELETE FROM res_partner WHERE id IN (SELECT id FROM made)",
)
_VACUUMED = ("res_partner", "mail_message", "mail_followers", "mail_followers_mail_message_subtype_rel")


@dataclass(frozen=True)
class Database:
    """A database of the benchmarks in the managed PostgreSQL, with so many partners."""

    testbed: Testbed
    name: str = NAME
    partners: int = PARTNERS

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which Gatehouse uses it."""
        return self.testbed.environment(self.name)

    @contextlib.contextmanager
    def connected(self) -> Iterator[psycopg2.extensions.cursor]:
        """Open a cursor in autocommit mode."""
        with contextlib.closing(self.testbed.server.connect(self.name)) as connection, connection.cursor() as cursor:
            yield cursor

    @contextlib.contextmanager
    def copied(self, label: str) -> Iterator[Database]:
        """Make a copy, and drop it afterwards; nobody may be connected to this one."""
        copy = replace(self, name=f"{self.name}_{label}_{os.getpid()}")
        try:
            self.testbed.clone(copy.name, template=self.name)
            yield copy
        finally:
            self.testbed.drop(copy.name)

    def ensure(self) -> None:
        """Make it unless it is there and up to date. Raises SetupError."""
        server = self.testbed.server
        content = (databases.comment(server, self.testbed.template), _ENLARGE, _COMPLETE, self.partners, COMPANIES)
        note = f"gatehouse: benchmarks {hashlib.sha256(repr(content).encode()).hexdigest()}"
        if databases.comment(server, self.name) != note:
            with step(f"Making the database {self.name} with {self.partners:,} partners"):
                self.testbed.drop(self.name)
                databases.clone(server, self.testbed.template, self.name, self.testbed.data_dir)
                with self.connected() as cursor:
                    self._enlarge(cursor)
                databases.set_comment(server, self.name, note)

    def _enlarge(self, cursor: psycopg2.extensions.cursor) -> None:
        cursor.execute("SELECT count(*) FROM res_partner WHERE active")
        ((there,),) = cursor.fetchall()
        cursor.execute(_ENLARGE, {"companies": True, "first": 1, "last": COMPANIES})
        cursor.execute(_ENLARGE, {"companies": False, "first": COMPANIES + 1, "last": self.partners - there})
        for statement in _COMPLETE:
            cursor.execute(statement)
        # Vacuum comes when we say so, not in the middle of a round.
        for table in _VACUUMED:
            cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
        cursor.execute("VACUUM ANALYZE")


def reset(cursor: psycopg2.extensions.cursor, created: str = CREATED) -> None:
    """Wait until no server works any more, and take away the partners whose names begin so: what was created."""
    settle(cursor)
    cursor.execute("BEGIN")
    for statement in _RESET:
        cursor.execute(statement, {"created": f"{created}%"})
    cursor.execute("COMMIT")
    for table in _VACUUMED:
        cursor.execute(f"VACUUM {table}")


def settle(cursor: psycopg2.extensions.cursor, *, patience: float = 60) -> None:
    """Wait until no server is in a transaction: what a load left behind is done. Raises TimeoutError."""
    deadline = time.monotonic() + patience
    quiet = 0
    while quiet < 5:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' "
            "AND pid <> pg_backend_pid()"
        )
        ((busy,),) = cursor.fetchall()
        quiet = 0 if busy else quiet + 1
        if time.monotonic() > deadline:
            raise TimeoutError(f"The servers are still busy {patience:.0f} s after the load.")
        time.sleep(0.02)
