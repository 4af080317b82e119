"""Places: the tables that something about the records of a model is told from, and how their rows lead to records.

A place is a table together with the places that lead to it. A domain has one: ``[("project_id.name", "=", "A")]`` on
tasks is the table of the tasks, to which rows of the table of the projects lead by the column ``project_id``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from odoo.fields import Domain
from odoo.orm.domains import DomainCondition, DomainCustom
from odoo.tools import SQL, Query

from odoo_bridge.changes.tables import Tables, Untold, words_of

#: What a statement can't have whose old rows are looked at a few at a time.
_OF_MANY_ROWS = re.compile(r"\b(GROUP BY|HAVING|LIMIT|OFFSET|DISTINCT|EXCEPT|INTERSECT|UNION|OVER)\b", re.IGNORECASE)
_ATTACHMENTS = "ir_attachment"


@dataclass(frozen=True, slots=True)
class ByHolder:
    """A row below leads to the rows above whose ``column`` holds its id: that of a many2one."""

    column: str


@dataclass(frozen=True, slots=True)
class ByOwner:
    """A row below leads to the row above whose id its ``column`` holds; ``where`` are values of other columns."""

    column: str
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ByRelation:
    """A row below leads to the rows above by a relation table: the columns ``above`` and ``below`` of ``table``."""

    table: str
    above: str
    below: str


@dataclass(frozen=True, slots=True)
class BySubselect:
    """A statement of Odoo's that gives ids of rows above, made of the tables ``tables``."""

    sql: Any
    tables: frozenset[str]


Way: TypeAlias = ByHolder | ByOwner | ByRelation | BySubselect


@dataclass(frozen=True, slots=True)
class Place:
    """A table, the columns of it that matter, and the places that lead to its rows, each by its way."""

    table: str
    columns: frozenset[str] = frozenset()
    below: tuple[tuple[Way, Place | None], ...] = ()

    def walk(self) -> Iterator[Place]:
        """Yield the place and all below."""
        yield self
        for _, place in self.below:
            if place is not None:
                yield from place.walk()

    def with_columns(self, columns: Mapping[str, frozenset[str]]) -> Place:
        """Return the place, and those below, each with the columns of its table."""
        below = tuple((way, place and place.with_columns(columns)) for way, place in self.below)
        return Place(self.table, columns.get(self.table, frozenset()), below)

    def tables(self) -> frozenset[str]:
        """Return the names of all tables that matter."""
        found = set()
        for place in self.walk():
            found.add(place.table)
            for way, _ in place.below:
                found |= way.tables if isinstance(way, BySubselect) else set()
                found |= {way.table} if isinstance(way, ByRelation) else set()
        return frozenset(found)


def of_domain(records: Any, domain: Domain, tables: Tables) -> Place:
    """Return the place that a domain is told from, which is optimized in full; raises Untold.

    ``records`` have the environment that the search is made in. No columns are named: the statement that Odoo makes of
    the domain names them.
    """
    tables.check(records._table)
    below: list[tuple[Way, Place | None]] = []
    for condition in _conditions(domain):
        below += _below(records, condition, tables)
    return Place(records._table, below=tuple(below))


def of_fields(records: Any, names: Iterable[str], tables: Tables) -> Place:
    """Return the place that the values of fields are told from; what is not stored is left out. Raises Untold."""
    tables.check(records._table)
    columns, below = set(), list[tuple[Way, Place | None]]()
    attachments = []
    inherited: dict[str, list[str]] = {}
    for name in names:
        field = records._fields[name]
        if field.inherited:
            inherited.setdefault(field.related.split(".")[0], []).append(name)
        elif field.type == "binary" and field.store and field.attachment:
            attachments.append(name)
        elif not field.store:
            continue
        elif field.type in ("one2many", "many2many"):
            below += _lines(records, field, tables)
        elif field.column_type:
            columns.add(name)
    for parent, parents in inherited.items():
        columns.add(parent)
        field = records._fields[parent]
        above = records.env[field.comodel_name]
        below.append((ByHolder(parent), of_fields(above, [_named_above(records, name) for name in parents], tables)))
    for name in attachments:
        where = (("res_model", records._name), ("res_field", name))
        columns_of_files = frozenset({"res_id", "res_model", "res_field", "checksum"})
        below.append((ByOwner("res_id", where), Place(_ATTACHMENTS, columns_of_files)))
    return Place(records._table, frozenset(columns), tuple(below))


def _named_above(records: Any, name: str) -> str:
    return str(records._fields[name].related.partition(".")[2])


def _lines(records: Any, field: Any, tables: Tables) -> list[tuple[Way, Place | None]]:
    """Return the places of the lines of a stored x2many: which there are, in which order, and which are archived."""
    comodel = records.env[field.comodel_name]
    tables.check(comodel._table)
    if field.type == "one2many" and not comodel._fields[field.inverse_name].store:
        return []
    domain = _conditions(field.get_comodel_domain(records).optimize(comodel))
    seen = {condition.field_expr.partition(".")[0] for condition in domain} | {comodel._active_name}
    seen |= set(re.findall(r"\w+", comodel._order))
    return _by_way(records, field, Place(comodel._table, frozenset(seen) & tables.columns(comodel._table)), tables)


def _conditions(domain: Domain) -> Iterator[DomainCondition]:
    """Yield the conditions of a domain; raises Untold for what is none of them."""
    if isinstance(domain, DomainCustom):
        raise Untold("a condition is written in SQL")
    if isinstance(domain, DomainCondition):
        yield domain
        return
    for child in getattr(domain, "children", None) or filter(None, [getattr(domain, "child", None)]):
        yield from _conditions(child)


def _below(records: Any, condition: DomainCondition, tables: Tables) -> list[tuple[Way, Place | None]]:
    """Return the places that lead to a condition, besides the column of its own table."""
    field, value = records._fields[condition.field_expr.partition(".")[0]], condition.value
    if not field.relational:
        if isinstance(value, (Query, SQL)):
            if field.name != "id":
                raise _computed(records, field)
            return [(_subselect(value, tables), None)]
        return []
    if not field.store or field.company_dependent:
        raise _computed(records, field)
    comodel = records.env[field.comodel_name]
    if isinstance(value, (Query, SQL)):
        place = Place(comodel._table, frozenset(), ((_subselect(value, tables), None),))
    elif isinstance(value, Domain):
        place = _of_any(records, field, condition, tables)
    else:
        place = Place(comodel._table)
    is_constant = field.type == "many2one" and not isinstance(value, (Domain, Query, SQL))
    return [] if is_constant else _by_way(records, field, place, tables)


def _of_any(records: Any, field: Any, condition: DomainCondition, tables: Tables) -> Place:
    comodel = records.env[field.comodel_name]
    if condition.operator.endswith("!"):
        return of_domain(comodel.sudo(), _full(condition.value & _own(field, records), comodel.sudo()), tables)
    seen = _full(condition.value & _own(field, records), comodel)
    place = of_domain(comodel, seen, tables)
    if comodel.env.su:
        return place
    rules = _full(comodel.env["ir.rule"]._compute_domain(comodel._name, "read"), comodel.sudo())
    return Place(place.table, below=(*place.below, *of_domain(comodel.sudo(), rules, tables).below))


def _own(field: Any, records: Any) -> Domain:
    """Return the domain of a field itself, which Odoo puts beside that of a search through it."""
    return field.get_comodel_domain(records) if field.type in ("one2many", "many2many") else Domain.TRUE


def _full(domain: Domain, records: Any) -> Domain:
    return domain.optimize_full(records)


def _by_way(records: Any, field: Any, place: Place, tables: Tables) -> list[tuple[Way, Place | None]]:
    """Return a place, and the way by which its rows lead to the records that a field is of."""
    if field.type == "many2one":
        return [(ByHolder(field.name), place)]
    if field.type == "many2many":
        if tables.is_relation(field.relation):
            return [(ByRelation(field.relation, field.column1, field.column2), place)]
        # The links are records of a model.
        columns = frozenset({field.column1, field.column2})
        return [(ByOwner(field.column1), Place(field.relation, columns, ((ByHolder(field.column2), place),)))]
    inverse = records.env[field.comodel_name]._fields[field.inverse_name]
    if not inverse.store:
        raise _computed(records, field)
    where = ((inverse.model_field, records._name),) if inverse.type == "many2one_reference" else ()
    columns = place.columns | {inverse.name, *(name for name, _ in where)}
    return [(ByOwner(inverse.name, where), Place(place.table, columns, place.below))]


def _subselect(value: Any, tables: Tables) -> BySubselect:
    sql = value.subselect() if isinstance(value, Query) else value
    named = tables.named_in(sql)
    words = [word for dot, word in words_of(sql) if not dot]
    is_plain = not _OF_MANY_ROWS.search(sql.code) and (len(named) < 2 or "NOT" not in words)
    if (not named and "SELECT" in words) or not is_plain or any(_sources(sql).count(table) > 1 for table in named):
        raise Untold(f"a search in Python goes through {', '.join(sorted(named)) or 'tables that are no models'}")
    for table in named:
        tables.check(table)
    return BySubselect(sql, named)


def _sources(sql: Any) -> list[str]:
    """Return the tables of a statement, one that it reads twice twice."""
    return re.findall(r'\b(?:FROM|JOIN)\s+"?(\w+)', sql.code, re.IGNORECASE)


def _computed(records: Any, field: Any) -> Untold:
    return Untold(f"{records._name}.{field.name} is computed, or differs by company")
