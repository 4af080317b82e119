"""Foresight of what Odoo will read by itself when a record is written, as writes of the same kind have read it.

A kind is a model, the fields that are written, the user and the context. What is remembered of it is no value but a
question, and all questions go with the one for the writer's rows (see ``prefetch.py``), into the same snapshot. The
answers wait until Odoo asks, whom it may tell what is decided then:

- rows that were read by their ids: the company's address and its country, what a model is called; or the record's own
  country, wherever that is;
- many2one fields by which nothing referred to the record. An update asks which contacts, users and companies belong to
  a partner, each with a search, and mostly there are none. It is asked of whole tables, whatever the domain and the
  rules, so that "none" is the same for all. Where there is one, or the transaction may have written the table, Odoo
  searches.

What a transaction has written is known by its statements (``written_tables``). A trigger or function of PostgreSQL
itself that writes tables of Odoo is not seen: see docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from odoo.tools import SQL

from odoo_bridge import written_tables
from odoo_bridge.fast import is_on
from odoo_bridge.fast.cacheable import is_base
from odoo_bridge.fast.cached import insert_row
from odoo_bridge.types import Recordset

#: Odoo's fields. Odoo has no types of its own to offer.
Field: TypeAlias = Any
#: How many kinds a registry remembers: clients choose the fields. And of each so many rows and fields.
_MOST_KINDS, _MOST = 256, 8
#: How many rows are remembered that were read once, and after how many writes a kind begins anew.
_MOST_SEEN, _WRITES = 16, 256
#: Two writes are in succession though others run beside them.
_GAP = 2
#: What makes a search of ``BaseModel``.
_SEARCH = ("search", "search_fetch", "_search")


@dataclass(frozen=True, slots=True)
class Row:
    """Columns of one record; ``su`` where they were read as superuser.

    The record is named by its id, or by a many2one field of the record that is written.
    """

    model: str
    su: bool
    record: int | Field
    columns: tuple[Field, ...]


@dataclass(slots=True)
class Kind:
    """Questions of a kind of write: ``rows`` that two in succession have read, and ``referring`` fields.

    ``seen`` is which of its writes, by number, has read a row last.
    """

    rows: dict[Row, None] = field(default_factory=dict)
    referring: dict[Field, None] = field(default_factory=dict)
    seen: dict[Row, int] = field(default_factory=dict)
    writes: int = 0


@dataclass(frozen=True, slots=True)
class Foresight:
    """Write of a transaction to one record, or to none where it is created.

    Nothing refers to it by ``none`` of the fields. ``rows`` are values of columns that have been read,
    with the query that they answer.
    """

    kind: Kind
    number: int
    model: str
    ids: tuple[int, ...]
    uid: int
    lang: str | None
    moment: float  # which tells the snapshot
    none: frozenset[Field] = frozenset()
    rows: dict[tuple[str, bool, int], tuple[SQL, list[Any]]] = field(default_factory=dict)


def begin(records: Recordset, names: Collection[str]) -> Foresight:
    """Return the kind of a write to one record; to none where it is created."""
    env = records.env
    # Beside Odoo's own trees of triggers, which are forgotten whenever a field changes.
    kinds: dict[Any, Kind] = env.registry._field_trigger_trees.setdefault(Kind, {})
    key = records._name, bool(records._ids), frozenset(names), env.uid, repr(env.context)
    kind = kinds.get(key)
    if kind is None or kind.writes >= _WRITES:
        if len(kinds) >= _MOST_KINDS:
            kinds.clear()
        kind = kinds[key] = Kind()
    kind.writes += 1
    lang, moment = env.context.get("lang"), env.cr.cache_view.began
    return Foresight(kind, kind.writes, records._name, records._ids, env.uid, lang, moment)


def note(records: Recordset, columns: tuple[Field, ...]) -> None:
    """Remember that Odoo has read columns of one record in the course of a write."""
    env = records.env
    now = _of(env)
    if now is None or len(records) != 1 or (env.uid, env.context.get("lang")) != (now.uid, now.lang):
        return
    if (records._name == now.model and records._ids == now.ids) or not _has_own_table(records):
        return
    row = Row(records._name, env.su, _way(now, records) or records.id, columns)
    ago = now.number - now.kind.seen.get(row, -_GAP)
    if 0 < ago <= _GAP and len(now.kind.rows) < _MOST:
        now.kind.rows[row] = None
    if len(now.kind.seen) >= _MOST_SEEN:
        now.kind.seen.clear()
    now.kind.seen[row] = now.number


def target(row: Row, records: Recordset) -> Recordset:
    """Return the record that a row is of in a write to ``records``, as it was read; none where there is none."""
    record_id = row.record
    if not isinstance(record_id, int):
        record_id = record_id._get_cache(records.env).get(records.id)
    model = records.env[row.model]
    return (model.sudo() if row.su else model).browse(record_id)


def answer(record: Recordset, columns: tuple[Field, ...], sql: SQL) -> bool:
    """Put columns of a record into the cache if they have been read before; False where the query is to be run."""
    env = record.env
    now = _of(env)
    if now is None or len(record) != 1:
        return False
    row = now.rows.pop((record._name, env.su, record.id), None)
    if row is None or row[0] is not sql or _is_written(env, record._table):
        return False
    pending = env.transaction
    if any(pending.field_dirty.get(each) or pending.tocompute.get(each) for each in sql.to_flush):
        return False
    insert_row(record, columns, row[1])
    return True


def has_none(field: Field, records: Recordset) -> bool:
    """True if nothing refers to the records by a many2one field: neither in the database nor in the cache."""
    env = records.env
    now = _of(env)
    if now is None or len(now.ids) != 1 or records._ids != now.ids or records._name != now.model:
        return False
    if field not in now.none:
        if len(now.kind.referring) < _MOST and _is_plain(field, env):
            now.kind.referring[field] = None
        return False
    return not (env.transaction.field_dirty.get(field) or _is_written(env, env[field.model_name]._table))


def _of(env: Any) -> Foresight | None:
    """Return the write of the transaction, where it is known."""
    now: Foresight | None = getattr(env.cr, "foresight", None)
    return now if now is not None and now.moment == env.cr.cache_view.began and is_on("foresight") else None


def _way(now: Foresight, records: Recordset) -> Field | None:
    """Return a many2one field of the one record that is written, where it leads to these."""
    if len(now.ids) != 1:
        return None
    env = records.env
    for way in env[now.model]._fields.values():
        is_column = way.type == "many2one" and way.comodel_name == records._name and way.store
        if is_column and not way.company_dependent and way._get_cache(env).get(now.ids[0]) == records.id:
            return way
    return None


def _is_written(env: Any, table: str) -> bool:
    tables = written_tables.of(env.cr)
    return tables is None or not tables.isdisjoint((table, written_tables.ALL))


def _has_own_table(model: Recordset) -> bool:
    """True if its rows change with statements on its table alone: not a view, nor a parent or child of other tables."""
    return model._auto and not model._name.startswith("ir.actions.")


def _is_plain(field: Field, env: Any) -> bool:
    """True if the field is a column of a table, with an index, by which Odoo searches as ever."""
    model = env[field.model_name]
    is_column = field.type == "many2one" and field.store and field.index and not (field.compute or field.groups)
    return is_column and not field.company_dependent and _has_own_table(model) and is_base(model, *_SEARCH)
