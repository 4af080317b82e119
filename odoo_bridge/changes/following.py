"""Following the changes of a model: what has to be noted for that, and how far it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from odoo_bridge.changes import state
from odoo_bridge.changes.needs import Needs, union
from odoo_bridge.changes.places import ByHolder, ByOwner, ByRelation, Place, of_fields
from odoo_bridge.changes.reading import Reader
from odoo_bridge.changes.sight import Sight, check_search, of_all_rules
from odoo_bridge.changes.state import Captured
from odoo_bridge.changes.tables import Tables, Untold, tables_of
from odoo_bridge.transaction import Environment


class Following:
    """The changes of a model, as one user follows them through a domain and by fields."""

    def __init__(self, env: Environment, model: str, domain: list[Any], fields: Sequence[str]) -> None:
        """Raises ``tables.Untold`` where it can't be done."""
        tables = tables_of(env)
        self._env = env
        self._content = of_fields(env[model], fields, tables)
        self._sight = Sight(env, model, domain, tables)
        self.needs = union([self._sight.needs, _needs(self._content, tables)])

    @property
    def sql(self) -> Any:
        """The statement of what the user sees."""
        return self._sight.sql

    @property
    def models(self) -> frozenset[str]:
        """The models that the domain goes through, whose rules hold there too."""
        tables = tables_of(self._env)
        return frozenset(filter(None, map(tables.model, self._sight.place.tables())))

    def check(self) -> None:
        """Raise Untold where what the user sees depends on more than tables."""
        self._sight.check()

    def fingerprint(self) -> str:
        """Return a text that is another one once the user's rights, groups or companies are."""
        user = self._env.user
        rights = (self._sight.fingerprint, sorted(user._get_group_ids()), sorted(user._get_company_ids()))
        return hashlib.sha256(repr((rights, self._env.context.get("allowed_company_ids"))).encode()).hexdigest()[:32]

    def captured(self) -> Captured:
        """Return the capture of all tables that are needed."""
        return state.captured(self._env, self.needs)

    def reader(self, captured: Captured) -> Reader:
        """Return the reader of the changes, where nothing is missing."""
        return Reader(self._env, self._sight, self._content, self.needs, captured.relations)


def needs_of(root: Environment, model: str, domain: list[Any], fields: Sequence[str]) -> Needs:
    """Return all that has to be noted so that anybody can follow a model; raises ``tables.Untold``.

    ``root`` is the superuser's: what users see besides the domain is told from all record rules, whosever they are.
    """
    with root.cr.savepoint(flush=False):  # a field's search may ask the database
        following = Following(root, model, domain, fields)
        following.check()
        check_search(root, model, domain, tables_of(root))
        tables, models = tables_of(root), {model, *following.models}
        rules = [sql for each in sorted(models) for sql in of_all_rules(root, each, tables)]
        return union([following.needs, tables.needs(following.sql, *rules)])


def reason_against(root: Environment, model: str, domain: list[Any], fields: Sequence[str]) -> str | None:
    """Return the reason for which the changes of a model can't be followed, or None."""
    try:
        needs_of(root, model, domain, fields)
    except Untold as error:
        return error.reason
    return None


def _needs(content: Place, tables: Tables) -> Needs:
    """Return all that has to be noted for the values of fields: which lines a record had needs old values too."""
    found: list[Needs] = []
    for place in content.walk():
        found.append({place.table: tables.watched(place.table, place.columns)})
        for way, below in place.below:
            if isinstance(way, ByRelation):
                found.append({way.table: tables.watched(way.table, ())})
            if isinstance(way, ByOwner) and below is not None:
                kept = frozenset({way.column, *(name for name, _ in way.where)})
                found.append({below.table: tables.kept(below.table, kept)})
            if isinstance(way, ByHolder):
                found.append({place.table: tables.kept(place.table, {way.column})})
    return union(found)
