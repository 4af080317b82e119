"""Listing of models, for an admin who chooses one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lxml import etree  # type: ignore[import-untyped]  # it comes with Odoo, without types
from odoo.exceptions import UserError

from .transaction import Environment

#: From so many records on, PostgreSQL's estimate is good enough: counting them would read them all.
_ESTIMATED_FROM = 50_000


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model with records of its own: its name, its label, and the addon that brings it."""

    name: str
    label: str
    addon: str


@dataclass(frozen=True, slots=True)
class Count:
    """Number of records of a model; ``exact`` is False for an estimate."""

    number: int
    exact: bool


def listing(env: Environment) -> list[ModelSummary]:
    """Return all models by name, without abstract and transient ones."""
    found = []
    for name in sorted(env.registry):
        model = env[name]
        if not model._abstract and not model._transient:
            found.append(ModelSummary(name, str(model._description or name), str(model._original_module or "")))
    return found


def labels(env: Environment, names: Collection[str]) -> dict[str, str]:
    """Return the labels of those models that are there."""
    return {name: str(env[name]._description or name) for name in names if name in env.registry}


def counts(env: Environment, names: Collection[str]) -> dict[str, Count]:
    """Return the number of records of models, active or not; views and models without a table are left out."""
    tables = {env[name]._table: name for name in names if env[name]._auto and not env[name]._abstract}
    env.cr.execute(
        "SELECT relname, reltuples::bigint FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r' "
        "AND relnamespace = current_schema::regnamespace",
        (list(tables),),
    )
    found = {}
    for table, estimate in env.cr.fetchall():
        exact = estimate < _ESTIMATED_FROM
        if exact:
            env.cr.execute(f'SELECT count(*) FROM "{table}"')
            (estimate,) = env.cr.fetchone()
        found[tables[table]] = Count(estimate, exact)
    return found


def columns(env: Environment, model: str) -> list[str]:
    """Return the fields that Odoo's list of the model shows: what people look at first."""
    try:
        arch = etree.fromstring(env[model].get_view(view_type="list")["arch"])
    except (UserError, ValueError, KeyError, etree.XMLSyntaxError):
        return []
    shown = (node for node in arch.iterchildren("field") if node.get("column_invisible") not in ("1", "True"))
    return list(dict.fromkeys(str(node.get("name")) for node in shown))


def title_field(env: Environment, model: str) -> str | None:
    """Return the field that names a record."""
    name = env[model]._rec_name
    return str(name) if name else None
