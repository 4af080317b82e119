"""Reading of changes: which records may have changed for a user, and which they saw at a point of the past.

A statement that Odoo makes for today's tables is run on those of a point: a common table expression with a table's
name stands in its place, of today's rows and, where a row was changed since, of what it was. "At a point" a row is as
it was before its first change by a transaction from that point on.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from odoo.tools import SQL

from odoo_bridge.changes.needs import Needs
from odoo_bridge.changes.places import ByOwner, ByRelation, BySubselect, Place, Way
from odoo_bridge.changes.sight import Sight
from odoo_bridge.transaction import Environment

#: Changes that are looked through for one answer, unless one transaction alone has made more.
MOST_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Transactions from ``first`` to before ``end``, None for all that is there, and since when they have written."""

    first: int
    end: int | None
    earliest: float


@dataclass(frozen=True, slots=True)
class Overview:
    """Overview of a stretch: the tables with changes, and whether there are any behind its end.

    ``stops_before`` is the transaction to stop before where there are too many for one answer; ``was_emptied`` says
    that a table was emptied at once, of which only that is known.
    """

    changed: frozenset[str]
    goes_on: bool
    stops_before: int | None
    was_emptied: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of which something may have changed: its own values, or else only whether the user sees it."""

    id: int
    has_changed: bool


class Reader:
    """Reads the changes of one model for one user."""

    def __init__(self, env: Environment, sight: Sight, content: Place, needs: Needs, relations: dict[str, int]) -> None:
        """``relations`` are PostgreSQL's ids of the tables in ``needs``."""
        self._cr = env.cr
        self._sight = sight
        self._content = content
        self._needs = needs
        self._relations = relations
        self._table: str = content.table

    def overview(self, stretch: Stretch) -> Overview:
        """Return an overview of the changes from the beginning of a stretch on, also of those behind its end."""
        each = _events(
            [SQL("wanted.relation")],
            Stretch(stretch.first, None, stretch.earliest),
            SQL("xid"),
            SQL("TRUE ORDER BY xid LIMIT %s", MOST_EVENTS + 1),
        )
        emptied = _events(
            self._relations.values(), Stretch(stretch.first, None, stretch.earliest), SQL("1"), SQL("op = 'T'")
        )
        query = SQL(
            "WITH found AS MATERIALIZED (SELECT wanted.relation, each.xid::text::bigint AS xid "
            "FROM unnest(%s::oid[]) AS wanted(relation) CROSS JOIN LATERAL (%s) AS each) "
            "SELECT relation, min(xid), max(xid), (SELECT xid FROM found ORDER BY xid OFFSET %s LIMIT 1), EXISTS (%s) "
            "FROM found GROUP BY relation",
            list(self._relations.values()),
            each,
            MOST_EVENTS,
            emptied,
        )
        names = {relation: table for table, relation in self._relations.items()}
        rows = self._rows(query)
        end = stretch.end if stretch.end is not None else math.inf
        most = next((row[3] for row in rows if row[3] is not None), None)
        first = min((row[1] for row in rows), default=0)
        return Overview(
            changed=frozenset(names[row[0]] for row in rows if row[1] < end),
            goes_on=most is not None or any(row[2] >= end for row in rows),
            stops_before=None if most is None else max(most, first + 1),
            was_emptied=any(row[4] for row in rows),
        )

    def candidates(self, stretch: Stretch, changed: Collection[str], after: int, limit: int) -> list[Candidate]:
        """Return the records of which something may have changed, behind the id ``after``, in the order of the ids.

        Links count as they are, and as they were at any time since the beginning of the stretch: one that was moved
        later would lead to nobody in either stretch.
        """
        told = [
            SQL("SELECT id, %s AS has_changed FROM (%s) AS told", has_changed, found)
            for place, has_changed in ((self._content, True), (self._sight.place, False))
            for found in self._touched(place, changed)
        ]
        own = [self._own(stretch, after)] if self._table in changed else []
        if not told and not own:
            return []
        others = [relation for table, relation in self._relations.items() if told or table != self._table]
        columns = SQL("relation, seq, xid, op, key, key2, fields, old")
        query = SQL(
            "WITH events AS MATERIALIZED (%s), within AS (SELECT * FROM events WHERE xid < %s::text::xid8) "
            "SELECT id, bool_or(has_changed) FROM (%s) AS touched WHERE id > %s GROUP BY id ORDER BY id LIMIT %s",
            _events(others, Stretch(stretch.first, None, stretch.earliest), columns)
            if told
            else SQL("SELECT %s FROM gatehouse.changes WHERE false", columns),
            str(stretch.end),
            SQL(" UNION ALL ").join([*own, *told]),
            after,
            limit,
        )
        return [Candidate(*row) for row in self._rows(query)]

    def _own(self, stretch: Stretch, after: int) -> Any:
        """Return a statement for the records whose own rows were changed: read by the index, however many there are."""
        content, sight = sorted(self._content.columns), sorted(self._sight.place.columns)
        where = SQL("key > %s AND (op <> 'U' OR fields && %s)", after, sorted({*content, *sight}))
        columns = SQL("key AS id, op <> 'U' OR fields && %s AS has_changed", content)
        return _events([self._relations[self._table]], stretch, columns, where)

    def seen(self, ids: Sequence[int], point: int, earliest: float) -> set[int]:
        """Return those of the records that the user saw before the transactions from ``point`` on."""
        since = Stretch(point, None, earliest)
        if self._sight.is_empty or not ids:
            return set()
        # Of the model's own table only the rows that are asked about matter, unless the sight leads through others.
        is_alone = self._table not in Place("", below=self._sight.place.below).tables()
        shadows = [
            self._shadow(table, since, ids if table == self._table and is_alone else None)
            for table in sorted(self._sight.needs)
        ]
        query = SQL(
            "WITH %s SELECT id FROM %s AS seen(id) WHERE id IN %s",
            SQL(", ").join(part for shadow in shadows for part in shadow),
            self._sight.sql,
            tuple(ids),
        )
        return {row[0] for row in self._rows(query)}

    def _shadow(self, table: str, since: Stretch, ids: Sequence[int] | None) -> tuple[Any, Any]:
        """Return two common table expressions: the first change of each row, and the table as it was before these."""
        key, name = self._needs[table].key, SQL.identifier(table)
        first, columns = (
            SQL.identifier(f"gatehouse_first_{self._relations[table]}"),
            SQL("key, key2") if len(key) > 1 else SQL("key"),
        )
        only = SQL("key IN %s", tuple(ids)) if ids is not None else SQL("key IS NOT NULL")
        found = SQL(
            "%s AS MATERIALIZED (SELECT DISTINCT ON (%s) key, key2, op, old FROM (%s) AS each ORDER BY %s, seq)",
            first,
            columns,
            _events([self._relations[table]], since, SQL("key, key2, op, old, seq"), only),
            columns,
        )
        shadow = SQL(
            "%s AS (SELECT now.* FROM %s AS now WHERE (%s) NOT IN (SELECT %s FROM %s) "
            "UNION ALL SELECT was.* FROM %s AS each CROSS JOIN LATERAL jsonb_populate_record(NULL::%s, %s) AS was "
            "WHERE each.op <> 'I')",
            name,
            SQL.identifier(table),
            SQL(", ").join(SQL.identifier("now", each) for each in key),
            columns,
            first,
            first,
            SQL.identifier(table),
            _image(key),
        )
        return found, shadow

    def _touched(self, place: Place, changed: Collection[str]) -> list[Any]:
        """Return statements for the ids of the rows of a place that changes further down may have to do with."""
        return [led for way, below in place.below for led in self._led(way, place.table, below, changed)]

    def _told(self, place: Place, changed: Collection[str]) -> Any | None:
        """Return a statement for the ids of all rows of a place that changes may have to do with; None for none."""
        parts = self._touched(place, changed)
        if place.table in changed:
            where = SQL("relation = %s AND (op <> 'U' OR fields && %s)", self._relation(place), sorted(place.columns))
            parts.append(SQL("SELECT key AS id FROM within WHERE %s", where))
        return SQL(" UNION ALL ").join(parts) if parts else None

    def _relation(self, place: Place) -> int:
        return self._relations[place.table]

    def _led(self, way: Way, above: str, below: Place | None, changed: Collection[str]) -> list[Any]:
        """Return statements for the rows above that rows below, or their links, lead to."""
        if isinstance(way, BySubselect):
            return [self._selected(way, table, changed) for table in sorted(way.tables & set(changed))]
        told = self._told(below, changed) if below is not None else None
        if isinstance(way, ByRelation):
            return self._related(way, told, changed)
        if told is None or below is None:
            return []
        if isinstance(way, ByOwner):
            return self._owned(way, below, told)
        column = SQL.identifier(way.column)
        return [
            SQL("SELECT id FROM %s WHERE %s = ANY (ARRAY(%s))", SQL.identifier(above), column, told),
            SQL(
                "SELECT key AS id FROM events WHERE relation = %s AND (old->>%s)::bigint = ANY (ARRAY(%s))",
                self._relations[above],
                way.column,
                told,
            ),
        ]

    def _related(self, way: ByRelation, told: Any | None, changed: Collection[str]) -> list[Any]:
        """Return statements for the rows above whose links have changed, or lead to changed rows, or did."""
        first, _ = self._needs[way.table].key
        above, below = (SQL("key"), SQL("key2")) if way.above == first else (SQL("key2"), SQL("key"))
        relation, parts = self._relations[way.table], []
        if way.table in changed:
            parts.append(SQL("SELECT %s AS id FROM within WHERE relation = %s", above, relation))
        if told is not None:
            link = SQL.identifier(way.above), SQL.identifier(way.table), SQL.identifier(way.below), told
            parts.append(SQL("SELECT %s AS id FROM %s WHERE %s = ANY (ARRAY(%s))", *link))
            parts.append(
                SQL(
                    "SELECT %s AS id FROM events WHERE relation = %s AND %s = ANY (ARRAY(%s))",
                    above,
                    relation,
                    below,
                    told,
                )
            )
        return parts

    def _owned(self, way: ByOwner, below: Place, told: Any) -> list[Any]:
        """Return statements for the owners of lines: those that they have, and those that they had."""
        table, column = below.table, SQL.identifier(way.column)
        now = SQL(" ").join(SQL("AND %s = %s", SQL.identifier(name), value) for name, value in way.where)
        was = SQL(" ").join(SQL("AND old->>%s = %s", name, value) for name, value in way.where)
        return [
            SQL(
                "SELECT %s AS id FROM %s WHERE id = ANY (ARRAY(%s)) AND %s IS NOT NULL %s",
                column,
                SQL.identifier(table),
                told,
                column,
                now,
            ),
            SQL(
                "SELECT (old->>%s)::bigint AS id FROM events "
                "WHERE relation = %s AND key = ANY (ARRAY(%s)) AND old->>%s IS NOT NULL %s",
                way.column,
                self._relations[table],
                told,
                way.column,
                was,
            ),
        ]

    def _selected(self, way: BySubselect, table: str, changed: Collection[str]) -> Any:
        """Return a statement of Odoo's for the changed rows of a table alone, as they are and were."""
        shadows = []
        for each in sorted(way.tables & set(self._relations)):
            key, relation = self._needs[each].key, self._relations[each]
            present, only = SQL("SELECT now.* FROM %s AS now", SQL.identifier(each)), SQL()
            if each == table:
                keys = SQL(", ").join(SQL.identifier("now", name) for name in key)
                columns = SQL("key, key2") if len(key) > 1 else SQL("key")
                touched = SQL("SELECT %s FROM within WHERE relation = %s", columns, relation)
                present = SQL("%s WHERE (%s) IN (%s)", present, keys, touched)
                only = SQL("AND (%s) IN (%s)", SQL("each.key, each.key2") if len(key) > 1 else SQL("each.key"), touched)
            shadows.append(
                SQL(
                    "%s AS (%s UNION ALL SELECT was.* FROM events AS each "
                    "CROSS JOIN LATERAL jsonb_populate_record(NULL::%s, %s) AS was "
                    "WHERE each.relation = %s AND (each.old IS NOT NULL OR each.op = 'D') %s)",
                    SQL.identifier(each),
                    present,
                    SQL.identifier(each),
                    _image(key),
                    relation,
                    only,
                )
            )
        return SQL(
            "SELECT id FROM (WITH %s SELECT id::bigint FROM %s AS led(id)) AS led", SQL(", ").join(shadows), way.sql
        )

    def _rows(self, query: Any) -> list[tuple[Any, ...]]:
        self._cr.execute(query)
        rows: list[tuple[Any, ...]] = self._cr.fetchall()
        return rows


def _image(key: Sequence[str]) -> Any:
    """Return a row as it was: its key, and of the other columns those that were kept."""
    first = SQL("%s::text, each.key", key[0])
    pairs = SQL("%s, %s::text, each.key2", first, key[1]) if len(key) > 1 else first
    return SQL("coalesce(each.old, '{}') || jsonb_build_object(%s)", pairs)


def _events(relations: Collection[Any], stretch: Stretch, columns: Any, where: Any = None) -> Any:
    """Return a statement for changes of tables in a stretch."""
    return SQL(
        "SELECT %s FROM gatehouse.changes WHERE relation IN (%s) AND xid >= %s::text::xid8 %s "
        "AND at >= to_timestamp(%s) AND %s",
        columns,
        SQL(", ").join(each if isinstance(each, SQL) else SQL("%s::oid", each) for each in relations),
        str(stretch.first),
        SQL("AND xid < %s::text::xid8", str(stretch.end)) if stretch.end is not None else SQL(),
        stretch.earliest,
        where if where is not None else SQL("TRUE"),
    )
