"""Triggers that note the changes of a table, and the row of ``gatehouse.captured`` that says since when.

What changes a table waits for all who write to it, and all that come later wait behind it: so each table is a
transaction of its own, which waits for a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql
from psycopg2.extras import Json

from app.database import Cursor
from odoo_bridge.changes.needs import TableNeed

#: Milliseconds that a table is waited for.
LOCK_TIMEOUT = 50
#: Days for which a table is captured that only its followers tell of.
_ASKED_DAYS = 30
#: Triggers by their names, each with its event and the tables of rows that it is given.
_TRIGGERS = {
    "gatehouse_insert": ("INSERT", "REFERENCING NEW TABLE AS new_rows"),
    "gatehouse_update": ("UPDATE", "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    "gatehouse_delete": ("DELETE", "REFERENCING OLD TABLE AS old_rows"),
    "gatehouse_truncate": ("TRUNCATE", ""),
}


#: The identity that a table has at the moment, of a row of ``gatehouse.captured``.
_IDENTITY = (
    "gatehouse.capture_identity("
    "to_regclass(quote_ident(name)), ARRAY(SELECT jsonb_object_keys(kept || watched)) || key)"
)


@dataclass(frozen=True, slots=True)
class Noted:
    """Capture of a table: of which columns since which transaction, and whether it is still whole."""

    key: tuple[str, ...]
    kept: Mapping[str, int]
    watched: Mapping[str, int]
    is_whole: bool

    def covers(self, need: TableNeed) -> bool:
        """True if just what is needed is noted."""
        return self.is_whole and (self.key, set(self.kept), set(self.watched)) == (
            need.key,
            set(need.kept),
            set(need.watched),
        )


def noted(cr: Cursor) -> dict[str, Noted]:
    """Return the capture of each table by its name: also of tables that are gone, or no longer have their triggers."""
    cr.execute(
        f"SELECT name, key, kept, watched, relation IS NOT NULL AND {_IDENTITY} IS NOT DISTINCT FROM identity "
        "FROM gatehouse.captured"
    )
    return {name: Noted(tuple(key), kept, watched, is_whole) for name, key, kept, watched, is_whole in cr.fetchall()}


def with_triggers(cr: Cursor) -> set[str]:
    """Return the tables that have triggers of ours."""
    cr.execute(
        "SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE tgname = ANY (%s) AND pg_table_is_visible(tgrelid)",
        (list(_TRIGGERS),),
    )
    return {name for (name,) in cr.fetchall()}


def ask(cr: Cursor, table: str, need: TableNeed) -> None:
    """Ask for a table to be noted that no definition tells of: who follows it now needs it."""
    before = asked(cr).get(table)
    if before is not None:
        need = need | before
    needed = Json({"kept": sorted(need.kept), "watched": sorted(need.watched)})
    cr.execute(
        "INSERT INTO gatehouse.captured (name, key, kept, watched, since, asked, asked_at) "
        "VALUES (%(name)s, %(key)s, '{}', '{}', 0, %(needed)s, now()) "
        "ON CONFLICT (name) DO UPDATE SET asked = %(needed)s, asked_at = now()",
        {"name": table, "key": list(need.key), "needed": needed},
    )


def asked(cr: Cursor) -> dict[str, TableNeed]:
    """Return the needs that somebody has asked for in the last days, by table."""
    cr.execute(
        "SELECT name, key, asked FROM gatehouse.captured WHERE asked_at > now() - make_interval(days => %s)",
        (_ASKED_DAYS,),
    )
    return {
        name: TableNeed(tuple(key), frozenset(needed.get("kept", ())), frozenset(needed.get("watched", ())))
        for name, key, needed in cr.fetchall()
    }


def install(cr: Cursor, table: str, need: TableNeed) -> None:
    """Have the changes of a table noted, where there is such a table and they are not.

    What was noted without a break before is noted since then. Raises psycopg2.Error, LockNotAvailable among them.
    """
    cr.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}")
    cr.execute("SELECT to_regclass(quote_ident(%s))::oid", (table,))
    (relation,) = cr.fetchone() or (None,)
    if relation is None:
        return
    # Whoever has written to it by the old triggers, or by none, has ended; who comes later sees the new ones.
    name = sql.Identifier(table)
    cr.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(name))
    before = noted(cr).get(table)
    if before is not None and before.covers(need):
        return
    arguments = [",".join(need.key), ",".join(sorted(need.kept)), ",".join(sorted(need.watched)), _shape(cr, relation)]
    if len(need.key) > 1:
        arguments[3] = "wide"  # one row of a relation table is told by both of its columns
    for trigger, (event, tables) in _TRIGGERS.items():
        cr.execute(
            sql.SQL(
                f"CREATE OR REPLACE TRIGGER {trigger} AFTER {event} ON {{}} {tables} FOR EACH STATEMENT "
                f"EXECUTE FUNCTION gatehouse.note_{event.lower()}({{}})"
            ).format(name, sql.SQL(", ").join(map(sql.Literal, arguments)))
        )
        # Also where somebody has switched triggers off for a restore.
        cr.execute(sql.SQL(f"ALTER TABLE {{}} ENABLE ALWAYS TRIGGER {trigger}").format(name))
    cr.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    (now,) = cr.fetchone() or (0,)
    known = before if before is not None and before.is_whole else None
    cr.execute(
        "INSERT INTO gatehouse.captured (name, relation, key, kept, watched, since) "
        "VALUES (%(name)s, %(relation)s, %(key)s, %(kept)s, %(watched)s, %(since)s) "
        "ON CONFLICT (name) DO UPDATE SET relation = EXCLUDED.relation, "
        "key = EXCLUDED.key, kept = EXCLUDED.kept, watched = EXCLUDED.watched, "
        "since = CASE WHEN %(is_known)s THEN gatehouse.captured.since ELSE EXCLUDED.since END",
        {
            "name": table,
            "relation": relation,
            "key": list(need.key),
            "kept": Json({column: known.kept.get(column, now) if known else now for column in need.kept}),
            "watched": Json({column: _watched_since(known, column, now) for column in need.watched}),
            "since": now,
            "is_known": known is not None,
        },
    )
    cr.execute(f"UPDATE gatehouse.captured SET identity = {_IDENTITY} WHERE name = %s", (table,))


def remove(cr: Cursor, table: str) -> None:
    """Note a table's changes no longer. Raises psycopg2.Error, LockNotAvailable among them."""
    cr.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}")
    cr.execute("SELECT to_regclass(quote_ident(%s)) IS NOT NULL", (table,))
    if cr.fetchone() == (True,):
        for trigger in _TRIGGERS:
            cr.execute(sql.SQL(f"DROP TRIGGER IF EXISTS {trigger} ON {{}}").format(sql.Identifier(table)))
    cr.execute("DELETE FROM gatehouse.captured WHERE name = %s", (table,))


def _watched_since(known: Noted | None, column: str, now: int) -> int:
    """Return since when it is noted whether a column was changed; who keeps its old values notes that too."""
    if known is None:
        return now
    return min((each[column] for each in (known.watched, known.kept) if column in each), default=now)


def _shape(cr: Cursor, relation: int) -> str:
    """Return "narrow" where a row can be compared as a whole, else "wide": a table that holds large values."""
    cr.execute(
        "SELECT coalesce(pg_relation_size(nullif(reltoastrelid, 0)), 0) > 0 OR EXISTS (SELECT FROM pg_attribute "
        "WHERE attrelid = pg_class.oid AND atttypid = 'bytea'::regtype AND NOT attisdropped) "
        "FROM pg_class WHERE oid = %s",
        (relation,),
    )
    return "narrow" if cr.fetchone() == (False,) else "wide"


def forget(cr: Cursor) -> None:
    """Forget all changes that were noted; who follows any begins with a new pass."""
    cr.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}")
    cr.execute("TRUNCATE gatehouse.changes")


def rows(cr: Cursor) -> list[dict[str, Any]]:
    """Return the captured tables as people want them: the name, the number of columns, and whether all is in order."""
    cr.execute(
        "SELECT name, cardinality(ARRAY(SELECT jsonb_object_keys(kept || watched))), "
        f"{_IDENTITY} IS NOT DISTINCT FROM identity FROM gatehouse.captured ORDER BY name"
    )
    return [{"table": name, "columns": columns, "is_whole": is_whole} for name, columns, is_whole in cr.fetchall()]
