"""Sight: which records of a model a user sees through a domain, as a statement that can be run on old rows too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from functools import cached_property
from typing import Any

from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.models import BaseModel
from odoo.orm.domains import DomainCondition
from odoo.tools import SQL, safe_eval

from odoo_bridge import sql_cost
from odoo_bridge.changes.needs import Needs
from odoo_bridge.changes.places import Place, of_domain
from odoo_bridge.changes.tables import Tables, Untold
from odoo_bridge.errors import Conflict, TooCostly, Unavailable
from odoo_bridge.transaction import Environment
from odoo_bridge.translation import translate

_HIERARCHY = ("child_of", "parent_of")


class Sight:
    """Sight of a user through a domain: archived records only where the domain asks for them."""

    def __init__(self, env: Environment, model: str, domain: list[Any], tables: Tables) -> None:
        """Make the statement of a search; raises Odoo's errors about the domain and the rights."""
        self._records = env[model]
        self._domain = Domain(domain)
        self._tables = tables
        query = self._records._search(self._domain)
        self._is_found = query._ids is not None and type(self._records)._search is not BaseModel._search
        self.is_empty = query.is_empty()
        self.sql = SQL() if self.is_empty else query.subselect()
        self.needs: Needs = tables.needs(self.sql)

    @cached_property
    def place(self) -> Place:
        """The place that it is told from; raises Untold."""
        own = _place(self._records, self._domain, self._tables)
        below = (*own.below, *_ruled(self._records, self._tables).below)
        place = Place(self._records._table, below=below)
        others = self.needs.keys() - place.tables()
        if others:
            name = self._records._name
            raise Untold(f"{name} is searched by a method of its own, which goes through {', '.join(sorted(others))}")
        return place.with_columns({table: need.kept for table, need in self.needs.items()})

    @property
    def fingerprint(self) -> bytes:
        """Digest of the statement as it is at the moment, of which all that a search in Python has found is a part."""
        values = [sorted(map(repr, p)) if isinstance(p, (list, tuple, set, frozenset)) else p for p in self.sql.params]
        return hashlib.sha256(repr((self.sql.code, values)).encode()).digest()

    def check(self) -> None:
        """Raise Untold where the statement depends on the time, or on what a search in Python has found."""
        if self._is_found:
            raise Untold(f"{self._records._name} is searched in Python")
        self.place  # noqa: B018  which raises
        _check_dates(self._records, self._domain)
        ruled = self._records.env["ir.rule"]._compute_domain(self._records._name, "read")
        _check_dates(self._records.sudo(), ruled)
        _check_lazy(self._records, self._domain)
        _check_lazy(self._records.sudo(), ruled)


def of_all_rules(root: Environment, model: str, tables: Tables) -> list[Any]:
    """Return the statements of the record rules of a model and its parents, whosever they are; raises Untold."""
    records = root[model]
    found = []
    for rule in root["ir.rule"].search([("model_id.model", "=", model), ("perm_read", "=", True)]):
        try:
            found += _of_rule(records, rule, tables)
        except Untold:
            raise
        except Exception as error:  # an addon's text, which can be wrong in any way
            if isinstance(translate(error), (Conflict, TooCostly, Unavailable)):
                raise
            raise Untold(f"the record rule “{rule.name}” can't be evaluated: {error}") from error
    for parent in records._inherits:
        found += of_all_rules(root, parent, tables)
    return found


def _place(records: Any, domain: Domain, tables: Tables) -> Place:
    return of_domain(records, domain.optimize_full(records), tables)


def _ruled(records: Any, tables: Tables) -> Place:
    """Return the place of the record rules, as ``_search`` applies them (odoo/orm/models.py)."""
    ruled = records.sudo().with_context(active_test=False)
    return _place(ruled, records.env["ir.rule"]._compute_domain(records._name, "read"), tables)


def check_search(root: Environment, model: str, domain: list[Any], tables: Tables) -> None:
    """Raise Untold where the model looks for what users may see in Python; the superuser sees all without that."""
    person = root["res.users"].search([("share", "=", False)], order="id", limit=1)
    try:
        Sight(root(user=person.id, su=False), model, domain, tables).check()
    except AccessError:  # somebody else may search it
        return


def _of_rule(records: Any, rule: Any, tables: Tables) -> list[Any]:
    domain = Domain(safe_eval.safe_eval(rule.domain_force or "[]", rule._eval_context()))
    _check_dates(records, domain)
    _place(records, domain, tables)
    _check_lazy(records, domain)
    query = records._search(domain, active_test=False)
    return [] if query.is_empty() else [query.subselect()]


def _check_dates(records: Any, domain: Domain) -> None:
    """Raise Untold for a date that is told from now: ``today``, ``-3d``."""
    for condition in domain.optimize(records).iter_conditions():
        field = records._fields[condition.field_expr.partition(".")[0]]
        value = condition.value
        if isinstance(value, Domain):
            comodel = records.env[field.comodel_name]
            _check_dates(comodel, value)
            if not comodel.env.su:
                _check_dates(comodel.sudo(), comodel.env["ir.rule"]._compute_domain(comodel._name, "read"))
        elif field.type in ("date", "datetime") and not all(map(_is_fixed, _each(value))):
            raise Untold(f"a condition on {records._name}.{field.name} depends on the time")


def _each(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, (list, tuple, set, frozenset)) or hasattr(value, "__iter__") else (value,)


def _is_fixed(value: Any) -> bool:
    if not isinstance(value, str):
        return not isinstance(value, (list, tuple))
    try:
        return isinstance(datetime.fromisoformat(value), date)
    except ValueError:
        return False


def _check_lazy(records: Any, domain: Domain) -> None:
    """Raise Untold where Odoo asks the database as it makes a statement of the domain, and not by that statement.

    What it finds out about a hierarchy is a part of the statement, and changes seldom.
    """
    stripped = _without_hierarchies(domain)
    records._search(stripped, bypass_access=True)  # which fills the caches
    before = sql_cost.statements()
    records._search(stripped, bypass_access=True)
    if sql_cost.statements() > before:
        raise Untold(f"{records._name} is searched in Python")


def _without_hierarchies(domain: Domain) -> Domain:
    def strip(condition: DomainCondition) -> Domain:
        if condition.operator in _HIERARCHY:
            return Domain.TRUE
        if isinstance(condition.value, Domain):
            return DomainCondition(condition.field_expr, condition.operator, _without_hierarchies(condition.value))
        return condition

    return domain.map_conditions(strip)
